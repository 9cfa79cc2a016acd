# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Tyres and braking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.roads import SurfaceProfile
from mm_fusion.simulation.traffic.dynamics import advance, grip_at, within_grip
from mm_fusion.simulation.world import FRICTION_COEFFICIENTS, Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray


def braking_distance(speed_mps: float, grip: float) -> float:
    """Drive straight on, brake as hard as the tyres allow, and give the way to standstill, m."""
    states: NDArray[np.float64] = np.zeros((1, len(Motion)))
    states[0, Motion.SPEED] = speed_mps
    demand, straight = np.array([-np.inf]), np.zeros(1)
    while states[0, Motion.SPEED] > 1e-3:
        brake, _ = within_grip(demand, straight, states[:, Motion.SPEED], np.array([grip]))
        states = advance(states, brake, straight)
    return float(states[0, Motion.X])


@pytest.mark.parametrize('friction', [0, 1, 5], ids=['dry', 'wet', 'ice'])
@pytest.mark.parametrize('speed', [8.0, 13.9, 27.8])
def test_the_braking_distance_is_that_of_the_friction(friction: int, speed: float) -> None:
    grip = FRICTION_COEFFICIENTS[friction]

    assert braking_distance(speed, grip) == pytest.approx(speed**2 / (2 * grip * 9.81), rel=0.04)


@given(st.floats(-20, 20), st.floats(-0.2, 0.2), st.floats(0, 40), st.floats(0.1, 1.0))
def test_no_demand_leaves_the_friction_circle(
    acceleration: float, curvature: float, speed: float, grip: float
) -> None:
    along, bend = within_grip(*(np.array([v]) for v in (acceleration, curvature, speed, grip)))

    assert np.hypot(along, speed**2 * bend) <= grip * 9.81 * (1 + 1e-9)
    assert along * acceleration >= 0.0
    assert bend * curvature >= 0.0


@given(st.floats(0.0, 30.0), st.lists(st.floats(-9.0, 3.0), min_size=1, max_size=60))
def test_nobody_rolls_backwards_and_speed_is_the_integral_of_acceleration(
    speed: float, demands: list[float]
) -> None:
    states: NDArray[np.float64] = np.zeros((1, len(Motion)))
    states[0, Motion.SPEED] = speed
    for demand in demands:
        after = advance(states, np.array([demand]), np.zeros(1))
        rise = 0.01 * (states[0, Motion.ACCELERATION] + after[0, Motion.ACCELERATION])
        assert after[0, Motion.SPEED] >= 0.0
        assert after[0, Motion.SPEED] - states[0, Motion.SPEED] == pytest.approx(rise, abs=1e-8)
        states = after


def test_a_steady_curve_closes_a_circle() -> None:
    states: NDArray[np.float64] = np.zeros((1, len(Motion)))
    states[0, Motion.SPEED], states[0, Motion.YAW_RATE] = 5.0, 0.5
    steps = round(2 * np.pi / 0.5 / 0.02)
    for _ in range(steps):
        states = advance(states, np.zeros(1), np.array([0.1]))

    assert states[0, Motion.HEADING] == pytest.approx(0.5 * 0.02 * steps)
    assert np.hypot(*states[0, :2]) < 0.1


def test_loose_ground_has_less_grip_than_asphalt() -> None:
    friction = np.tile(np.eye(6, dtype=np.float32)[0], (5, 1))
    surface = SurfaceProfile(
        np.arange(5, dtype=np.float64),
        friction,
        np.eye(5, dtype=np.float32),
        np.tile(np.eye(3, dtype=np.float32)[0], (5, 1)),
    )

    asphalt, concrete, cobble, gravel, mud = grip_at(surface, np.arange(5.0))

    assert asphalt == concrete == pytest.approx(0.9)
    assert asphalt > cobble > gravel > mud > 0.3
