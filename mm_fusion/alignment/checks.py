# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a single sample must satisfy, whatever came before it."""

from __future__ import annotations

import math

import numpy as np

from mm_fusion.types.finite import all_finite
from mm_fusion.types.sensors import (
    AudioChunk,
    DropReason,
    GnssFix,
    LocalPosition,
    Sample,
    VelocitySample,
)

MAX_SAMPLE_RATE_HZ = 384_000
"""Highest sample rate that sound cards offer; the settings have the same bound."""


def refusal(sample: Sample, stamp_ns: int, latest_ns: int) -> DropReason | None:
    """Say why a sample cannot be used, or return None.

    Args:
        sample: As pushed.
        stamp_ns: Its stamp with the sensor's offset added.
        latest_ns: Latest stamp that is believed. For sound, the stamp is the time of the first
            sample of the chunk.
    """
    if sample.stamp_ns <= 0:
        return DropReason.ZERO_STAMP
    if stamp_ns > latest_ns:
        return DropReason.FUTURE
    if isinstance(sample, VelocitySample):
        return None if _velocity_is_finite(sample) else DropReason.NOT_FINITE
    if isinstance(sample, AudioChunk):
        return _audio_refusal(sample)
    if isinstance(sample, GnssFix):
        # The altitude may be NaN: the receiver gives none.
        values = (sample.latitude_deg, sample.longitude_deg)
    elif isinstance(sample, LocalPosition):
        values = (sample.east_m, sample.north_m)
    else:
        return None
    finite = math.isfinite(values[0]) and math.isfinite(values[1])
    if finite and sample.covariance is not None:
        finite = all_finite(sample.covariance)
    return None if finite else DropReason.NOT_FINITE


def _velocity_is_finite(sample: VelocitySample) -> bool:
    # A sum is finite only if each of its terms is; overflow takes speeds beyond 1e307 m/s.
    return math.isfinite(
        sample.speed_mps
        + sample.lateral_mps
        + (sample.yaw_rate_rps or 0.0)
        + (sample.speed_variance or 0.0)
        + (sample.yaw_rate_variance or 0.0)
    )


def _audio_refusal(chunk: AudioChunk) -> DropReason | None:
    samples = chunk.samples
    if samples.ndim != 1 or samples.dtype != np.float32 or not samples.size:
        return DropReason.MALFORMED
    if not 0 < chunk.sample_rate_hz <= MAX_SAMPLE_RATE_HZ:
        return DropReason.MALFORMED
    return None if all_finite(samples) else DropReason.NOT_FINITE
