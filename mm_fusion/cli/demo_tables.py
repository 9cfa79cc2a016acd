# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures that the demo ends with."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from mm_fusion.cli.live_figures import LiveFigures, Stretch
    from mm_fusion.cli.live_run import LiveRun
    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.recordings import RoadTrack

_SHORTEST_S = 1.0
"""Shorter stretches are left out of what is said of the whole drive."""


def show_run(
    console: Console, run: LiveRun, figures: LiveFigures, result: BagResult | None
) -> None:
    """Print the figures of a live run.

    Args:
        console: Where to.
        run: The run.
        figures: What the recording says of the node.
        result: Scores; None where the recording cannot be scored.
    """
    table = Table(title='Live run', title_justify='left', box=SIMPLE_HEAD, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow='fold')
    for name, value in (*_node_rows(run, figures), *_road_rows(figures, result)):
        table.add_row(Text(name), Text(value))
    console.print(table)
    console.print(sensor_table(run.played, figures))


def sensor_table(played: Any, figures: LiveFigures) -> Table:
    """Set what became of each sensor's messages beside what was injected."""
    injected = played.get('injected', {})
    table = Table(title='Sensors', title_justify='left', box=SIMPLE_HEAD)
    columns = ('', 'Received', 'Present', 'Dropped by the node', 'Injected faults')
    for index, column in enumerate(columns if injected else columns[:-1]):
        table.add_column(column, justify='right' if index in (1, 2) else 'left', overflow='fold')
    for name, received in figures.received.items():
        drops = {reason: count for reason, count in figures.drops[name].items() if count}
        cells = [name, f'{received:,}', f'{figures.present[name]:.0%}', _counts(drops)]
        if injected:
            cells.append(_injected(injected.get(name, {})))
        table.add_row(*map(Text, cells))
    return table


def _counts(counts: dict[str, int]) -> str:
    return ', '.join(f'{count} {name.replace("_", " ")}' for name, count in counts.items()) or '–'


def _injected(counts: dict[str, Any]) -> str:
    """Say what was done to the messages of a sensor."""
    hits = counts.get('hits', {})
    text = ', '.join(f'{kind.replace("_", " ")}: {count}' for kind, count in hits.items())
    withheld = counts.get('suppressed', 0)
    return f'{text} ({withheld} withheld)' if withheld else text or '–'


def _node_rows(run: LiveRun, figures: LiveFigures) -> Iterator[tuple[str, str]]:
    published = sum(
        count
        for topic, count in run.played['published'].items()
        if topic in ('/image', '/camera/image/compressed', '/camera/image_raw')
    )
    yield 'camera frames published', str(published)
    yield 'camera frames taken in', str(figures.frames_received)
    outputs = f'{figures.roads} road states, {figures.trajectories} trajectories'
    yield 'outputs', f'{outputs}; {figures.superseded} superseded'
    lost = sum(run.recorded['lost'].values()) + sum(run.recorded['overflowed'].values())
    yield 'lost by the recorder', str(lost)
    if run.played.get('late'):
        behind = run.played['lost_s']
        yield 'simulator', f'slowed down {run.played["late"]} times, by {behind:.1f} s in all'
    if figures.latency_s is not None:
        median, high = figures.latency_s
        yield 'latency, frame to output', f'median {median * 1e3:.0f} ms, p95 {high * 1e3:.0f} ms'


def _road_rows(figures: LiveFigures, result: BagResult | None) -> Iterator[tuple[str, str]]:
    truth = None if result is None else result.timeline.truth
    yield 'friction', _stretches(figures.frictions)
    if result is not None and truth is not None:
        yield 'friction, truth', _stretches(_truth(result, truth))
    yield 'siren', _sirens_heard(figures) or 'not heard'
    if result is None:
        return
    sums = result.totals.road_truth
    if sums.known:
        yield 'siren, truth', _sirens(result)
        yield 'right friction', _right(result)
    yield 'ego path, ADE at 6 s', _scores(result)


def _stretches(stretches: tuple[Stretch, ...], shortest_s: float = _SHORTEST_S) -> str:
    """Name the stretches that last; what lies on both sides of a shorter one is joined."""
    long = [s for s in stretches if s.end_s - s.begin_s >= shortest_s]
    groups = [list(group) for _, group in itertools.groupby(long, lambda s: s.what)]
    return ', '.join(
        f'{group[0].what.replace("_", " ")} {group[0].begin_s:.1f} to {group[-1].end_s:.1f} s'
        for group in groups
    )


def _sirens_heard(figures: LiveFigures) -> str:
    return ', '.join(f'{s.begin_s:.1f} to {s.end_s:.1f} s' for s in figures.sirens)


def _truth(result: BagResult, truth: RoadTrack) -> tuple[Stretch, ...]:
    from mm_fusion.cli.live_figures import Stretch

    times = result.timeline.times_s
    changes = np.flatnonzero(np.diff(truth.friction)) + 1
    edges = [0, *changes.tolist(), len(times)]
    return tuple(
        Stretch(
            FRICTION_CLASSES[int(truth.friction[begin])],
            float(times[begin]),
            float(times[min(end, len(times) - 1)]),
        )
        for begin, end in itertools.pairwise(edges)
        if truth.friction[begin] >= 0
    )


def _sirens(result: BagResult) -> str:
    siren = result.totals.road_truth.siren
    if not siren.events:
        return 'none'
    delays = ', '.join(f'{delay:.1f} s' for delay in siren.delays_s)
    noticed = f'{len(siren.delays_s)} of {siren.events} noticed'
    text = f'{noticed} after {delays}' if delays else noticed
    if np.isfinite(siren.true_positive_rate) and np.isfinite(siren.false_positive_rate):
        text += (
            f'; raised in {siren.true_positive_rate:.0%} of the time with one, '
            f'{siren.false_positive_rate:.0%} of the time without'
        )
    return text


def _right(result: BagResult) -> str:
    sums = result.totals.road_truth
    parts = [
        f'{name} {side.accuracy("friction"):.0%} of {side.count} '
        f'(of dry, wet, snow: {side.accuracy("friction_3"):.0%})'
        for name, side in (('surface observed', sums.seen), ('not', sums.blind))
        if side.count
    ]
    return ', '.join(parts)


def _scores(result: BagResult) -> str:
    scores = result.totals.scores
    own, physics = scores['mm_fusion']['all'], scores['ctra']['all']
    if own.ade_m is None or physics.ade_m is None:
        return 'no sample: the drive is too short, or nothing moved'
    return f'{own.ade_m[-1]:.2f} m, CTRA {physics.ade_m[-1]:.2f} m, {own.count} samples'
