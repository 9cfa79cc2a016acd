# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from mm_fusion.geometry.motion import MotionModel, roll_out, stopping_time
from mm_fusion.types.predictions import EgoMotion

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIMES: NDArray[np.float64] = np.linspace(0.5, 6.0, 12, dtype=np.float64)
SPEEDS = st.floats(-10.0, 40.0)
ACCELERATIONS = st.floats(-8.0, 5.0)
YAW_RATES = st.floats(-1.5, 1.5)
MOTIONS = st.builds(EgoMotion, SPEEDS, ACCELERATIONS, YAW_RATES)
MODELS: tuple[MotionModel, ...] = ('cv', 'ctrv', 'ctra')


def integrate(motion: EgoMotion, time_s: float) -> NDArray[np.float64]:
    """Return x, y and heading by a general integrator."""

    def derivative(t: float, state: NDArray[np.float64]) -> list[float]:
        speed = motion.speed_mps + motion.acceleration_mps2 * t
        return [speed * math.cos(state[2]), speed * math.sin(state[2]), motion.yaw_rate_rps]

    end = min(time_s, stopping_time(motion.speed_mps, motion.acceleration_mps2))
    if end == 0.0:
        return np.zeros(3)
    result = solve_ivp(derivative, (0.0, end), [0.0, 0.0, 0.0], rtol=1e-9, atol=1e-9)
    last: NDArray[np.float64] = result.y[:, -1]
    return last


@settings(deadline=None)
@given(motion=MOTIONS)
def test_ctra_agrees_with_numeric_integration(motion: EgoMotion) -> None:
    path = roll_out('ctra', motion, [2.0, 6.0])
    for i, time_s in enumerate((2.0, 6.0)):
        expected = integrate(motion, time_s)
        np.testing.assert_allclose(path.positions[i], expected[:2], atol=1e-5)
        assert path.headings[i] == pytest.approx(expected[2], abs=1e-6)


@settings(deadline=None)
@given(speed=SPEEDS, yaw_rate=YAW_RATES)
def test_ctra_without_acceleration_is_ctrv(speed: float, yaw_rate: float) -> None:
    ctra = roll_out('ctra', EgoMotion(speed, 0.0, yaw_rate), TIMES)
    ctrv = roll_out('ctrv', EgoMotion(speed, 3.0, yaw_rate), TIMES)
    np.testing.assert_array_equal(ctra.positions, ctrv.positions)
    np.testing.assert_array_equal(ctra.headings, ctrv.headings)


@settings(deadline=None)
@given(speed=SPEEDS)
def test_ctrv_without_yaw_rate_is_cv(speed: float) -> None:
    ctrv = roll_out('ctrv', EgoMotion(speed, 0.0, 0.0), TIMES)
    cv = roll_out('cv', EgoMotion(speed, 2.0, 1.0), TIMES)
    np.testing.assert_array_equal(ctrv.positions, cv.positions)
    np.testing.assert_allclose(cv.positions, np.stack([speed * TIMES, 0 * TIMES], axis=1))


@settings(deadline=None)
@given(speed=SPEEDS, acceleration=ACCELERATIONS, exponent=st.floats(-300.0, -1.0))
def test_a_vanishing_yaw_rate_is_no_special_case(
    speed: float, acceleration: float, exponent: float
) -> None:
    yaw_rate = 10.0**exponent
    straight = roll_out('ctra', EgoMotion(speed, acceleration, 0.0), TIMES)
    bent = roll_out('ctra', EgoMotion(speed, acceleration, yaw_rate), TIMES)
    furthest = np.abs(straight.positions).max()
    assert np.abs(bent.positions - straight.positions).max() <= yaw_rate * 6.0 * furthest + 1e-9


@settings(deadline=None)
@given(motion=MOTIONS, radius=st.floats(0.999, 1.001))
def test_series_and_closed_form_meet(motion: EgoMotion, radius: float) -> None:
    """The two evaluations change over where yaw rate times time is one."""
    rate = radius / 6.0
    here = roll_out('ctra', EgoMotion(motion.speed_mps, motion.acceleration_mps2, rate), [6.0])
    next_to = EgoMotion(motion.speed_mps, motion.acceleration_mps2, rate * (1 + 1e-12))
    there = roll_out('ctra', next_to, [6.0])
    np.testing.assert_allclose(here.positions, there.positions, atol=1e-8)


@pytest.mark.parametrize('speed', [10.0, -10.0])
def test_a_braking_vehicle_stops_and_stays(speed: float) -> None:
    path = roll_out('ctra', EgoMotion(speed, -speed / 2.0, 0.1), [1.0, 2.0, 3.0, 6.0])
    assert abs(path.positions[0, 0]) < abs(path.positions[1, 0])
    np.testing.assert_array_equal(path.positions[1:], np.repeat(path.positions[1:2], 3, axis=0))
    np.testing.assert_allclose(path.headings, [0.1, 0.2, 0.2, 0.2])


def test_stopping_time() -> None:
    assert stopping_time(10.0, -2.0) == 5.0
    assert stopping_time(-10.0, 2.0) == 5.0
    assert stopping_time(10.0, 2.0) == math.inf
    assert stopping_time(0.0, -2.0) == math.inf
    # A brake that fades with tau takes away at most a * tau of the speed.
    assert stopping_time(10.0, -2.0, 4.0) == math.inf
    time_s = stopping_time(10.0, -2.0, 10.0)
    assert 10.0 - 2.0 * 10.0 * (1.0 - math.exp(-time_s / 10.0)) == pytest.approx(0.0)


@settings(deadline=None)
@given(motion=MOTIONS, model=st.sampled_from(MODELS), seed=st.integers(0, 10_000))
def test_covariances_are_symmetric_and_positive(
    motion: EgoMotion, model: MotionModel, seed: int
) -> None:
    root = np.random.default_rng(seed).normal(size=(3, 3))
    covariances = roll_out(model, motion, TIMES, root @ root.T).covariances
    np.testing.assert_array_equal(covariances, covariances.transpose(0, 2, 1))
    scale = np.abs(covariances).max()
    assert np.linalg.eigvalsh(covariances).min() >= -1e-12 * scale


@pytest.mark.parametrize('model', MODELS)
@pytest.mark.parametrize('motion', [EgoMotion(12.0, 1.0, 0.3), EgoMotion(12.0, -4.0, -0.2)])
def test_covariance_agrees_with_finite_differences(model: MotionModel, motion: EgoMotion) -> None:
    root = np.array([[0.3, 0.0, 0.0], [0.1, 0.2, 0.0], [0.02, 0.01, 0.05]])
    covariance = root @ root.T
    values = np.array([motion.speed_mps, motion.acceleration_mps2, motion.yaw_rate_rps])
    columns = []
    for i in range(3):
        step = 1e-5 * np.eye(3)[i]
        ahead = roll_out(model, EgoMotion(*(values + step)), TIMES).positions
        behind = roll_out(model, EgoMotion(*(values - step)), TIMES).positions
        columns.append((ahead - behind) / 2e-5)
    jacobians = np.stack(columns, axis=2)
    expected = jacobians @ covariance @ jacobians.transpose(0, 2, 1)
    found = roll_out(model, motion, TIMES, covariance).covariances
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_motion_known_exactly_has_no_covariance() -> None:
    assert not roll_out('ctra', EgoMotion(10.0, 1.0, 0.1), TIMES).covariances.any()


@pytest.mark.parametrize('motion', [EgoMotion(math.nan, 0.0, 0.0), EgoMotion(1.0, math.inf, 0.0)])
def test_a_motion_that_is_not_finite_is_refused(motion: EgoMotion) -> None:
    with pytest.raises(ValueError, match='finite'):
        roll_out('ctra', motion, TIMES)


@pytest.mark.parametrize('times', [[-0.5], [math.nan], [[1.0]]])
def test_times_that_are_not_ahead_are_refused(times: list[float]) -> None:
    with pytest.raises(ValueError, match='times'):
        roll_out('cv', EgoMotion(1.0, 0.0, 0.0), times)


def test_a_covariance_of_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match='3 by 3'):
        roll_out('cv', EgoMotion(1.0, 0.0, 0.0), TIMES, np.eye(2))
