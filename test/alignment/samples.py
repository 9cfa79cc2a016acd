# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Tiny samples: a millisecond is the unit of time, and the start is not zero."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.alignment import Aligner
from mm_fusion.settings import AlignmentSettings
from mm_fusion.types.sensors import (
    AudioChunk,
    CompressedImage,
    DropReason,
    GnssFix,
    LocalPosition,
    Modality,
    VelocitySample,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from mm_fusion.types.sensors import Sample
    from mm_fusion.types.snapshot import Snapshot

MS = 1_000_000
START_NS = 1_600_000_000_000_000_000
RATE_HZ = 8_000
PER_MS = RATE_HZ // 1000


def at(milliseconds: float) -> int:
    return START_NS + round(milliseconds * MS)


def frame(ms: float, received_ms: float | None = None) -> CompressedImage:
    received_ns = at(ms if received_ms is None else received_ms)
    # No two frames of a camera are the same.
    return CompressedImage(
        at(ms), received_ns, 'camera', 'jpeg', np.frombuffer(repr(ms).encode(), np.uint8)
    )


def velocity(
    ms: float, received_ms: float | None = None, speed: float = 1.0, **more: Any
) -> VelocitySample:
    return VelocitySample(at(ms), at(ms if received_ms is None else received_ms), speed, **more)


def position(ms: float, received_ms: float | None = None, east: float = 0.0) -> LocalPosition:
    received_ns = at(ms if received_ms is None else received_ms)
    return LocalPosition(at(ms), received_ns, 'map', east, 1e-6 * ms, None)


def fix(ms: float, latitude: float = 48.0, altitude: float = 500.0) -> GnssFix:
    return GnssFix(at(ms), at(ms), 'gnss', latitude, 11.0, altitude, np.eye(2))


def signal(start: int, count: int) -> NDArray[np.float32]:
    """Number the samples since the start, so that each is known by its value."""
    return (np.arange(start, start + count) + 1).astype(np.float32)


def sound(ms: float, length_ms: int = 100, received_ms: float | None = None) -> AudioChunk:
    """Cut the reference signal; received when its last sample is."""
    received_ns = at(ms + length_ms if received_ms is None else received_ms)
    samples = signal(round(ms * PER_MS), length_ms * PER_MS)
    return AudioChunk(at(ms), received_ns, 'microphone', RATE_HZ, samples)


def aligner(**changes: Any) -> Aligner:
    settings = dataclasses.replace(AlignmentSettings(), **changes)
    return Aligner(settings, audio_window_s=0.5)


def feed(target: Aligner, samples: Iterable[Sample]) -> list[Snapshot]:
    """Push the samples in order of arrival; poll after each, and at each deadline between."""
    snapshots = []
    for sample in sorted(samples, key=lambda sample: sample.received_ns):
        snapshots += wait(target, sample.received_ns)
        target.push(sample)
        snapshots += target.poll(sample.received_ns)
    return snapshots


def wait(target: Aligner, until_ns: int) -> list[Snapshot]:
    """Poll at each deadline, as a node does while nothing arrives."""
    snapshots = []
    while (due_ns := target.next_deadline_ns) is not None and due_ns < until_ns:
        snapshots += target.poll(due_ns)
    return snapshots


def drops(target: Aligner, modality: Modality) -> dict[DropReason, int]:
    return dict(target.reports()[modality].drops)


def drive(seconds: float, *, camera: bool = True, latency_ms: float = 30.0) -> list[Sample]:
    """Four sensors at 10, 10, 5 and 50 Hz."""
    end = round(1000 * seconds)
    samples: list[Sample] = [velocity(ms, ms + 1) for ms in range(0, end, 20)]
    samples += [sound(ms) for ms in range(0, end, 100)]
    samples += [position(ms, ms + 20) for ms in range(0, end, 200)]
    if camera:
        samples += [frame(ms + 33, ms + 33 + latency_ms) for ms in range(0, end - 100, 100)]
    return sorted(samples, key=lambda sample: sample.received_ns)


def delayed(
    samples: Iterable[Sample], *, stamps_ms: float = 0.0, received_ms: float = 0.0
) -> list[Sample]:
    """Shift the stamps, the arrivals, or both."""
    return [
        dataclasses.replace(
            sample,
            stamp_ns=sample.stamp_ns + round(stamps_ms * MS),
            received_ns=sample.received_ns + round(received_ms * MS),
        )
        for sample in samples
    ]
