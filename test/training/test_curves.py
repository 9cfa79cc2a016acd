# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Curves: every figure of every epoch in the table, and in the picture what belongs there."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch
HISTORY = [
    {'epoch': 1.0, 'rate': 0.1, 'train loss': 3.0, 'train siren': 1.0, 'best': 1.0},
    {
        'epoch': 2.0, 'rate': 0.05, 'train loss': 2.0, 'validation loss': 2.5,
        'validation AUC siren': 0.9, 'validation ADE m': 4.0, 'best': 0.0,
    },
]  # fmt: skip


def test_the_table_has_a_row_for_each_epoch(tmp_path: Path) -> None:
    from mm_fusion.training.curves import write_curves

    write_curves(tmp_path, HISTORY)
    with (tmp_path / 'curves.csv').open(newline='') as file:
        first, second = csv.DictReader(file)
    assert (first['epoch'], first['train siren'], first['validation loss']) == ('1', '1', '')
    assert (second['train siren'], second['validation ADE m']) == ('', '4')


def test_the_picture_is_one(tmp_path: Path) -> None:
    from mm_fusion.training.curves import draw_curves

    draw_curves(tmp_path, HISTORY)
    assert (tmp_path / 'curves.png').read_bytes().startswith(b'\x89PNG')


def test_losses_scores_and_lengths_have_panels_of_their_own() -> None:
    from mm_fusion.training.curves import curves_figure

    panels = {
        axes.get_title(loc='left') or axes.get_title(): [
            (str(line.get_label()), np.asarray(line.get_ydata()).tolist())
            for line in axes.get_lines()
        ]
        for axes in curves_figure(HISTORY).get_axes()
        if axes.get_visible()
    }
    assert panels == {
        'Total loss': [('training', [3.0, 2.0]), ('held out', [2.5])],
        'Loss: siren': [('training', [1.0])],
        'Scores, held out': [('AUC siren', [0.9])],
        'Displacement at 6 s, held out': [('ADE', [4.0])],
        'Learning rate': [(panels['Learning rate'][0][0], [0.1, 0.05])],
    }
