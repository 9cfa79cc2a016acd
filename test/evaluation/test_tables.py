# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.evaluation import tables
from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.evaluation.report import render_report
from mm_fusion.evaluation.summary import summarise
from mm_fusion.runtime import Bundle
from mm_fusion.settings import Settings
from support.bundles import write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.evaluation.records import BagResult


@pytest.fixture(scope='module')
def learned(circle: Path, tmp_path_factory: pytest.TempPathFactory) -> BagResult:
    """A circle to the left, of which the tiny head's modes are off by 0.1 v t and more."""
    folder = write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny', trajectory=True)
    return evaluate_bag(circle, Bundle.load(folder), Settings())


def test_the_best_of_the_modes_is_scored_beside_the_most_likely(learned: BagResult) -> None:
    table = tables.trajectory_table(learned.totals)
    rows = {row.cells[0]: row.cells for row in table.rows[:5]}
    assert table.columns[-2:] == ('minADE 6 s', 'Miss rate 6 s')
    best, likely = (
        float(rows['mm_fusion'][table.columns.index(name)]) for name in ('minADE 6 s', 'ADE 6 s')
    )
    assert 0.1 < best < likely - 0.2
    assert rows['CTRA'][-2] == rows['CTRA'][table.columns.index('ADE 6 s')]
    scores = summarise([learned], 'tiny')['total']['trajectory']['mm_fusion']['all']
    assert scores['min_ade_m']['6'] == pytest.approx(best, abs=0.005)


def test_the_share_in_the_ellipses_is_listed_by_second(
    learned: BagResult, result: BagResult
) -> None:
    table = tables.coverage_table(learned.totals)
    assert table.columns[1:] == ('1 s', '2 s', '3 s', '4 s', '5 s', '6 s')
    assert [row.cells[0] for row in table.rows] == ['All samples', 'Turning']
    # 0.1 v t forward at 10 m/s is off by 2.5 standard deviations of 0.4 t.
    coverage = learned.totals.scores['mm_fusion']['all'].coverage
    assert coverage is not None
    assert table.rows[0].cells[1] == f'{coverage[1]:.1%}'
    assert table.rows[0].cells[6] == f'{coverage[11]:.1%}'
    assert 'Inside the 90 % ellipse' in render_report([learned, result], 'tiny')
