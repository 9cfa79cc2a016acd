# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alignment.samples import MS, delayed, drops, feed, wait

from mm_fusion.alignment import Aligner
from mm_fusion.bags import read_bag
from mm_fusion.errors import SampleError
from mm_fusion.messages import OdometryPose
from mm_fusion.messages.truths import RoadTruth, SirenTruth
from mm_fusion.settings import AlignmentSettings
from mm_fusion.types.sensors import DropReason, Modality

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.types.sensors import Sample

pytestmark = pytest.mark.realdata


def samples_of(path: Path) -> list[Sample]:
    with read_bag(path) as bag:
        contents = [event.content for event in bag.events()]
    return [
        one
        for one in contents
        if not isinstance(one, SampleError | OdometryPose | RoadTruth | SirenTruth)
    ]


@pytest.mark.parametrize('pause_ms', [100, -100_000])
def test_a_walk_in_a_loop_gives_every_frame_every_time(real_data: Path, pause_ms: int) -> None:
    """With a pause, on wall time; with a negative one, on the time of the recording."""
    samples = samples_of(real_data / 'drives' / 'gopro_walk')
    length_ms = (samples[-1].received_ns - samples[0].received_ns) / MS + pause_ms
    target = Aligner(AlignmentSettings(), audio_window_s=1.0)
    everything = []
    for loop in range(3):
        shift_ms = loop * max(0.0, length_ms)
        again = delayed(samples, received_ms=shift_ms)
        everything += feed(target, again)
        everything += wait(target, again[-1].received_ns + 99 * MS)
    by_epoch = [[s for s in everything if s.epoch == epoch] for epoch in range(3)]
    assert [len(snapshots) for snapshots in by_epoch] == [105, 105, 105]
    assert len(everything) == 315
    assert all(s.image is not None and s.velocity is not None for s in everything[2:105])
    assert all(s.audio is not None for s in everything[10:105])
    assert drops(target, Modality.CAMERA) == {}
    for modality in (Modality.MICROPHONE, Modality.GNSS, Modality.VELOCITY):
        assert drops(target, modality).keys() == {DropReason.CLOCK_JUMP}


def test_a_drive_without_a_camera_stands_on_the_grid(real_data: Path) -> None:
    samples = samples_of(real_data / 'drives' / 'google_mtv_local1')
    target = Aligner(AlignmentSettings(), audio_window_s=1.0)
    snapshots = feed(target, samples)
    stamps = [snapshot.stamp_ns for snapshot in snapshots]
    assert len(snapshots) > 16_000
    assert all(stamp_ns % (100 * MS) == 0 for stamp_ns in stamps)
    assert stamps == sorted(set(stamps))
    assert all(snapshot.completed for snapshot in snapshots)
