# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Result tables as plain text cells, for the terminal and the page alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from mm_fusion.evaluation.records import MODALITIES, MODELS
from mm_fusion.metrics.trajectory import HORIZONS_S, STEPS_S
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.evaluation.records import BagResult, Subset, Totals
    from mm_fusion.metrics.road_truth import SurfaceSums

Tone: TypeAlias = Literal['', 'own', 'part', 'good', 'bad']

_LABELS = {'cv': 'CV', 'ctrv': 'CTRV', 'ctra': 'CTRA', 'mm_fusion': 'mm_fusion'}
_NONE = '–'
_SUBSETS: tuple[tuple[Subset, str], ...] = (('all', 'All samples'), ('turning', 'Turning'))
_WHOLE_SECONDS = np.flatnonzero(STEPS_S % 1.0 == 0.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells, the first being its name, and how it is set off."""

    cells: tuple[str, ...]
    tone: Tone = ''


@dataclass(frozen=True, slots=True)
class Table:
    """A table: names of the columns, and rows of as many cells or fewer."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure that sums up an evaluation."""

    value: str
    label: str
    tone: Tone = ''


_ASKEW_DEG = 0.25
"""Less is not worth a word: half a metre at 30 m/s after 4 s."""


def truth_note(result: BagResult) -> str:
    """Say that the headings of the truth are off, and whether they were turned; or nothing."""
    askew_deg = math.degrees(result.truth_askew_rad)
    if abs(askew_deg) < _ASKEW_DEG:
        return ''
    side = 'left' if askew_deg > 0 else 'right'
    done = 'turned back' if result.truth_aligned else '--align-truth turns them back'
    return f', whose headings lie {abs(askew_deg):.1f}° to the {side} of its travel ({done})'


def tiles(totals: Totals) -> tuple[Tile, ...]:
    """Choose the figures that sum up an evaluation."""
    own, physics = totals.scores['mm_fusion']['all'], totals.scores['ctra']['all']
    found = [Tile(_duration(totals.duration_s), 'recorded')]
    if totals.elapsed_s > 0:
        found.append(Tile(f'{totals.duration_s / totals.elapsed_s:.0f}×', 'real time'))
    if own.ade_m is not None and own.fde_m is not None and own.miss_rate is not None:
        found += [
            Tile(f'{own.ade_m[-1]:.2f} m', 'ADE at 6 s'),
            Tile(f'{own.fde_m[-1]:.2f} m', 'FDE at 6 s'),
            Tile(f'{own.miss_rate[-1]:.0%}', 'missed by over 2 m at 6 s'),
        ]
        if physics.ade_m is not None and physics.ade_m[-1] > 0:
            change = float(own.ade_m[-1] / physics.ade_m[-1] - 1)
            tone: Tone = 'good' if change < -0.005 else 'bad' if change > 0.005 else ''
            found.append(Tile(f'{change:+.1%}', 'ADE against CTRA', tone))
    received = sum(totals.modalities[modality].received for modality in MODALITIES)
    dropped = sum(sum(totals.modalities[modality].drops.values()) for modality in MODALITIES)
    found.append(Tile(f'{totals.outputs:,}', 'outputs'))
    share = dropped / received if received else 0.0
    found.append(Tile(f'{dropped:,}', f'of {received:,} samples dropped', _alarm(share)))
    return tuple(found)


def _alarm(share: float) -> Tone:
    return 'bad' if share > 0.01 else ''


def bag_table(results: Sequence[BagResult]) -> Table:
    """Set the recordings side by side."""
    return Table(
        ('', 'Length', 'Samples', 'ADE 6 s (m)', 'CTRA (m)', 'Change', 'Turning (m)', 'CTRA (m)'),
        tuple(
            Row(
                (
                    result.name,
                    _duration(result.totals.duration_s),
                    str(result.totals.samples),
                    *_compared(result.totals, 'all'),
                    _change(result.totals),
                    *_compared(result.totals, 'turning'),
                )
            )
            for result in results
        ),
    )


def _compared(totals: Totals, subset: Subset) -> tuple[str, str]:
    own, physics = (totals.scores[model][subset].ade_m for model in ('mm_fusion', 'ctra'))
    return (
        _NONE if own is None else f'{own[-1]:.2f}',
        _NONE if physics is None else f'{physics[-1]:.2f}',
    )


def _change(totals: Totals) -> str:
    own, physics = (totals.scores[model]['all'].ade_m for model in ('mm_fusion', 'ctra'))
    if own is None or physics is None or physics[-1] == 0:
        return _NONE
    return f'{own[-1] / physics[-1] - 1:+.1%}'


def trajectory_table(totals: Totals) -> Table:
    """Set the predictors side by side, on all samples and on those that turn."""
    rows = []
    for subset, title in _SUBSETS:
        rows.append(Row((f'{title}: {totals.scores["ctra"][subset].count}',), 'part'))
        for model in MODELS:
            sums = totals.scores[model][subset]
            cells = [_LABELS[model]]
            for values in (sums.ade_m, sums.fde_m):
                cells += (
                    [_NONE] * len(HORIZONS_S)
                    if values is None
                    else [f'{value:.2f}' for value in values]
                )
            best, missed = sums.best_ade_m, sums.miss_rate
            cells.append(_NONE if best is None else f'{best[-1]:.2f}')
            cells.append(_NONE if missed is None else f'{missed[-1]:.1%}')
            rows.append(Row(tuple(cells), 'own' if model == 'mm_fusion' else ''))
    return Table(
        (
            'metres',
            *(f'ADE {horizon} s' for horizon in HORIZONS_S),
            *(f'FDE {horizon} s' for horizon in HORIZONS_S),
            'minADE 6 s',
            'Miss rate 6 s',
        ),
        tuple(rows),
    )


def coverage_table(totals: Totals) -> Table:
    """List the shares of true positions in the 90 % ellipses of the most likely mode."""
    rows = []
    for subset, title in _SUBSETS:
        coverage = totals.scores['mm_fusion'][subset].coverage
        if coverage is not None:
            shares = (f'{share:.1%}' for share in coverage[_WHOLE_SECONDS])
            rows.append(Row((title, *shares), 'own' if subset == 'all' else ''))
    seconds = (f'{second:g} s' for second in STEPS_S[_WHOLE_SECONDS])
    return Table(('Inside the 90 % ellipse', *seconds), tuple(rows))


def road_table(totals: Totals) -> Table:
    """Sum up what was said about the road."""
    road = totals.road
    seen = road.surface_observed
    rows = [
        Row((title, *_leading(names, values, seen)))
        for title, names, values in (
            ('Friction', FRICTION_CLASSES, road.friction),
            ('Material', MATERIAL_CLASSES, road.material),
            ('Unevenness', UNEVENNESS_CLASSES, road.unevenness),
        )
        if seen
    ]
    if seen:
        rows.append(Row(('Friction coefficient', f'{road.friction_coefficient / seen:.2f}')))
    rows += [
        Row(('Outputs that saw the surface', f'{seen} of {road.count}')),
        Row(('Outputs that heard', f'{road.siren_observed} of {road.count}')),
        Row(('Outputs with the siren flag', str(road.sirens))),
    ]
    return Table(('', 'Most likely', 'Second', 'Third'), tuple(rows))


def _leading(names: Sequence[str], values: NDArray[np.float64], count: int) -> list[str]:
    order = sorted(range(len(names)), key=lambda index: -values[index])[:3]
    return [f'{names[index].replace("_", " ")} {values[index] / count:.0%}' for index in order]


_TRUTH_TITLES = {
    'friction': 'Friction, 6 classes',
    'friction_3': 'Friction, dry, wet or snow',
    'material': 'Material',
    'unevenness': 'Unevenness',
}


def truth_table(totals: Totals) -> Table:
    """Set the road states beside the truth, apart where nothing showed the surface."""
    sides = (totals.road_truth.seen, totals.road_truth.blind)
    rows = [
        Row((title, *(cell for side in sides for cell in _agreement(side, table))))
        for table, title in _TRUTH_TITLES.items()
    ]
    error = [cell for side in sides for cell in (_figure(side.coefficient_mae, '.3f'), '')]
    rows.append(Row(('Friction coefficient, mean error', *error[:-1])))
    rows.append(Row(('Outputs', str(sides[0].count), '', str(sides[1].count))))
    return Table(('', 'Accuracy', 'UAR', 'Surface unobserved', 'UAR'), tuple(rows))


def _agreement(sums: SurfaceSums, table: str) -> tuple[str, str]:
    return _figure(sums.accuracy(table), '.1%'), _figure(sums.average_recall(table), '.1%')


def siren_table(totals: Totals) -> Table:
    """Set the siren flag beside the truth."""
    siren = totals.road_truth.siren
    delays = ', '.join(f'{delay:.1f} s' for delay in siren.delays_s)
    rows = [
        ('Flag raised while there is a siren', _figure(siren.true_positive_rate, '.1%'),
         f'of {siren.siren_s:.1f} s'),
        ('Flag raised while there is none', _figure(siren.false_positive_rate, '.1%'),
         f'of {siren.quiet_s:.1f} s'),
        ('Sirens noticed', f'{len(siren.delays_s)} of {siren.events}',
         f'after {delays}' if delays else ''),
    ]  # fmt: skip
    return Table(('', '', ''), tuple(Row(cells) for cells in rows))


def _figure(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else _NONE


def drop_table(totals: Totals) -> Table:
    """Count the samples of each sensor, and the reasons why some were dropped."""
    reasons = sorted({reason for m in MODALITIES for reason in totals.modalities[m].drops})
    rows = []
    for modality in MODALITIES:
        sums = totals.modalities[modality]
        present = f'{sums.present / totals.outputs:.1%}' if totals.outputs else _NONE
        weight = f'{sums.weight / totals.road.count:.2f}' if totals.road.count else _NONE
        counts = (str(sums.drops.get(reason, 0)) for reason in reasons)
        rows.append(Row((modality.value, f'{sums.received:,}', present, weight, *counts)))
    columns = ('', 'Samples', 'Present', 'Mean weight', *(r.replace('_', ' ') for r in reasons))
    return Table(columns, tuple(rows))


def latency_table(totals: Totals) -> Table:
    """List how long each stage took."""
    return Table(
        ('milliseconds', 'Runs', 'Mean', 'Median', '95 %', '99 %', 'Worst'),
        tuple(
            Row(
                (
                    stage,
                    f'{sums.count:,}',
                    *(
                        f'{seconds * 1e3:.2f}'
                        for seconds in (
                            sums.mean_s,
                            *(sums.quantile_s(share) for share in (0.5, 0.95, 0.99)),
                            sums.worst_s,
                        )
                    ),
                )
            )
            for stage, sums in totals.latencies.items()
        ),
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f'{seconds:.1f} s'
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes}:{rest:02d} min'
