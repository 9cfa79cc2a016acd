# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of the demonstrations of the fusion network, as Markdown and as CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.fusion_scores import SCORES, mean_scores
from mm_fusion.training.predict import SUBSETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.fusion_data import Drives
    from benchmarks.fusion_scores import Arrays

    Results = dict[str, dict[str, list[Arrays]]]


def table_rows(results: Results, test: Drives) -> list[dict[str, Any]]:
    """Score every strategy, subset and task: mean over seeds, and their deviation."""
    rows = []
    for strategy, subsets in results.items():
        for subset, seeds in subsets.items():
            each = [mean_scores([outputs], test.targets) for outputs in seeds]
            for task in SCORES:
                values = [found[task] for found in each]
                rows.append(
                    {
                        'strategy': strategy,
                        'modalities': subset,
                        'task': task,
                        'score': float(np.mean(values)),
                        'deviation': float(np.std(values)),
                    }
                )
    return rows


def report(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay out one table for each task as Markdown: modality subsets down, strategies across."""
    strategies = list(dict.fromkeys(row['strategy'] for row in rows))
    found = {(row['strategy'], row['modalities'], row['task']): row for row in rows}
    parts = []
    for task, described in SCORES.items():
        body = [
            [subset, *(_cell(found.get((strategy, subset, task))) for strategy in strategies)]
            for subset in SUBSETS
        ]
        better = 'more' if described.higher else 'less'
        parts.append(f'### {described.label} ({better} is better)\n')
        parts.append(markdown(['modalities', *strategies], body))
    return '\n'.join(parts)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table."""
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join(f'| {" | ".join(cells)} |' for cells in lines) + '\n'


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of the same columns, numbers with six digits."""
    with path.open('w', encoding='utf-8', newline='') as stream:
        table = csv.DictWriter(stream, list(rows[0]), lineterminator='\n')
        table.writeheader()
        for row in rows:
            table.writerow({k: f'{v:.6g}' if isinstance(v, float) else v for k, v in row.items()})


def number(value: float) -> str:
    """Write a score; nothing where it is no number."""
    return f'{value:.3f}' if np.isfinite(value) else ''


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None or not np.isfinite(row['score']):
        return ''
    spread = f' ± {row["deviation"]:.3f}' if row['deviation'] else ''
    return number(row['score']) + spread
