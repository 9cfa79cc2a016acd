# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.decoding import TrajectoryDecoder
from mm_fusion.geometry.ego_filter import EgoState, predict_path
from mm_fusion.settings import DecodingSettings
from mm_fusion.types.bundle import Calibration


def state(speed_mps: float = 10.0, yaw_rate_rps: float = 0.1) -> EgoState:
    return EgoState(
        stamp_ns=1,
        mean=np.array([5.0, -3.0, 0.7, speed_mps, yaw_rate_rps, 0.5]),
        covariance=np.diag([1.0, 1.0, 0.01, 0.04, 1e-4, 0.1]),
        position_known=True,
        heading_known=True,
        frame=None,
    )


def decoder(settings: DecodingSettings) -> TrajectoryDecoder:
    calibration = Calibration(
        temperatures={},
        siren_threshold=0.5,
        horizon_s=(1.0, 3.0),
        covariance_scales=(2.0, 4.0),
    )
    return TrajectoryDecoder(calibration, settings)


def test_the_covariance_is_scaled_by_time_and_the_path_is_not() -> None:
    (mode,) = decoder(DecodingSettings(horizon_s=4.0, step_s=0.5)).decode(state()).modes
    times = 0.5 * np.arange(1, 9, dtype=np.float64)
    positions, headings, covariances = predict_path(state(), times)
    np.testing.assert_array_equal(mode.times_s, times)
    np.testing.assert_array_equal(mode.positions, positions)
    np.testing.assert_array_equal(mode.headings, headings)
    expected = [2.0, 2.0, 2.5, 3.0, 3.5, 4.0, 4.0, 4.0]
    np.testing.assert_allclose(mode.covariances[:, 0, 0] / covariances[:, 0, 0], expected)
    assert mode.probability == 1.0


def test_the_motion_it_starts_from_is_told() -> None:
    prediction = decoder(DecodingSettings()).decode(state(speed_mps=7.0))
    assert prediction.source == 'ego_filter'
    assert prediction.motion.speed_mps == 7.0
    assert prediction.motion.yaw_rate_rps == pytest.approx(0.1)
    assert len(prediction.modes[0].times_s) == 12


def test_a_horizon_shorter_than_a_step_still_gives_one_point() -> None:
    prediction = decoder(DecodingSettings(horizon_s=0.1, step_s=0.5)).decode(state())
    assert prediction.modes[0].positions.shape == (1, 2)
