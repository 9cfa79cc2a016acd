# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Random variations of the motion history; its last row, the present, keeps its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.types.features import MOTION_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEED, YAW_RATE, ACCELERATION = (
    MOTION_COLUMNS.index(name) for name in ('speed_mps', 'yaw_rate_rps', 'acceleration_mps2')
)
_SCALE_STD = 0.01
_BIAS_STD_RPS = 0.003
_NOISE_STD = (0.03, 0.003, 0.1)
_LONGEST_OUTAGE = 0.75


def mirrored_motion(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """Swap left and right: the yaw rate changes its sign."""
    signs = np.ones(len(MOTION_COLUMNS), np.float32)
    signs[YAW_RATE] = -1.0
    return motion * signs


def scaled_motion(motion: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Drive the same turns on a scale that is ``factor`` as large, in the same time."""
    scale = np.full(len(MOTION_COLUMNS), factor, np.float32)
    scale[YAW_RATE] = 1.0
    return motion * scale


def noisy_motion(motion: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Measure with another wheel radius, a yaw rate that is off, and noise on each row."""
    noise = random.standard_normal(motion.shape, np.float32) * np.array(_NOISE_STD, np.float32)
    noisy = motion + noise
    noisy[:, [SPEED, ACCELERATION]] *= np.float32(1.0 + random.normal(0.0, _SCALE_STD))
    noisy[:, YAW_RATE] += np.float32(random.normal(0.0, _BIAS_STD_RPS))
    return noisy


def held_motion(motion: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Lose the source of the motion for a while: what it said last is held.

    The present is spared: predictions are relative to it.
    """
    held = motion.copy()
    past = len(motion) - 1
    length = int(random.integers(1, max(2, int(past * _LONGEST_OUTAGE))))
    start = int(random.integers(0, max(1, past - length)))
    stop = min(past, start + 1 + length)
    held[start + 1 : stop] = held[start]
    return held
