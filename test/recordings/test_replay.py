# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.bags import BagWriter, read_bag
from mm_fusion.features import FeaturizerShape
from mm_fusion.pipeline import FeaturePipeline, FusionPipeline, featurizer_shape
from mm_fusion.recordings import replay
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import Settings
from mm_fusion.types.sensors import DropReason, Modality
from support import recordings
from support.bundles import write_tiny_bundle
from support.drives import START_NS, write_circle

if TYPE_CHECKING:
    from pathlib import Path


def test_both_pipelines_see_the_same(tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path / 'tiny', trajectory=True))
    path = write_circle(tmp_path / 'circle')
    backend = create_backend(bundle, Settings().inference)
    with read_bag(path) as bag:
        said = list(replay(bag.events(), FusionPipeline(bundle, backend, Settings())))
    with read_bag(path) as bag:
        features = FeaturePipeline(featurizer_shape(bundle.manifest), Settings())
        seen = list(replay(bag.events(), features))
    assert [output.stamp_ns for output in said] == [observed.stamp_ns for observed in seen]
    assert len(seen) == 60
    for output, observed in zip(said, seen, strict=True):
        assert observed.state is not None
        assert output.trajectory is not None
        assert output.trajectory.motion == observed.state.motion
        assert output.modalities == observed.modalities
        assert list(observed.watch.durations_s) == ['track', 'preprocess']


def test_the_truth_is_not_fed_and_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        for tick in range(20):
            stamp_ns = START_NS + tick * 100_000_000
            speed = float('nan') if tick == 7 else 5.0
            bag.write('/velocity', recordings.twist_stamped(speed, stamp_ns=stamp_ns), stamp_ns)
            truth = recordings.odometry(0.5 * tick, 0.0, 0.0, 99.0, stamp_ns=stamp_ns)
            bag.write('/ground_truth/odometry', truth, stamp_ns)
    shape = FeaturizerShape(image=None, audio_samples=None, audio_rate_hz=16_000, motion_steps=40)
    with read_bag(tmp_path / 'bag') as reader:
        seen = list(replay(reader.events(), FeaturePipeline(shape, Settings())))
    last = seen[-1]
    assert last.modalities[Modality.VELOCITY].drops == {DropReason.NOT_FINITE: 1}
    assert last.modalities[Modality.VELOCITY].received == 20
    assert last.batch.motion is not None
    assert last.batch.motion[0, :, 0] == pytest.approx(5.0, abs=0.01)
