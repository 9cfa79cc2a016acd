# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.geometry.motion import roll_out
from mm_fusion.geometry.process import (
    ACCELERATION,
    HEADING,
    SPEED,
    YAW_RATE,
    Mean,
    ProcessModel,
    propagate,
    transition,
)
from mm_fusion.types.predictions import EgoMotion

ENDLESS = ProcessModel(acceleration_time_constant_s=math.inf, yaw_rate_time_constant_s=math.inf)
STATES = st.tuples(
    st.floats(-100, 100),
    st.floats(-100, 100),
    st.floats(-4, 4),
    st.floats(-10, 40),
    st.floats(-0.8, 0.8),
    st.floats(0, 4),
)


@settings(deadline=None)
@given(state=STATES, duration_s=st.floats(0.0, 3.0))
def test_without_decay_it_is_ctra(state: Mean, duration_s: float) -> None:
    speed, yaw_rate = abs(state[SPEED]), state[YAW_RATE]
    start = (0.0, 0.0, 0.0, speed, yaw_rate, state[ACCELERATION])
    end, _ = propagate(start, np.eye(6), duration_s, ENDLESS)
    path = roll_out('ctra', EgoMotion(speed, state[ACCELERATION], yaw_rate), [duration_s])
    np.testing.assert_allclose(end[:2], path.positions[0], atol=0.003)
    assert end[HEADING] == pytest.approx(path.headings[0], abs=1e-9)
    assert end[SPEED] == pytest.approx(speed + state[ACCELERATION] * duration_s)


def test_acceleration_and_yaw_rate_decay() -> None:
    process = ProcessModel()
    end, _ = propagate((0.0, 0.0, 0.0, 10.0, 0.2, 1.0), np.eye(6), 3.0, process)
    left = math.exp(-3.0 / process.acceleration_time_constant_s)
    assert end[ACCELERATION] == pytest.approx(left)
    assert end[SPEED] == pytest.approx(10.0 + process.acceleration_time_constant_s * (1.0 - left))
    assert end[YAW_RATE] == pytest.approx(0.2 * math.exp(-3.0 / process.yaw_rate_time_constant_s))


@settings(max_examples=50, deadline=None)
@given(state=STATES, step_s=st.floats(0.01, 0.25))
def test_the_jacobian_agrees_with_finite_differences(state: Mean, step_s: float) -> None:
    process = ProcessModel()
    _, jacobian = transition(state, step_s, process)
    for column in range(6):
        high, low = list(state), list(state)
        high[column] += 1e-5
        low[column] -= 1e-5
        ahead, _ = transition(tuple(high), step_s, process)  # type: ignore[arg-type]
        behind, _ = transition(tuple(low), step_s, process)  # type: ignore[arg-type]
        slope = (np.array(ahead) - np.array(behind)) / 2e-5
        # The Jacobian takes the bulge of a bend driven with acceleration as constant.
        np.testing.assert_allclose(jacobian[:, column], slope, atol=0.006)


@settings(deadline=None)
@given(state=STATES, duration_s=st.floats(0.0, 10.0), seed=st.integers(0, 1000))
def test_covariance_stays_symmetric_and_positive(
    state: Mean, duration_s: float, seed: int
) -> None:
    root = np.random.default_rng(seed).normal(size=(6, 6))
    _, covariance = propagate(state, root @ root.T, duration_s, ProcessModel())
    scale = np.abs(covariance).max()
    np.testing.assert_allclose(covariance, covariance.T, atol=1e-12 * scale)
    assert np.linalg.eigvalsh(covariance).min() > -1e-12 * scale


def test_noise_does_not_depend_on_how_the_time_is_divided() -> None:
    start = (0.0, 0.0, 0.3, 10.0, 0.0, 0.0)
    process = ProcessModel(
        acceleration_time_constant_s=math.inf, yaw_rate_time_constant_s=math.inf
    )
    _, whole = propagate(start, np.zeros((6, 6)), 0.2, process)
    half_mean, half = propagate(start, np.zeros((6, 6)), 0.1, process)
    _, twice = propagate(half_mean, half, 0.1, process)
    np.testing.assert_allclose(twice[2:, 2:], whole[2:, 2:], rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize(
    'wrong',
    [
        {'acceleration_time_constant_s': 0.0},
        {'yaw_rate_time_constant_s': math.nan},
        {'jerk_density': -1.0},
        {'lateral_jerk_density': math.inf},
    ],
)
def test_a_process_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match='process model'):
        ProcessModel(**wrong)
