# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is read of an evaluation, and what counts as better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch


def total(ade_m: float | None, uar: float) -> dict[str, Any]:
    table = {'accuracy': 0.5, 'uar': uar}
    path = {'ade_m': {'6': ade_m}, 'min_ade_m': {'6': ade_m}}
    seen = dict.fromkeys(('friction', 'friction_3', 'material', 'unevenness'), table)
    return {
        'road_truth': {
            'surface_observed': {**seen, 'friction_coefficient_mae': 0.1},
            'siren': {'true_positive_rate': None, 'false_positive_rate': 0.0},
        },
        'trajectory': {
            'mm_fusion': {'all': path},
            'ctra': {'all': {'ade_m': {'6': 4.0}, 'min_ade_m': {'6': 4.0}}},
        },
    }


def test_figures_are_read_and_what_a_drive_lacks_is_none() -> None:
    from benchmarks.fusion_finetuning import FIGURES, figures

    found = figures(total(3.0, 0.7))
    assert set(found) == set(FIGURES)
    assert found['ADE'] == 0.75
    assert found['friction UAR'] == 0.7
    assert found['siren TPR'] is None
    assert figures(total(None, 0.7))['minADE'] is None


def test_less_error_is_better_and_less_recall_is_not() -> None:
    from benchmarks.fusion_finetuning import better

    assert better({'figure': 'ADE', 'before': 0.9, 'after': 0.8}) == 'yes'
    assert better({'figure': 'friction UAR', 'before': 0.9, 'after': 0.8}) == 'no'
    assert better({'figure': 'siren FPR', 'before': 0.0, 'after': 0.0}) == 'as before'


def test_a_command_that_fails_stops_with_its_log(tmp_path: Path) -> None:
    from benchmarks.fusion_finetuning import command

    with pytest.raises(SystemExit, match='exit status 2'):
        command('evaluate', tmp_path / 'nothing', log=tmp_path / 'logs' / 'log.txt')
    assert 'nothing' in (tmp_path / 'logs' / 'log.txt').read_text('utf-8')
