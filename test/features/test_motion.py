# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from mm_fusion.features.motion import network_motion
from mm_fusion.types.features import MOTION_STEP_S
from mm_fusion.types.predictions import EgoMotion

SECOND = 1_000_000_000


def ramp(until_s: float) -> list[tuple[int, EgoMotion]]:
    """Speed 10 + 2 t and yaw rate 0.1 t from t = 0, at the stamps of a camera of 15 Hz."""
    times = [*np.arange(0.0, until_s - 1e-6, 1 / 15).tolist(), until_s]
    return [(round(t * SECOND), EgoMotion(10 + 2 * t, 2.0, 0.1 * t)) for t in times]


def test_past_motions_are_interpolated_on_the_grid() -> None:
    motion = network_motion(ramp(5.0), 20)
    assert motion.shape == (20, 3)
    assert motion.dtype == np.float32
    times = 5.0 + (np.arange(20) - 19) * MOTION_STEP_S
    np.testing.assert_allclose(motion[:, 0], 10 + 2 * times, rtol=1e-5)
    np.testing.assert_allclose(motion[:, 1], 0.1 * times, rtol=1e-5)
    np.testing.assert_allclose(motion[:, 2], 2.0, rtol=1e-6)


def test_the_oldest_motion_is_held_before_the_history() -> None:
    motion = network_motion(ramp(0.1), 20)
    np.testing.assert_allclose(motion[:19, 0], 10.0)
    np.testing.assert_allclose(motion[:19, 1], 0.0)
    np.testing.assert_allclose(motion[19], [10.2, 0.01, 2.0], rtol=1e-6)


def test_the_motion_now_may_stand_alone() -> None:
    motion = network_motion([(SECOND, EgoMotion(7.0, 0.5, 0.2))], 2)
    np.testing.assert_allclose(motion, [[7.0, 0.2, 0.5]] * 2, rtol=1e-6)
