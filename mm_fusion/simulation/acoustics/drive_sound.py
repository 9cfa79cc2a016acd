# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound of a whole drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.simulation.acoustics.scene import WorldScenes
from mm_fusion.simulation.acoustics.synthesizer import SoundSynthesizer
from mm_fusion.simulation.samples import SoundBlock
from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mm_fusion.simulation.world import World

_NS = 1_000_000_000


def sound_blocks(world: World) -> Iterator[SoundBlock]:
    """Make the sound of a drive, with true stamps.

    A block is received at its end; the last one ends with the drive or before.
    """
    settings = world.scenario.microphone
    rate = settings.sample_rate_hz
    count = max(round(settings.chunk_s * rate), 1)
    synthesizer = SoundSynthesizer(settings, world.scenario.seed)
    scenes = WorldScenes(world)
    stamp_ns, begin, done = START_NS, scenes.at(START_NS), 0
    while True:
        done += count
        end_ns = START_NS + done * _NS // rate
        if end_ns > world.end_ns:
            return
        end = scenes.at(end_ns)
        yield SoundBlock(stamp_ns, end_ns, rate, synthesizer.block(begin, end, count))
        stamp_ns, begin = end_ns, end
