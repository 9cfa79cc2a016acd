# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Nothing in the pipeline grows with the number of frames."""

from __future__ import annotations

import gc
import itertools
import sys
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
BLOCK = 256
"""Frames after which memory is at the same place again.

The histories let go of what is old in blocks of so many samples, and rise and fall
between: a measurement at another place of a block says nothing about what is kept for good.
"""
SETTLED_BLOCKS = 4
SPAN_BLOCKS = 4
ALLOWED_OBJECTS = SPAN_BLOCKS * BLOCK // 2
"""One that is kept of each frame would make twice as many; 130 were the most that came of chance.

NumPy keeps small blocks for arrays to come, the more of them the longer it runs.
"""


def drive() -> Iterator[list[Sample]]:
    """Give the samples of one frame after the other, every sensor, in order of arrival."""
    for index in itertools.count():
        stamp_ns = START_NS + index * FRAME_NS
        sound = noise(800, 0.1, stamp_ns)
        pixels = picture(24, 32, (200, 200, 200), stamp_ns)
        yield [
            VelocitySample(stamp_ns, stamp_ns, speed_mps=10.0, yaw_rate_rps=0.01),
            AudioChunk(stamp_ns - FRAME_NS, stamp_ns, 'microphone', 16_000, sound),
            GnssFix(stamp_ns, stamp_ns, 'gnss', stamp_ns % 1000 * 1e-9, 0.0, 0.0, np.eye(2)),
            RawImage(stamp_ns, stamp_ns, 'camera', 'rgb8', pixels),
        ]


def test_memory_stays_the_same_over_many_frames(tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path / 'tiny', trajectory=True))
    # Short histories, so that they are full when the measurement begins.
    settings = settings_from({'alignment.history_s': 1.0, 'inference.threads': 1})
    pipeline = FusionPipeline(bundle, create_backend(bundle, settings.inference), settings)

    frames = drive()

    def after(blocks: int) -> int:
        """Drive on, and count the objects that there are, of up to 512 bytes.

        Not the bytes by tracemalloc: some of what NumPy and ONNX Runtime take and give back stays
        in its books until the address is used again.
        """
        outputs = 0
        for samples in itertools.islice(frames, blocks * BLOCK):
            for sample in samples:
                pipeline.push(sample)
                outputs += pipeline.step(sample.received_ns, live=True) is not None
        assert outputs == blocks * BLOCK
        gc.collect()
        return sys.getallocatedblocks()

    before = after(SETTLED_BLOCKS)
    kept = after(SPAN_BLOCKS) - before
    assert kept < ALLOWED_OBJECTS
