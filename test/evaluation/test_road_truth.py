# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.bags import BagWriter
from mm_fusion.bags.raw import RawBag
from mm_fusion.evaluation import tables
from mm_fusion.evaluation.recorded import evaluate_recorded
from mm_fusion.evaluation.records import merge
from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.evaluation.report import render_report
from mm_fusion.evaluation.summary import summarise
from mm_fusion.settings import Settings
from support.drives import START_NS
from support.truths import road_state, write_told

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.runtime import Bundle

S = 1_000_000_000
DRY, WET = 0, 1


@pytest.fixture(scope='module')
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_told(tmp_path_factory.mktemp('told') / 'told')


@pytest.fixture(scope='module')
def replayed(told: Path, bundle: Bundle) -> BagResult:
    return evaluate_bag(told, bundle, Settings())


def test_a_replay_is_compared_with_the_truth(replayed: BagResult) -> None:
    sums = replayed.totals.road_truth
    assert replayed.topics['road_state'] == '/ground_truth/road_state'
    assert (sums.seen.count, sums.blind.count, sums.untold) == (60, 0, 0)
    # The tiny bundle calls the picture dry throughout.
    assert sums.seen.accuracy('friction') == pytest.approx(40 / 60)
    assert sums.seen.average_recall('friction') == pytest.approx(0.5)
    assert sums.siren.siren_s == pytest.approx(2.0)
    assert (sums.siren.events, sums.siren.missed) == (1, 1)
    truth = replayed.timeline.truth
    assert truth is not None
    assert truth.friction.tolist() == [DRY] * 40 + [WET] * 20
    assert np.isfinite(truth.siren_distance_m).sum() == 10


def test_recorded_outputs_are_not_mixed_up_with_the_truth(told: Path, tmp_path: Path) -> None:
    """The node says wet and siren all the time, and lacks the camera for the last 3 s."""
    path = tmp_path / 'live'
    with RawBag(told) as raw, BagWriter(path) as bag:
        for topic, log_ns, data in raw.messages(raw.types):
            bag.write(topic, raw.deserialized(topic, data), log_ns)
        for tick in range(0, 240, 2):
            stamp_ns = START_NS + tick * S // 20 + 20_000_000
            state = road_state(
                stamp_ns, friction=WET, siren=True,
                surface_observed=tick < 180, siren_observed=tick != 40,
            )  # fmt: skip
            bag.write('/mm_fusion/road_state', state, stamp_ns + 50_000_000)

    sums = evaluate_recorded(path, Settings()).totals.road_truth

    assert (sums.seen.count, sums.blind.count) == (90, 30)
    assert sums.seen.accuracy('friction') == pytest.approx(10 / 90)
    assert sums.blind.accuracy('friction') == 1.0
    assert sums.seen.coefficient_mae == 0.0
    assert sums.siren.true_positive_rate == sums.siren.false_positive_rate == 1.0
    assert sums.siren.delays_s == pytest.approx((0.12,))  # the first did not hear


def test_the_truth_is_in_json_tables_and_page(replayed: BagResult, result: BagResult) -> None:
    document = summarise([replayed, result], 'tiny')
    json.dumps(document, allow_nan=False)
    told, untold = document['bags']
    assert told['road_truth']['surface_observed']['friction']['accuracy'] == 0.666667
    assert told['road_truth']['surface_unobserved']['friction']['accuracy'] is None
    assert told['road_truth']['siren']['sirens'] == 1
    assert told['timeline']['truth']['friction'][-1] == 'wet'
    assert untold['road_truth'] is untold['timeline']['truth'] is None
    assert document['total']['road_truth'] == told['road_truth']

    cells = [row.cells for row in tables.truth_table(replayed.totals).rows]
    assert cells[0] == ('Friction, 6 classes', '66.7%', '50.0%', '–', '–')
    assert tables.siren_table(replayed.totals).rows[2].cells[1] == '0 of 1'
    page = render_report([replayed], 'tiny')
    assert 'Road state against the truth' in page
    assert '>truth</text>' in page


def test_results_with_and_without_truth_are_merged(replayed: BagResult, result: BagResult) -> None:
    both = merge([replayed, result, replayed])
    assert both.road_truth.seen.count == 120
    assert both.road_truth.siren.missed == 2
    assert both.road_truth.seen.accuracy('friction') == pytest.approx(40 / 60)
