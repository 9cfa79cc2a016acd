# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.bags import BagWriter
from mm_fusion.errors import BagError, SettingsError
from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.evaluation.summary import summarise
from mm_fusion.settings import DecodingSettings, Settings
from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import ModalityState
from support import recordings
from support.drives import SPEED_MPS, START_NS, write_askew, write_circle

if TYPE_CHECKING:
    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.runtime import Bundle


def document(*results: BagResult) -> str:
    return json.dumps(summarise(results, 'tiny 0.0.1'), allow_nan=False)


def test_two_runs_give_the_same_json(circle: Path, bundle: Bundle, result: BagResult) -> None:
    assert document(evaluate_bag(circle, bundle, Settings())) == document(result)


def test_every_frame_gives_an_output_with_all_modalities(result: BagResult) -> None:
    assert result.totals.outputs == 60
    assert result.totals.trajectories == 60
    assert [result.totals.modalities[m].received for m in Modality] == [60, 60, 24, 240]
    assert not any(result.totals.modalities[m].drops for m in Modality)
    # The very first frame comes before the other sensors speak at all.
    assert (result.timeline.states[2:] == ModalityState.PRESENT).all()
    assert result.truth == 'odometry'
    assert result.camera


def test_the_circle_is_predicted_by_the_models_that_turn(result: BagResult) -> None:
    # 2 Hz samples at 2.0 to 5.5 s: two seconds of history, six of future, 12 s in all.
    assert result.totals.samples == 8
    scores = result.totals.scores
    assert scores['ctra']['turning'].count == 8
    # The filter's process model expects a turn to end, so that it is off by some share of it.
    for model, largest in (('ctrv', 1e-3), ('ctra', 1e-3), ('mm_fusion', 2.0)):
        ade = scores[model]['all'].ade_m
        assert ade is not None
        assert ade[-1] < largest, model
    # On a tangent one is off by about v w t² / 2.
    straight = scores['cv']['all'].fde_m
    assert straight is not None
    assert straight[1] == pytest.approx(SPEED_MPS * 0.1 * 2**2 / 2, rel=0.01)


def test_the_road_state_is_what_the_pictures_say(result: BagResult) -> None:
    road = result.totals.road
    assert road.count == road.surface_observed == 60
    assert road.friction.argmax() == 0  # red, which the tiny bundle calls dry
    assert road.sirens == 0
    assert np.isfinite(result.timeline.friction).all()


def test_without_a_camera_the_timer_triggers(tmp_path: Path, bundle: Bundle) -> None:
    bag = write_circle(tmp_path / 'blind', inputs=('velocity', 'odometry', 'fix'))
    result = evaluate_bag(bag, bundle, Settings(), frames=2)
    assert not result.camera
    assert result.frames == ()
    assert result.totals.road.count == 0
    assert result.totals.samples in {7, 8}
    assert result.totals.outputs == pytest.approx(118, abs=3)
    assert (result.timeline.states[:, 0] == ModalityState.NEVER_SEEN).all()


@pytest.mark.parametrize('align', [True, False])
def test_headings_of_the_truth_askew_are_told_and_turned_where_that_is_wanted(
    tmp_path: Path, bundle: Bundle, *, align: bool
) -> None:
    bag = write_askew(tmp_path / 'askew', 0.05)
    result = evaluate_bag(bag, bundle, Settings(), align_truth=align)
    assert result.truth_askew_rad == pytest.approx(0.05, abs=1e-6)
    assert result.truth_aligned is align
    ade_m = result.totals.scores['ctra']['all'].ade_m
    assert ade_m is not None
    # 3.25 s on average, at an angle of 0.05.
    assert ade_m[-1] == pytest.approx(0.0 if align else SPEED_MPS * 3.25 * 0.05, abs=0.02)


def test_without_odometry_the_smoothed_future_is_the_truth(tmp_path: Path, bundle: Bundle) -> None:
    bag = write_circle(tmp_path / 'untold', inputs=('velocity', 'fix'))
    result = evaluate_bag(bag, bundle, Settings())
    assert result.truth == 'smoothed recording'
    ade = result.totals.scores['ctra']['all'].ade_m
    assert ade is not None
    assert ade[-1] < 0.3


def test_without_velocity_nothing_is_scored_and_the_road_still_seen(
    tmp_path: Path, bundle: Bundle
) -> None:
    bag = write_circle(tmp_path / 'still', inputs=('image', 'audio'))
    result = evaluate_bag(bag, bundle, Settings())
    assert result.truth is None
    assert result.drive is None
    assert result.totals.samples == result.totals.trajectories == 0
    assert result.totals.road.count == 60
    assert 'NaN' not in document(result)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_both_storages_and_single_files_give_the_same(
    tmp_path: Path, bundle: Bundle, result: BagResult, storage: str
) -> None:
    bag = write_circle(tmp_path / 'circle', storage=storage)  # type: ignore[arg-type]
    (file,) = [path for path in bag.iterdir() if path.suffix in {'.mcap', '.db3'}]
    assert document(evaluate_bag(bag, bundle, Settings())) == document(result)
    single = dataclasses.replace(evaluate_bag(file, bundle, Settings()), name='circle')
    assert document(single) == document(result)


def test_bad_messages_are_counted_by_reason(tmp_path: Path, bundle: Bundle) -> None:
    with BagWriter(tmp_path / 'bad') as bag:
        for tick in range(40):
            stamp_ns = START_NS + tick * 100_000_000
            speed = float('nan') if tick == 7 else 5.0
            bag.write('/velocity', recordings.twist_stamped(speed, stamp_ns=stamp_ns), stamp_ns)
            truth = recordings.odometry(0.5 * tick, 0.0, 0.0, 5.0, stamp_ns=stamp_ns)
            if tick == 9:
                truth.pose.pose.position.x = float('inf')
            bag.write('/ground_truth/odometry', truth, stamp_ns)
            payload = recordings.encoded(seed=tick)
            cut = payload[: len(payload) // 3] if tick == 8 else payload
            frame = recordings.compressed(cut, stamp_ns=stamp_ns)
            bag.write('/image/compressed', frame, stamp_ns)
    result = evaluate_bag(tmp_path / 'bad', bundle, Settings())
    drops = {m: dict(result.totals.modalities[m].drops) for m in Modality}
    assert drops[Modality.VELOCITY] == {'not_finite': 1}
    assert drops[Modality.CAMERA] == {'malformed': 1}
    assert result.totals.unusable_truth == 1
    assert result.totals.modalities[Modality.VELOCITY].received == 40


def test_deadlines_between_messages_are_kept_and_the_last_frame_is_not_lost(
    tmp_path: Path, bundle: Bundle
) -> None:
    # A frame at 1.05 s waits for the velocity until 1.10 s, and the next one comes at 1.4 s;
    # a frame at 1.45 s ends the recording before its deadline.
    with BagWriter(tmp_path / 'gap') as bag:
        for time_ms in (*range(0, 1001, 100), 1050, 1400, 1450):
            stamp_ns = START_NS + time_ms * 1_000_000
            if time_ms % 100 == 50:
                frame = recordings.compressed(recordings.encoded(), stamp_ns=stamp_ns)
                bag.write('/image/compressed', frame, stamp_ns)
            else:
                bag.write('/velocity', recordings.twist_stamped(5.0, stamp_ns=stamp_ns), stamp_ns)
    result = evaluate_bag(tmp_path / 'gap', bundle, Settings())
    seen = np.isfinite(result.timeline.friction[:, 0])
    velocity = list(Modality).index(Modality.VELOCITY)
    assert result.timeline.ages_s[seen, velocity] == pytest.approx([0.05, 0.05])


def test_progress_is_reported_to_the_end(circle: Path, bundle: Bundle) -> None:
    shares: list[float] = []
    evaluate_bag(circle, bundle, Settings(), progress=shares.append)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


def test_frames_carry_the_path(result: BagResult) -> None:
    assert len(result.frames) == 3
    assert result.frames[0].jpeg.startswith(b'\xff\xd8')
    assert (result.frames[0].width, result.frames[0].height) == (96, 60)
    assert 'dry' in result.frames[0].caption


def test_chosen_topics_are_taken(circle: Path, bundle: Bundle) -> None:
    result = evaluate_bag(circle, bundle, Settings(), topics={'odometry': '', 'image': ''})
    assert result.truth == 'smoothed recording'
    assert not result.camera
    with pytest.raises(BagError, match='/nowhere'):
        evaluate_bag(circle, bundle, Settings(), topics={'image': '/nowhere'})


def test_steps_that_are_not_predicted_are_named(circle: Path, bundle: Bundle) -> None:
    short = dataclasses.replace(Settings(), decoding=DecodingSettings(horizon_s=3.0))
    with pytest.raises(SettingsError, match=r'decoding\.horizon_s'):
        evaluate_bag(circle, bundle, short)


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize(
    ('drive', 'published'),
    [
        ('boreas_2021_08_05_13_34', {'ade': (1.05, 4.47), 'fde': (2.58, 12.95)}),
        ('comma2k19_example_1', {'ade': (0.48, 1.93), 'fde': (1.13, 5.54)}),
    ],
)
def test_the_baseline_is_the_published_one(
    bundle: Bundle, drive: str, published: dict[str, tuple[float, float]]
) -> None:
    path = Path(os.environ['MM_FUSION_REAL_DATA'], 'drives', drive)
    result = evaluate_bag(path, bundle, Settings())
    physics, own = (result.totals.scores[model]['all'] for model in ('ctra', 'mm_fusion'))
    assert physics.ade_m is not None
    assert physics.fde_m is not None
    assert own.ade_m is not None
    assert physics.ade_m[2:] == pytest.approx(published['ade'], rel=0.02)
    assert physics.fde_m[2:] == pytest.approx(published['fde'], rel=0.02)
    assert own.ade_m[-1] <= physics.ade_m[-1]
