# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How much of the error of positions is taken for noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.geometry.position_errors import PositionErrors

NUMBERS = st.floats(0.0, 1e6)


def learned(noise: float, count: int = 400, expected_m2: float = 0.5) -> PositionErrors:
    """Learn from draws of a receiver of 2 m, seen from predictions that err themselves."""
    random = np.random.default_rng(1)
    errors = PositionErrors()
    std = math.sqrt(noise * 4.0 + 0.5 * expected_m2)
    for _ in range(count):
        squared = float(np.sum((std * random.normal(size=2)) ** 2))
        errors = errors.after(squared, expected_m2, 8.0)
    return errors


@pytest.mark.parametrize('noise', [0.02, 0.2, 0.5])
def test_the_share_of_noise_is_learned(noise: float) -> None:
    # Bounded at one share, large errors count for less than they are.
    assert learned(noise).noise == pytest.approx(noise, rel=0.4, abs=0.02)


def test_positions_without_noise_leave_the_least_share() -> None:
    assert learned(0.0, expected_m2=0.001).noise == 0.0025


def test_what_was_long_ago_is_forgotten() -> None:
    errors = learned(1.0)
    for _ in range(500):
        errors = errors.after(0.5, 0.5, 8.0)
    assert errors.noise < 0.02


@given(squared=NUMBERS, expected=NUMBERS, variance=st.floats(1e-6, 1e6), apart=NUMBERS)
def test_shares_are_shares(squared: float, expected: float, variance: float, apart: float) -> None:
    errors = PositionErrors().after(squared, expected, variance)
    assert 0.0 < errors.noise <= 1.0
    assert errors.noise + errors.slow == 1.0
    assert 0.0 <= errors.drift(apart) <= errors.jump
    assert abs(errors.mean - PositionErrors().mean) <= 1.1 / errors.weight


def test_the_slow_error_changes_within_minutes() -> None:
    errors = PositionErrors()
    assert errors.drift(0.0) == 0.0
    assert errors.drift(1.0) == pytest.approx(2.0 * errors.slow / 300.0, rel=0.01)
    assert errors.drift(3600.0) == pytest.approx(errors.jump, rel=1e-4)
