# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as samples: what the node would see, and what became of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.bags import BagWriter, read_bag
from mm_fusion.errors import BagError, DatasetError
from mm_fusion.pipeline import FeaturePipeline
from mm_fusion.recordings import replay
from mm_fusion.settings import Settings
from mm_fusion.training.data import cache as cache_module
from mm_fusion.training.data.bags import BagSamples
from mm_fusion.training.data.recorded import SHAPE, DecodingOptions
from mm_fusion.training.data.sidecar import sidecar_path
from support import recordings
from support.drives import SPEED_MPS, START_NS, YAW_RATE_RPS, write_circle
from support.truths import COEFFICIENT, write_told

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('bags')


@pytest.fixture(scope='module')
def told_path(folder: Path) -> Path:
    return write_told(folder / 'told')


@pytest.fixture(scope='module')
def told(told_path: Path, folder: Path) -> BagSamples:
    return BagSamples([told_path], cache=folder / 'cache')


def test_a_sample_each_half_second_with_all_modalities(told: BagSamples) -> None:
    assert 22 <= len(told) <= 25
    sample = told.sample(20, None)
    assert sample.image is not None
    assert sample.image.shape == (224, 224, 3)
    assert sample.image[-1, 112, 0] > 150  # the road is red
    assert sample.audio is not None
    assert sample.audio.shape == (48_000,)
    assert np.abs(sample.audio).max() == pytest.approx(3000 / 32768, rel=1e-3)
    assert sample.motion is not None
    assert sample.motion[-1] == pytest.approx((SPEED_MPS, YAW_RATE_RPS, 0.0), abs=0.1)
    assert told.describe(20) == 'told at 10.0 s'
    assert len(set(told.groups)) == 1


def test_samples_are_what_the_pipeline_of_the_node_sees(told: BagSamples, told_path: Path) -> None:
    with read_bag(told_path) as bag:
        pipeline = FeaturePipeline(SHAPE, Settings())
        seen = {o.stamp_ns: o.batch for o in replay(bag.events(), pipeline)}
    stamps_ns = told._drives[0].columns['stamps_ns']
    for index in (3, 11, 20):
        batch, sample = seen[int(stamps_ns[index])], told.sample(index, None)
        assert np.array_equal(sample.image, batch.image[0])  # type: ignore[arg-type, index]
        assert np.array_equal(sample.audio, batch.audio[0])  # type: ignore[arg-type, index]
        assert np.array_equal(sample.motion, batch.motion[0])  # type: ignore[arg-type, index]
        assert np.array_equal(sample.age_s, batch.age_s[0])


def test_paths_are_labelled_while_the_recording_has_their_future(told: BagSamples) -> None:
    known: NDArray[np.bool_] = np.isfinite(told.paths.future[:, 0, 0])
    assert known[4:10].all()
    assert not known[14:].any()
    radius = SPEED_MPS / YAW_RATE_RPS
    turned = YAW_RATE_RPS * 0.5 * np.arange(1, 13)
    expected = np.stack([radius * np.sin(turned), radius * (1 - np.cos(turned)), turned], axis=1)
    assert told.paths.future[8] == pytest.approx(expected, abs=0.05)
    path = told.sample(8, None).targets.trajectory
    assert path is not None
    # Its sign and frame are pinned in test_samples; here, that it undoes the roll-out's error.
    gap = np.linalg.norm(told.paths.future[8, :, :2] - told.paths.rollout[8, :, :2], axis=1)
    assert np.linalg.norm(path, axis=1) == pytest.approx(gap, abs=1e-3)
    assert told.sample(16, None).targets.trajectory is None


def test_road_states_come_from_the_topic_of_the_truth(told: BagSamples) -> None:
    assert told.targets['friction'].tolist()[:22] == [0] * 16 + [1] * 6
    siren = told.targets['siren'].tolist()
    assert siren[4:8] == [1] * 4
    assert siren[:4] == [0] * 4
    assert told.sample(3, None).targets.friction_coefficient == pytest.approx(COEFFICIENT)
    assert told.strata[5] == '0/1'


def test_a_table_beside_the_recording_wins_over_the_topic(
    told_path: Path, told: BagSamples, folder: Path
) -> None:
    table = sidecar_path(told_path)
    try:
        table.write_text('start_s,end_s,friction,siren\n2,4,ice,nosiren\n')
        labelled = BagSamples([told_path], cache=folder / 'cache')
        assert labelled.targets['friction'].tolist()[:10] == [0] * 4 + [5] * 4 + [0] * 2
        assert not labelled.targets['siren'].any()
        assert labelled.targets['material'].tolist() == told.targets['material'].tolist()
        assert labelled.fingerprint != told.fingerprint
        elsewhere = folder / 'other.csv'
        elsewhere.write_text('start_s,end_s,unevenness\n0,9,severe\n')
        named = BagSamples([told_path], {told_path: elsewhere}, cache=folder / 'cache')
        assert named.targets['unevenness'].tolist()[:22] == [2] * 18 + [0] * 4
        assert named.targets['friction'].tolist() == told.targets['friction'].tolist()
    finally:
        table.unlink()
    with pytest.raises(DatasetError, match='none of the recordings'):
        BagSamples([told_path], {folder / 'stranger': elsewhere}, cache=folder / 'cache')


def test_nothing_after_the_stamp_is_in_the_inputs(folder: Path) -> None:
    whole, cut = folder / 'whole', folder / 'cut'
    write_circle(whole)
    write_circle(cut, duration_s=6.0)
    first = BagSamples([whole], cache=folder / 'cache')
    second = BagSamples([cut], cache=folder / 'cache', labelled=False)
    for index in range(10):
        longer, shorter = first.sample(index, None), second.sample(index, None)
        for value, other in zip(longer.inputs, shorter.inputs, strict=True):
            assert (value is None) == (other is None)
            assert value is None or np.array_equal(value, other)  # type: ignore[arg-type]


def test_no_position_enters_the_motion(folder: Path) -> None:
    """Two drives with the same velocities, one of them far away and without a fix at times."""
    moved = folder / 'moved'
    with read_bag(folder / 'told_source') as bag:
        topics = bag.topics
    assert topics.fix == '/fix'
    write_circle(moved, inputs=('velocity', 'odometry', 'image', 'audio'))
    first = BagSamples([folder / 'told_source'], cache=folder / 'cache')
    second = BagSamples([moved], cache=folder / 'cache')
    for index in range(4, 12):
        motion, other = first.sample(index, None).motion, second.sample(index, None).motion
        assert motion == pytest.approx(other, abs=0.12)


def test_drives_without_camera_and_sound_are_sampled_ten_times_a_second(folder: Path) -> None:
    bare = write_circle(folder / 'bare', inputs=('fix', 'velocity'))
    source = BagSamples([bare], cache=folder / 'cache')
    assert 110 <= len(source) <= 121
    sample = source.sample(50, None)
    assert sample.image is None
    assert sample.audio is None
    assert sample.motion is not None
    assert sample.targets.trajectory is not None  # the smoothed future, without odometry
    slower = BagSamples(
        [bare], cache=folder / 'cache', options=DecodingOptions(motion_period_s=1.0)
    )
    assert 11 <= len(slower) <= 13


def test_several_recordings_are_one_source(
    told_path: Path, told: BagSamples, folder: Path
) -> None:
    names: list[str] = []
    done: list[float] = []

    def progress(share: float, name: str) -> None:
        done.append(share)
        names.append(name)

    both = BagSamples(
        [folder / 'told_source', told_path], cache=folder / 'cache', progress=progress
    )
    assert len(both) == len(both.targets['friction']) == len(both.groups)
    assert len(set(both.groups)) == 2
    last = both.sample(len(both) - 1, None)
    assert np.array_equal(last.motion, told.sample(len(told) - 1, None).motion)  # type: ignore[arg-type]
    assert both.describe(0).startswith('told_source')
    assert done == sorted(done)
    assert done[-1] == 2
    assert set(names) == {'told_source', 'told'}
    # The road of the first is unknown, but its paths are there to learn from.
    assert (both.targets['friction'] == -1).sum() == len(both) - len(told)
    assert len(told) < len(both.useful) < len(both)


def test_processes_decode_to_the_same(told_path: Path, told: BagSamples, folder: Path) -> None:
    bare = write_circle(folder / 'second', inputs=('velocity', 'odometry'), duration_s=8.0)
    parallel = BagSamples([told_path, bare], cache=folder / 'parallel', workers=2)
    assert len(parallel) > len(told)
    for name in ('image', 'audio', 'motion', 'rollout', 'friction'):
        found = parallel._drives[0].columns[name]
        assert np.array_equal(found, told._drives[0].columns[name]), name


def test_what_is_cached_is_not_decoded_again(
    told_path: Path, told: BagSamples, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, 'decode_recording', None)
    again = BagSamples([told_path], cache=folder / 'cache')
    assert again.fingerprint == told.fingerprint


def test_varied_samples_have_the_size_of_the_training_and_repeat(
    told_path: Path, folder: Path
) -> None:
    source = BagSamples([told_path], cache=folder / 'cache', training_size=64)
    first, second = (source.sample(9, np.random.default_rng(3)) for _ in range(2))
    for value, same in zip(first.inputs, second.inputs, strict=True):
        assert value is None if same is None else np.array_equal(value, same)  # type: ignore[arg-type]
    random = np.random.default_rng(0)
    samples = [source.sample(9, random) for _ in range(40)]
    assert {s.image.shape for s in samples if s.image is not None} == {(64, 64, 3)}
    assert 0 < sum(sample.age_s[0] > 0.3 for sample in samples) < 20


def test_a_recording_without_anything_to_learn_is_refused_with_what_was_looked_for(
    folder: Path,
) -> None:
    silent = write_circle(folder / 'silent', inputs=('image', 'audio'), duration_s=2.0)
    with pytest.raises(DatasetError) as caught:
        BagSamples([silent], cache=folder / 'cache')
    for part in ('silent: found nothing', 'odometry or positions', 'neither', 'silent.labels.csv'):
        assert part in str(caught.value)
    unlabelled = BagSamples([silent], cache=folder / 'cache', labelled=False)
    assert len(unlabelled) == 4
    assert not len(unlabelled.useful)


def test_a_recording_without_any_input_is_refused(folder: Path) -> None:
    empty = folder / 'empty'
    with BagWriter(empty, 'mcap') as bag:
        for tick in range(20):
            stamp_ns = START_NS + tick * 50_000_000
            fix = recordings.nav_sat_fix(math.nan, 11.0, stamp_ns=stamp_ns)
            bag.write('/fix', fix, stamp_ns)
    with pytest.raises(DatasetError, match='no instant with an image, sound or motion'):
        BagSamples([empty], cache=folder / 'cache', labelled=False)


def test_what_is_no_recording_is_refused(folder: Path) -> None:
    damaged = folder / 'damaged.mcap'
    damaged.write_bytes(b'no recording')
    with pytest.raises(BagError, match=r'damaged\.mcap'):
        BagSamples([damaged], cache=folder / 'cache')
    with pytest.raises((BagError, DatasetError), match='nowhere'):
        BagSamples([folder / 'nowhere'], cache=folder / 'cache')
    with pytest.raises(DatasetError, match='at least one'):
        BagSamples([], cache=folder / 'cache')


def test_what_nothing_heard_yet_says_nothing_of_sirens(told: BagSamples) -> None:
    deaf = [i for i in range(len(told)) if told.sample(i, None).audio is None]
    assert deaf
    assert {told.targets['siren'][i] for i in deaf} == {0}
    assert {told.sample(i, None).targets.siren for i in deaf} == {-1}


def test_sirens_can_be_left_out(told: BagSamples) -> None:
    """Neither what was recorded nor what is mixed in is told then; the road is."""
    random = np.random.default_rng(0)
    silent = told.without_sirens()
    assert told.sample(6, None).targets.siren == 1
    found = [silent.sample(6, None), *(silent.sample(6, random) for _ in range(20))]
    assert {sample.targets.siren for sample in found} == {-1}
    assert found[0].targets.friction == told.sample(6, None).targets.friction >= 0


def test_earlier_samples_are_of_the_last_seconds(told: BagSamples) -> None:
    drive = told._drives[0]
    times_s = (drive.columns['stamps_ns'] - drive.columns['stamps_ns'][9]) / 1e9
    random = np.random.default_rng(0)
    chosen = set()
    for _ in range(60):
        found = drive.earlier(9, 'camera', random)
        assert found is not None
        earlier, gap_s = found
        row = int(np.abs(times_s + gap_s).argmin())
        assert times_s[row] == pytest.approx(-gap_s)
        assert np.array_equal(earlier.motion, told.sample(row, None).motion)  # type: ignore[arg-type]
        chosen.add(row)
    assert chosen == {row for row in range(9) if times_s[row] >= -2.5}
    assert drive.earlier(0, 'camera', random) is None


@pytest.mark.realdata
def test_a_walk_recorded_by_one_device_has_all_modalities(real_data: Path, tmp_path: Path) -> None:
    source = BagSamples([real_data / 'drives' / 'gopro_walk'], cache=tmp_path / 'cache')
    sample = source.sample(12, None)
    assert all(value is not None for value in sample.inputs)
    assert sample.motion is not None
    assert 0.5 < sample.motion[-1, 0] < 2.0
    assert len(source.useful) > 4
