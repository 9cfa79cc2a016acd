# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from benchmarks import geometry, pipeline
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import Settings
from mm_fusion.types.sensors import AudioChunk, GnssFix, RawImage, VelocitySample
from support.bundles import write_tiny_bundle


def test_pushes_count_into_the_overhead() -> None:
    result = pipeline.Result(
        10, push_ms=0.5, step_ms=10.5, floor_ms=10.0, stages_ms={'track': 0.2}
    )
    assert result.overhead == pytest.approx(0.1)
    found = pipeline.outcome({'bgr8': result}, 'a network', 15.0)
    assert found.targets[0].found == pytest.approx(10.0)
    assert found.targets[0].kept
    assert '| bgr8 | 0.50 | 10.5 | 0.20 | 10.0 | 10% |' in found.lines


def test_each_sensor_comes_at_its_own_rate() -> None:
    images = pipeline.images()['bgr8']
    periods = [list(pipeline.samples(index, images, 15.0)) for index in range(3)]
    counts = Counter(type(sample) for period in periods for sample in period)
    assert counts == {RawImage: 3, VelocitySample: 20, AudioChunk: 10, GnssFix: 2}
    assert all(isinstance(period[0], RawImage) for period in periods)
    velocities = [s for period in periods for s in period if isinstance(s, VelocitySample)]
    assert {b.stamp_ns - a.stamp_ns for a, b in pairwise(velocities)} == {10_000_000}


def test_pipeline_and_floor_run_the_same_stages(tmp_path_factory: pytest.TempPathFactory) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny'))
    backend = create_backend(bundle, Settings().inference)
    result = pipeline.measure(bundle, backend, pipeline.images()['JPEG'], 3)
    assert set(bundle.manifest.stages) < set(result.stages_ms)
    assert result.floor_ms > 0.0
    assert result.push_ms > 0.0


def test_the_mean_cost_of_a_sample_is_weighted_by_the_rates() -> None:
    found = geometry.outcome({'velocity': 10.0, 'gnss': 100.0, 'state': 1.0, 'path': 2000.0})
    assert found.targets[0].found == pytest.approx(20.0)
    assert not found.targets[1].kept


def test_the_filter_is_measured() -> None:
    assert all(cost > 0.0 for cost in geometry.run(1.0).values())
