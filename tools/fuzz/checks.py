# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What holds of every sample and snapshot, whatever bytes they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.messages import CameraIntrinsics
from mm_fusion.types.sensors import (
    AudioChunk,
    CompressedImage,
    GnssFix,
    LocalPosition,
    RawImage,
    VelocitySample,
)

if TYPE_CHECKING:
    from mm_fusion.types.snapshot import Snapshot


def check_sample(sample: Any) -> None:
    """Check what the later stages rely on.

    Args:
        sample: What an adapter made of a message.

    Raises:
        AssertionError: Something does not hold.
    """
    assert type(sample.stamp_ns) is int
    assert 0 < sample.stamp_ns < 2**63
    if isinstance(sample, RawImage):
        assert sample.pixels.dtype == np.uint8
        assert sample.pixels.ndim == 3
    elif isinstance(sample, CompressedImage):
        assert sample.payload.dtype == np.uint8
    elif isinstance(sample, AudioChunk):
        assert sample.samples.dtype == np.float32
        assert np.abs(sample.samples).max() <= 1.0
        assert 1 <= sample.sample_rate_hz <= 384_000
    elif isinstance(sample, GnssFix):
        assert abs(sample.latitude_deg) <= 90
        assert abs(sample.longitude_deg) <= 180
        _check_covariance(sample.covariance)
    elif isinstance(sample, LocalPosition):
        assert np.isfinite([sample.east_m, sample.north_m]).all()
        _check_covariance(sample.covariance)
    elif isinstance(sample, VelocitySample):
        numbers = [sample.speed_mps, sample.lateral_mps, sample.yaw_rate_rps or 0.0]
        assert np.isfinite(numbers).all()
    elif isinstance(sample, CameraIntrinsics):
        assert 10 <= sample.horizontal_fov_deg <= 170


def _check_covariance(covariance: Any) -> None:
    if covariance is not None:
        assert (np.linalg.eigvalsh(covariance) >= 0).all()
        assert np.isfinite(covariance).all()


def check_snapshot(snapshot: Snapshot) -> None:
    """Check what the features and the ego-state filter rely on.

    Raises:
        AssertionError: Something does not hold.
    """
    assert 0 < snapshot.stamp_ns < 2**63
    stamps = [sample.stamp_ns for sample in snapshot.velocities]
    assert stamps == sorted(stamps)
    assert all(stamp <= snapshot.stamp_ns for stamp in stamps)
    assert all(position.stamp_ns <= snapshot.stamp_ns for position in snapshot.positions)
    if snapshot.audio is not None:
        assert 0 < snapshot.audio.covered <= 1
        assert np.abs(snapshot.audio.samples).max() <= 1.0
    for report in snapshot.modalities.values():
        assert report.dropped <= report.received
        assert report.rate_hz >= 0
        assert report.age_ns is None or report.age_ns >= 0
