# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mm_fusion.geometry.ego_filter import EgoState, predict_path
from mm_fusion.geometry.motion import roll_out
from mm_fusion.geometry.prediction import predict_poses
from mm_fusion.geometry.process import ProcessModel
from mm_fusion.types.predictions import EgoMotion
from support.driven import drive

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIMES: NDArray[np.float64] = np.linspace(0.5, 6.0, 12, dtype=np.float64)
ENDLESS = ProcessModel(acceleration_time_constant_s=math.inf, yaw_rate_time_constant_s=math.inf)
SILENT = ProcessModel(math.inf, math.inf, 0.0, 0.0, 0.0, 0.0)
MOTIONS = st.builds(EgoMotion, st.floats(-10.0, 30.0), st.floats(-8.0, 4.0), st.floats(-0.8, 0.8))


def state(
    speed: float, yaw_rate: float = 0.0, acceleration: float = 0.0, variance: float = 1e-4
) -> EgoState:
    mean = np.array([500.0, -300.0, 2.0, speed, yaw_rate, acceleration])
    return EgoState(0, mean, variance * np.eye(6), False, False, None)  # noqa: FBT003


@settings(deadline=None)
@given(motion=MOTIONS)
@example(motion=EgoMotion(-5e-324, 2.0, 0.0))
def test_without_decay_it_is_the_ctra_roll_out(motion: EgoMotion) -> None:
    start = state(motion.speed_mps, motion.yaw_rate_rps, motion.acceleration_mps2)
    positions, headings, _ = predict_path(start, TIMES, ENDLESS)
    expected = roll_out('ctra', motion, TIMES)
    np.testing.assert_allclose(positions, expected.positions, atol=0.02)
    np.testing.assert_allclose(headings, expected.headings, atol=1e-9)


@pytest.mark.parametrize('motion', [EgoMotion(12.0, 1.0, 0.3), EgoMotion(20.0, -1.0, -0.2)])
def test_without_noise_the_covariance_is_that_of_ctra(motion: EgoMotion) -> None:
    start = state(motion.speed_mps, motion.yaw_rate_rps, motion.acceleration_mps2, 1e-8)
    _, _, covariances = predict_path(start, TIMES, SILENT)
    expected = roll_out('ctra', motion, TIMES, 1e-8 * np.eye(3)).covariances
    scale = np.abs(expected).max(axis=(1, 2))[:, None, None]
    np.testing.assert_allclose(covariances / scale, expected / scale, atol=0.02)


@settings(deadline=None)
@given(motion=MOTIONS)
def test_covariances_are_symmetric_positive_and_grow(motion: EgoMotion) -> None:
    start = state(motion.speed_mps, motion.yaw_rate_rps, motion.acceleration_mps2, 0.01)
    _, _, covariances = predict_path(start, TIMES)
    np.testing.assert_allclose(covariances, covariances.transpose(0, 2, 1), atol=1e-9)
    assert np.linalg.eigvalsh(covariances).min() > 0.0
    assert (np.diff(np.trace(covariances, axis1=1, axis2=2)) > 0.0).all()


def test_a_braking_vehicle_stops_and_stays() -> None:
    positions, headings, covariances = predict_path(state(5.0, 0.1, -3.0), TIMES)
    np.testing.assert_array_equal(positions[5:], np.repeat(positions[5:6], 7, axis=0))
    np.testing.assert_array_equal(headings[5:], np.repeat(headings[5], 7))
    assert positions[5, 0] == pytest.approx(4.5, abs=0.5)
    # It may drive on, and turn, all the same.
    assert covariances[-1, 1, 1] > 1.0


def test_where_the_vehicle_is_does_not_matter() -> None:
    start = state(10.0, 0.2, 1.0)
    moved = EgoState(5, start.mean.copy(), start.covariance.copy(), True, True, None)  # noqa: FBT003
    moved.mean[:3] += 1.0
    moved.covariance[:3, :3] *= 1e6
    for found, expected in zip(
        predict_path(moved, TIMES), predict_path(start, TIMES), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_predictions_are_consistent() -> None:
    """The mean normalised squared error of two coordinates is two at most."""
    errors = []
    for seed in range(300):
        driven = drive(seed, duration_s=6.2)
        start = EgoState(0, driven.states[0], np.zeros((6, 6)), True, True, None)  # noqa: FBT003
        future = driven.path.future_in_base_link(int(driven.path.stamps_ns[0]), [1.0, 3.0, 6.0])
        assert future is not None
        positions, _, covariances = predict_path(start, [1.0, 3.0, 6.0])
        error = positions - future[0]
        errors.append(np.einsum('ni,nij,nj->n', error, np.linalg.inv(covariances), error))
    found = np.mean(errors, axis=0)
    assert ((found > 0.8) & (found < 2.5)).all(), found


@given(MOTIONS)
@example(EgoMotion(4.0, -2.0, 0.3))
@example(EgoMotion(0.0, 0.0, 0.0))
def test_poses_are_those_of_the_path_to_the_last_bit(motion: EgoMotion) -> None:
    start = state(motion.speed_mps, motion.yaw_rate_rps, motion.acceleration_mps2)
    positions, headings, _ = predict_path(start, TIMES)
    found_positions, found_headings = predict_poses(start, TIMES)
    assert np.array_equal(found_positions, positions)
    assert np.array_equal(found_headings, headings)


@pytest.mark.parametrize('times', [[1.0, 0.5], [-1.0], [math.nan]])
def test_times_in_disorder_are_refused(times: list[float]) -> None:
    for predict in (predict_path, predict_poses):
        with pytest.raises(ValueError, match='times'):
            predict(state(1.0), times)
