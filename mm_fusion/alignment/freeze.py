# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Notices sensors that say the same again and again under fresh stamps."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mm_fusion.types.sensors import (
    AudioChunk,
    CompressedImage,
    GnssFix,
    LocalPosition,
    RawImage,
    VelocitySample,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mm_fusion.settings import AlignmentSettings
    from mm_fusion.types.sensors import ImageSample, Sample

MIN_REPEATS = 2
"""So often at least the same must have come again."""

MOVED_M = 1.0
"""A camera that has moved so far sees something else."""

HELD_NS = 2_500_000_000
"""For less than that a receiver may repeat itself: some send faster than they measure."""

_SECOND_NS = 1_000_000_000
_LONGEST_STEP_NS = _SECOND_NS
_MOST_BYTES = 65_536
_BLOCKS, _BLOCK_BYTES = 8, 4096
_SOUND_SAMPLES = 1024


@dataclass(slots=True)
class _Run:
    """Samples of one sensor that say the same.

    Attributes:
        content: What they say.
        stamp_ns: Of the newest.
        since_ns: Arrival of the first.
        from_m: Distance that had been travelled by then.
        repeats: How often it came again.
    """

    content: Hashable
    stamp_ns: int
    since_ns: int
    from_m: float
    repeats: int = 0


class FreezeWatch:
    """Tells which samples come from a sensor that hangs.

    Equal means equal to the last bit, in a part of bounded size: real sensors have noise, standing
    or not. A camera hangs when the vehicle has moved by ``MOVED_M`` meanwhile, or after a much
    longer time where it stands or no velocity tells; a microphone when its sound is one constant,
    or one buffer again and again; a positioning receiver when the vehicle has moved, for longer
    than ``HELD_NS``. A velocity may stay what it is.

    Args:
        settings: After which time or distance; 0 turns a check off.
    """

    def __init__(self, settings: AlignmentSettings) -> None:
        self._camera_ns = round(settings.camera_frozen_s * _SECOND_NS)
        self._standing_ns = round(settings.camera_frozen_standing_s * _SECOND_NS)
        self._microphone_ns = round(settings.microphone_frozen_s * _SECOND_NS)
        self._gnss_m = settings.gnss_frozen_m
        self._runs: dict[Literal['image', 'sound', 'position'], _Run] = {}
        self._travelled_m = 0.0
        self._velocity: VelocitySample | None = None

    def frozen(self, sample: Sample) -> bool:
        """Tell whether a sensor hangs, by a sample of the present."""
        if isinstance(sample, VelocitySample):
            self._move(sample)
            return False
        if isinstance(sample, AudioChunk):
            run = self._follow('sound', sample, _sound(sample))
            return _long(run, sample, self._microphone_ns)
        if isinstance(sample, GnssFix | LocalPosition):
            run = self._follow('position', sample, _place(sample))
            moved_m = self._travelled_m - run.from_m
            return 0.0 < self._gnss_m <= moved_m and _long(run, sample, HELD_NS)
        run = self._follow('image', sample, fingerprint(sample))
        moved = self._travelled_m - run.from_m >= MOVED_M
        return (moved and _long(run, sample, self._camera_ns)) or _long(
            run, sample, self._standing_ns
        )

    def forget(self) -> None:
        """Begin anew: time has jumped."""
        self._runs.clear()
        self._velocity = None

    def _move(self, velocity: VelocitySample) -> None:
        before = self._velocity
        if before is not None:
            elapsed_ns = velocity.stamp_ns - before.stamp_ns
            if elapsed_ns <= 0:
                return
            if elapsed_ns <= _LONGEST_STEP_NS:
                self._travelled_m += abs(before.speed_mps) * elapsed_ns / _SECOND_NS
        self._velocity = velocity

    def _follow(
        self, kind: Literal['image', 'sound', 'position'], sample: Sample, content: Hashable
    ) -> _Run:
        """Go on with the run of a sensor, or begin another one."""
        run = self._runs.get(kind)
        if run is None or run.content != content:
            run = _Run(content, sample.stamp_ns, sample.received_ns, self._travelled_m)
            self._runs[kind] = run
        elif sample.stamp_ns > run.stamp_ns:
            run.stamp_ns = sample.stamp_ns
            run.repeats += 1
        return run


def fingerprint(frame: ImageSample) -> tuple[object, bytes]:
    """Copy enough of a frame to tell it from others: rows or blocks of it, some 64 KiB at most.

    Whole rows, since to gather single pixels takes ten times as long; and copies rather than
    checksums, since to compare them ends at the first octet that differs.
    """
    if isinstance(frame, RawImage):
        pixels = frame.pixels
        count = max(1, _MOST_BYTES // max(1, pixels[:1].nbytes))
        # Row by row: tobytes by itself takes them octet by octet, a hundred times as long.
        kept = np.ascontiguousarray(pixels[:: -(-len(pixels) // count)])
        return pixels.shape, kept.tobytes()
    return _payload(frame)


def _payload(frame: CompressedImage) -> tuple[int, bytes]:
    payload = frame.payload
    if payload.size <= _BLOCKS * _BLOCK_BYTES:
        return payload.size, payload.tobytes()
    starts = np.linspace(0, payload.size - _BLOCK_BYTES, _BLOCKS, dtype=int).tolist()
    return payload.size, b''.join(payload[i : i + _BLOCK_BYTES].tobytes() for i in starts)


def _sound(chunk: AudioChunk) -> Hashable:
    samples = chunk.samples[:: max(1, chunk.samples.size // _SOUND_SAMPLES)]
    if samples[0] == samples[-1] and (samples == samples[0]).all():
        return 'constant', float(samples[0])
    return chunk.samples.size, zlib.crc32(np.ascontiguousarray(samples).data)


def _place(sample: GnssFix | LocalPosition) -> Hashable:
    if isinstance(sample, GnssFix):
        return sample.latitude_deg, sample.longitude_deg
    return sample.east_m, sample.north_m


def _long(run: _Run, sample: Sample, longest_ns: int) -> bool:
    lasted_ns = sample.received_ns - run.since_ns
    return run.repeats >= MIN_REPEATS and 0 < longest_ns <= lasted_ns
