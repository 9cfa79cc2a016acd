# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Nothing in the pipeline grows with the number of frames."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.pipeline import FusionPipeline
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import settings_from
from mm_fusion.types.sensors import AudioChunk, GnssFix, RawImage, Sample, VelocitySample
from support.bundles import write_tiny_bundle
from support.pictures import noise, picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MS = 1_000_000
START_NS = 1_700_000_000_000 * MS
FRAME_NS = 50 * MS
ALLOWED_BYTES = 12_000
"""A record of 100 bytes that is kept of each frame would make 28,000 in ``SPAN_S``."""
SETTLED_S = 8
SPAN_S = 14
"""The histories drop what is old in batches, so that their memory rises and falls within it."""


def second(index: int) -> Iterator[Sample]:
    """Give a second of a drive, every sensor, in order of arrival."""
    for tick in range(20):
        stamp_ns = START_NS + index * 1000 * MS + tick * FRAME_NS
        yield VelocitySample(stamp_ns, stamp_ns, speed_mps=10.0, yaw_rate_rps=0.01)
        yield AudioChunk(
            stamp_ns - FRAME_NS, stamp_ns, 'microphone', 16_000, noise(800, 0.1, stamp_ns)
        )
        yield GnssFix(stamp_ns, stamp_ns, 'gnss', stamp_ns % 1000 * 1e-9, 0.0, 0.0, np.eye(2))
        pixels = picture(24, 32, (200, 200, 200), stamp_ns)
        yield RawImage(stamp_ns, stamp_ns, 'camera', 'rgb8', pixels)


def test_memory_stays_the_same_over_many_frames(tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path / 'tiny', trajectory=True))
    # Short histories, so that they are full when the measurement begins.
    settings = settings_from({'alignment.history_s': 1.0, 'inference.threads': 1})
    pipeline = FusionPipeline(bundle, create_backend(bundle, settings.inference), settings)

    def highest(first: int, last: int) -> int:
        """Drive on, and give the most memory in use at the end of a second."""
        found = 0
        for index in range(first, last):
            outputs = 0
            for sample in second(index):
                pipeline.push(sample)
                outputs += pipeline.step(sample.received_ns, live=True) is not None
            assert outputs == 20
            gc.collect()
            found = max(found, tracemalloc.get_traced_memory()[0])
        return found

    tracemalloc.start()
    try:
        highest(0, SETTLED_S)
        before = highest(SETTLED_S, SETTLED_S + SPAN_S)
        after = highest(SETTLED_S + SPAN_S, SETTLED_S + 2 * SPAN_S)
    finally:
        tracemalloc.stop()
    assert after - before < ALLOWED_BYTES
