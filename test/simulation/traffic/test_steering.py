# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Lane keeping brings a vehicle back to its line, and does not overshoot much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.traffic.dynamics import advance
from mm_fusion.simulation.traffic.steering import steer
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _offsets(speed: float, alert: bool, seconds: float) -> NDArray[np.float64]:
    """Start 1 m left of a straight line, and give the offsets at each step."""
    states: NDArray[np.float64] = np.zeros((1, len(Motion)))
    states[0, Motion.SPEED], states[0, Motion.Y] = speed, 1.0
    wheelbase = np.array([2.7])
    angle: NDArray[np.float64] = np.zeros(1)
    offsets = []
    for _ in range(round(seconds / 0.02)):
        offsets.append(states[0, Motion.Y])
        angle = steer(
            angle,
            wheelbase,
            states[:, Motion.SPEED],
            states[:, Motion.Y],
            states[:, Motion.HEADING],
            np.zeros(1),
            np.array([alert]),
        )
        states = advance(states, np.zeros(1), np.tan(angle) / wheelbase)
    return np.array(offsets)


@pytest.mark.parametrize('speed', [4.0, 13.9, 36.0])
def test_a_vehicle_returns_to_its_line(speed: float) -> None:
    offsets = _offsets(speed, alert=False, seconds=14.0)

    assert np.abs(offsets[-50:]).max() < 0.05
    assert offsets.min() > -0.2


def test_who_makes_way_for_a_siren_is_quicker() -> None:
    usual, alert = (_offsets(8.0, alert, 8.0) for alert in (False, True))

    assert np.argmax(alert < 0.2) < 0.7 * np.argmax(usual < 0.2)


def test_nobody_turns_the_wheels_while_standing() -> None:
    assert (_offsets(0.0, alert=True, seconds=1.0) == 1.0).all()
