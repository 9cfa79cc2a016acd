# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from mm_fusion.features.motion import MOTION_STEP_S, network_motion
from mm_fusion.types.predictions import EgoMotion
from mm_fusion.types.sensors import VelocitySample

SECOND = 1_000_000_000


def ramp(until_s: float, yaw_rate: float | None = 0.1) -> list[VelocitySample]:
    """Speed 10 + 2 t from t = 0, every 20 ms."""
    return [
        VelocitySample(
            round(t * SECOND), round(t * SECOND), speed_mps=10 + 2 * t, yaw_rate_rps=yaw_rate
        )
        for t in np.arange(0, until_s, 0.02).tolist()
    ]


def test_a_ramp_is_resampled_exactly() -> None:
    motion = network_motion(ramp(5.0), EgoMotion(20.0, 2.0, 0.1), 5 * SECOND, 20)
    assert motion.shape == (20, 3)
    assert motion.dtype == np.float32
    times = 5.0 + (np.arange(20) - 19) * MOTION_STEP_S
    np.testing.assert_allclose(motion[:, 0], 10 + 2 * times, rtol=1e-5)
    np.testing.assert_allclose(motion[:, 1], 0.1, rtol=1e-5)
    np.testing.assert_allclose(motion[:, 2], 2.0, rtol=1e-3)


def test_the_oldest_value_is_held_before_the_history() -> None:
    motion = network_motion(ramp(0.1), EgoMotion(10.2, 2.0, 0.1), SECOND // 10, 20)
    np.testing.assert_allclose(motion[:18, 0], 10.0)


def test_a_missing_yaw_rate_is_taken_from_the_filter() -> None:
    motion = network_motion(ramp(3.0, yaw_rate=None), EgoMotion(16, 2, -0.3), 3 * SECOND, 10)
    np.testing.assert_allclose(motion[:, 1], -0.3, rtol=1e-6)


def test_without_a_history_the_filtered_motion_stands_alone() -> None:
    motion = network_motion([], EgoMotion(7.0, 0.5, 0.2), SECOND, 1)
    np.testing.assert_allclose(motion, [[7.0, 0.2, 0.5]], rtol=1e-6)
