# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Score each recorded drive end to end, by the network that has not learned from it.

    python -m benchmarks.fusion_drives --run RUN --real DIR

RUN is what ``mm_fusion train --folds`` leaves. Fold i held out the i-th drive of its command: its
network is exported, and ``mm_fusion evaluate`` runs the node's pipeline over that drive. ADE and
minADE are those at 6 s, of the most likely mode and of the best of all, over CTRA's on the same
samples.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fusion_tables import markdown
from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.export.bundle import write_bundle
from mm_fusion.export.graphs import export_stages
from mm_fusion.resources import config_path
from mm_fusion.runtime import Bundle
from mm_fusion.settings import Settings
from mm_fusion.training.manifest import read_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mm_fusion.evaluation.records import Subset
    from mm_fusion.metrics.trajectory import TrajectorySums

DRIVES = (
    'comma2k19_example_1',
    'boreas_2021_08_05_13_34',
    'balzer82_2014_03_26',
    'google_mtv_local1',
)
"""In the order of the command that trained the shipped bundle."""

_LAST = -1
"""Index of the horizon of 6 s."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """Errors over those of CTRA on the same samples; NaN where there is none to compare.

    Attributes:
        samples: How many there are.
        likely: ADE of the most likely mode.
        turning: The same in turns.
        best: ADE of the best mode.
    """

    samples: int
    likely: float
    turning: float
    best: float


def main() -> None:
    """Export the folds, evaluate, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--run', type=Path, required=True, help='folder of mm_fusion train')
    parser.add_argument('--real', type=Path, required=True, help='folder of the drives')
    parser.add_argument('--drives', nargs='+', default=DRIVES, help='in the order of the folds')
    parser.add_argument(
        '--align-truth',
        action='store_true',
        help='turn the headings of the truth to its travel, as of mm_fusion evaluate',
    )
    arguments = parser.parse_args()
    align = arguments.align_truth
    rows = [
        ratios(arguments.run / f'fold{fold}', arguments.real / name, align_truth=align)
        for fold, name in enumerate(arguments.drives)
    ]
    print(table(arguments.drives, rows))


def ratios(fold: Path, drive: Path, *, align_truth: bool) -> Ratios:
    """Evaluate the network of one fold on the drive that it has not seen."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, 'bundle')
        finished = read_run(fold, 'fold', config_path('friction_coefficients.yaml'))
        write_bundle(out, export_stages(finished.network), finished.weights, finished.manifest)
        bundle = Bundle.load(out)
        result = evaluate_bag(drive, bundle, Settings(), align_truth=align_truth)
        scores = result.totals.scores
    return Ratios(
        samples=scores['ctra']['all'].count,
        likely=_ratio(scores, 'all', best=False),
        turning=_ratio(scores, 'turning', best=False),
        best=_ratio(scores, 'all', best=True),
    )


def table(names: Sequence[str], rows: Sequence[Ratios]) -> str:
    """Lay the drives out as Markdown, with the mean over them."""
    body = [[name, str(row.samples), *map(_cell, _values(row))] for name, row in zip(names, rows)]
    means = [
        float(np.mean([value for value in column if np.isfinite(value)]))
        for column in zip(*map(_values, rows))
    ]
    body.append(['mean over drives', '', *map(_cell, means)])
    return markdown(['held-out drive', 'samples', 'ADE', 'ADE in turns', 'minADE of 6'], body)


def _values(row: Ratios) -> tuple[float, float, float]:
    return row.likely, row.turning, row.best


def _cell(ratio: float) -> str:
    return f'{ratio:.3f}' if np.isfinite(ratio) else '–'


def _ratio(
    scores: Mapping[str, Mapping[Subset, TrajectorySums]], subset: Subset, *, best: bool
) -> float:
    ours, theirs = scores['mm_fusion'][subset], scores['ctra'][subset].ade_m
    mine = ours.best_ade_m if best else ours.ade_m
    if mine is None or theirs is None:
        return float('nan')
    return float(mine[_LAST] / theirs[_LAST])


if __name__ == '__main__':
    main()
