# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The Intelligent Driver Model in the cases that its paper solves by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.traffic.idm import Driving, free, interaction

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRIVER = Driving(*(np.array([value]) for value in (1.6, 0.73, 1.67, 2.0)))


def _one(value: float) -> NDArray[np.float64]:
    return np.array([value])


def test_the_desired_speed_needs_no_acceleration() -> None:
    assert free(DRIVER, _one(33.3), _one(33.3)) == pytest.approx(0.0)
    assert free(DRIVER, _one(0.0), _one(33.3)) == pytest.approx(0.73)
    assert free(DRIVER, _one(40.0), _one(10.0)) == pytest.approx(-1.67)


@pytest.mark.parametrize('speed', [5.0, 10.0, 20.0])
def test_the_equilibrium_gap_needs_no_acceleration(speed: float) -> None:
    gap = (2.0 + speed * 1.6) / np.sqrt(1 - (speed / 33.3) ** 4)

    total = free(DRIVER, _one(speed), _one(33.3)) + interaction(
        DRIVER, _one(speed), _one(gap), _one(0.0)
    )

    assert total == pytest.approx(0.0, abs=1e-12)


def test_a_leader_that_drives_away_does_not_brake_more_than_standing_distance() -> None:
    away = interaction(DRIVER, _one(10.0), _one(20.0), _one(-30.0))

    assert away == pytest.approx(-0.73 * (2.0 / 20.0) ** 2)
    assert interaction(DRIVER, _one(10.0), _one(np.inf), _one(0.0)) == 0.0
