# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From the velocity history to the motion that the network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.types.predictions import EgoMotion
    from mm_fusion.types.sensors import VelocitySample

MOTION_STEP_S = 0.1
"""Time between two rows of the motion history."""


def network_motion(
    velocities: Sequence[VelocitySample], now: EgoMotion, stamp_ns: int, steps: int
) -> NDArray[np.float32]:
    """Resample the velocity history onto a regular grid that ends at the stamp.

    Where the history is shorter than the grid, its oldest value is held. No position is used, and
    nothing after the stamp: neither may leak into a learned prediction.

    Args:
        velocities: Samples with stamp <= ``stamp_ns``, in order of stamp.
        now: Filtered motion at the stamp: the last row.
        stamp_ns: End of the grid.
        steps: Rows wanted, ``MOTION_STEP_S`` apart.

    Returns:
        float32 (steps, 3): speed, yaw rate and acceleration (the slope of the speed).
    """
    times = np.array([(sample.stamp_ns - stamp_ns) / 1e9 for sample in velocities] + [0.0])
    speeds = np.array([sample.speed_mps for sample in velocities] + [now.speed_mps])
    yaw_rates = np.array(
        [
            now.yaw_rate_rps if sample.yaw_rate_rps is None else sample.yaw_rate_rps
            for sample in velocities
        ]
        + [now.yaw_rate_rps]
    )
    grid = (np.arange(steps) - (steps - 1)) * MOTION_STEP_S
    speed = np.interp(grid, times, speeds)
    acceleration = np.gradient(speed, MOTION_STEP_S) if steps > 1 else np.zeros(1)
    acceleration[-1] = now.acceleration_mps2
    return np.stack([speed, np.interp(grid, times, yaw_rates), acceleration], axis=1).astype(
        np.float32
    )
