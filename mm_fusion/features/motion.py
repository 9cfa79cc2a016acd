# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From the filtered motion at past snapshots to the history that the network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.types.features import MOTION_STEP_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.types.predictions import EgoMotion


def network_motion(motions: Sequence[tuple[int, EgoMotion]], steps: int) -> NDArray[np.float32]:
    """Interpolate past motions on a regular grid that ends at the newest of them.

    Where they reach back less far than the grid, the oldest is held. No position is used, and
    nothing after the stamp: neither may leak into a learned prediction.

    Args:
        motions: At least one stamp (ns) and filtered motion at it, in order of stamp.
        steps: Rows wanted, ``MOTION_STEP_S`` apart.

    Returns:
        float32 (steps, 3), columns ``MOTION_COLUMNS``.
    """
    now_ns = motions[-1][0]
    times_s = [(stamp_ns - now_ns) / 1e9 for stamp_ns, _ in motions]
    columns = np.array(
        [(now.speed_mps, now.yaw_rate_rps, now.acceleration_mps2) for _, now in motions]
    ).T
    grid = (np.arange(steps) - (steps - 1)) * MOTION_STEP_S
    history = np.empty((steps, len(columns)), np.float32)
    for index, column in enumerate(columns):
        history[:, index] = np.interp(grid, times_s, column)
    return history
