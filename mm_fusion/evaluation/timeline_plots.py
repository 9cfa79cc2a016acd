# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures over time: the road state, and what each sensor gave to it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from mm_fusion.drawing.palette import (
    FRICTION_COLOURS,
    MATERIAL_COLOURS,
    MODALITY_COLOURS,
    UNEVENNESS_COLOURS,
)
from mm_fusion.evaluation.plots import WIDTH_IN
from mm_fusion.evaluation.records import MODALITIES
from mm_fusion.evaluation.theme import BAD, GOOD, INK, LINE, MUTED, RC, WARN
from mm_fusion.evaluation.truth_plots import plot_band
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mm_fusion.evaluation.records import Timeline

_AGE_POINTS = 200
_STATES = {
    ModalityState.PRESENT: (GOOD, 'present'),
    ModalityState.STALE: (WARN, 'stale'),
    ModalityState.NEVER_SEEN: (LINE, 'never seen'),
}


def road_figure(timeline: Timeline) -> Figure:
    """Draw the filtered posteriors as stacked areas, and the siren with its flag.

    Where the truth is known, it lies under each as a band.
    """
    truth = timeline.truth
    edges = _edges(timeline.times_s)
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 6.2), layout='constrained')
        rows = figure.subplots(4, 1, sharex=True, height_ratios=(1.5, 1.2, 1.0, 0.8))
        for axes, task, names, colours in (
            (rows[0], 'friction', FRICTION_CLASSES, FRICTION_COLOURS),
            (rows[1], 'material', MATERIAL_CLASSES, MATERIAL_COLOURS),
            (rows[2], 'unevenness', UNEVENNESS_CLASSES, UNEVENNESS_COLOURS),
        ):
            axes.set_title(task.capitalize())
            _stack(axes, timeline.times_s, getattr(timeline, task), names, colours)
            axes.set_ylim(0, 1)
            if truth is not None:
                plot_band(axes, edges, getattr(truth, task), colours)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        siren = rows[3]
        siren.set_title('Siren')
        siren.plot(timeline.times_s, timeline.siren, color=BAD, linewidth=1.3)
        siren.fill_between(
            timeline.times_s, 0, 1, where=timeline.siren_flag, color=BAD, alpha=0.25, linewidth=0
        )
        siren.set_ylim(0, 1)
        if truth is not None:
            plot_band(siren, edges, truth.siren, (LINE, BAD))
        siren.yaxis.set_major_formatter(PercentFormatter(1.0))
        siren.legend(
            handles=[Patch(color=BAD, alpha=0.25, label='flag raised')],
            loc='upper left', bbox_to_anchor=(1.0, 1.06), borderaxespad=0.3,
        )  # fmt: skip
        _time_axis(siren, timeline.times_s)
    return figure


def _stack(
    axes: Axes,
    times_s: NDArray[np.float64],
    values: NDArray[np.float32],
    names: Sequence[str],
    colours: Sequence[str],
) -> None:
    axes.stackplot(times_s, *values.T, colors=colours, linewidth=0)
    handles = [
        Patch(color=colour, label=name.replace('_', ' '))
        for name, colour in zip(names, colours, strict=True)
    ]
    axes.legend(
        handles=handles, loc='upper left', bbox_to_anchor=(1.0, 1.06), borderaxespad=0.3,
        labelspacing=0.25, handlelength=1.0,
    )  # fmt: skip


def modality_figure(timeline: Timeline) -> Figure:
    """Draw the state of each sensor, the age of its data, and its weight in the road state."""
    weighted = bool(np.nansum(timeline.weights) > 0)
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 4.8 if weighted else 3.4), layout='constrained')
        heights = (1.0, 1.2, 1.1) if weighted else (1.0, 1.2)
        rows = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        _plot_states(rows[0], timeline)
        _plot_ages(rows[1], timeline)
        if weighted:
            weights = rows[2]
            weights.set_title('Weight in the road state')
            used = np.flatnonzero(np.nansum(timeline.weights, axis=0) > 0)
            names = [MODALITIES[column].value for column in used]
            colours = [MODALITY_COLOURS[column] for column in used]
            _stack(weights, timeline.times_s, timeline.weights[:, used], names, colours)
            weights.set_ylim(0, 1)
            weights.yaxis.set_major_formatter(PercentFormatter(1.0))
        _time_axis(rows[-1], timeline.times_s)
    return figure


def _plot_states(axes: Axes, timeline: Timeline) -> None:
    axes.set_title('Sensors')
    edges = _edges(timeline.times_s)
    for row in range(len(MODALITIES)):
        states = timeline.states[:, row]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(states)) + 1, [states.size]))
        for begin, end in itertools.pairwise(starts):
            colour, _ = _STATES[ModalityState(int(states[begin]))]
            width = edges[end] - edges[begin]
            axes.broken_barh([(edges[begin], width)], (row - 0.32, 0.64), color=colour)
    axes.set_yticks(range(len(MODALITIES)), [modality.value for modality in MODALITIES])
    axes.set_ylim(len(MODALITIES) - 0.5, -0.5)
    axes.tick_params(axis='y', length=0, labelcolor=INK)
    axes.spines[['left', 'bottom']].set_visible(False)
    handles = [Patch(color=colour, label=label) for colour, label in _STATES.values()]
    axes.legend(handles=handles, loc='upper left', bbox_to_anchor=(1.0, 1.06), borderaxespad=0.3)


def _plot_ages(axes: Axes, timeline: Timeline) -> None:
    """Plot the largest age in each stretch of time: single outputs of a long drive would blur."""
    axes.set_title('Age of the newest measurement, at most')
    size = -(-timeline.times_s.size // _AGE_POINTS)
    starts = np.arange(0, timeline.times_s.size, size)
    for column, modality in enumerate(MODALITIES):
        ages = timeline.ages_s[:, column]
        known = np.isfinite(ages)
        if not known.any():
            continue
        largest = np.maximum.reduceat(np.where(known, ages, -1.0), starts)
        largest[largest < 0] = np.nan
        axes.plot(
            timeline.times_s[starts],
            largest,
            color=MODALITY_COLOURS[column],
            linewidth=1.4,
            label=modality.value,
        )
    axes.set_ylabel('s')
    axes.set_ylim(bottom=0)
    axes.grid(axis='y')
    axes.legend(loc='upper left', bbox_to_anchor=(1.0, 1.06), borderaxespad=0.3)


def _edges(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    middles = (times_s[1:] + times_s[:-1]) / 2
    return np.concatenate((times_s[:1], middles, times_s[-1:]))


def _time_axis(axes: Axes, times_s: NDArray[np.float64]) -> None:
    axes.set_xlabel('Time since the first output (s)', color=MUTED)
    first, last = float(times_s[0]), float(times_s[-1])
    axes.set_xlim(first, max(last, first + 0.1))
