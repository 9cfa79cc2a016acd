# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the scores: error against horizon, error distribution, calibration, latency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from mm_fusion.evaluation.records import LATENCY_EDGES_S, MODELS
from mm_fusion.evaluation.theme import INK, LINE, MODEL_COLOURS, MODEL_NAMES, MUTED, RC
from mm_fusion.metrics.trajectory import CONFIDENCE, ERROR_EDGES_M, STEPS_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from mm_fusion.evaluation.records import LatencySums, Subset, Totals
    from mm_fusion.metrics.trajectory import TrajectorySums

WIDTH_IN = 9.0


def error_figure(totals: Totals) -> Figure:
    """Draw the mean error against the horizon, for all samples and those that turn."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 3.1), layout='constrained')
        every, turns = figure.subplots(1, 2, sharey=True)
        panels: tuple[tuple[Axes, Subset, str], ...] = (
            (every, 'all', 'All samples'),
            (turns, 'turning', 'Turning by more than 15°'),
        )
        for axes, subset, title in panels:
            count = totals.scores['ctra'][subset].count
            axes.set_title(f'{title} ({count})')
            for model in MODELS:
                _plot_error(axes, model, totals.scores[model][subset])
            if count == 0:
                axes.text(
                    0.5, 0.5, 'no sample', color=MUTED, ha='center', transform=axes.transAxes
                )
            axes.set_xlabel('Horizon (s)')
            axes.set_xlim(0, 6.15)
            axes.grid(axis='y')
        every.set_ylim(bottom=0)
        every.set_ylabel('Mean displacement (m)')
        every.legend(loc='upper left')
    return figure


def _plot_error(axes: Axes, model: str, sums: TrajectorySums) -> None:
    error = sums.error_m
    if error is None:
        return
    own = model == 'mm_fusion'
    axes.plot(
        np.concatenate(([0.0], STEPS_S)),
        np.concatenate(([0.0], error)),
        color=MODEL_COLOURS[model],
        linewidth=2.2 if own else 1.4,
        marker='o' if own else None,
        markersize=3.5,
        label=MODEL_NAMES[model],
        zorder=3 if own else 2,
    )


def distribution_figure(totals: Totals) -> Figure:
    """Draw the share of samples below each error, and how honest the 90 % ellipses are."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 3.0), layout='constrained')
        errors, coverage = figure.subplots(1, 2)
        errors.set_title('Distribution of ADE at 6 s')
        for model in MODELS:
            histogram = totals.scores[model]['all'].ade_histogram
            if not histogram.any():
                continue
            share = np.concatenate(([0.0], np.cumsum(histogram) / histogram.sum()))
            errors.plot(
                ERROR_EDGES_M[1:-1],
                share[1:-1],
                color=MODEL_COLOURS[model],
                linewidth=2.2 if model == 'mm_fusion' else 1.4,
                label=MODEL_NAMES[model],
            )
        errors.set_xscale('log')
        errors.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
        errors.yaxis.set_major_formatter(PercentFormatter(1.0))
        errors.set_ylim(0, 1.02)
        errors.set_xlabel('ADE at 6 s (m)')
        errors.set_ylabel('Samples at or below')
        errors.grid()
        errors.legend(loc='upper left')
        _plot_coverage(coverage, totals.scores['mm_fusion']['all'])
    return figure


def _plot_coverage(axes: Axes, sums: TrajectorySums) -> None:
    axes.set_title('Coverage of the 90 % ellipses')
    axes.axhline(CONFIDENCE, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=3)
    share = sums.coverage
    if share is not None:
        axes.bar(STEPS_S, share, width=0.3, color=MODEL_COLOURS['mm_fusion'], alpha=0.75)
    axes.set_ylim(0, 1.04)
    axes.set_xlim(0, 6.3)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel('Horizon (s)')
    axes.set_ylabel('True positions inside')
    axes.grid(axis='y')


def latency_figure(latencies: Mapping[str, LatencySums]) -> Figure:
    """Draw, for each stage, how its durations spread: quartiles, 95 % and the worst."""
    stages = list(latencies)
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 0.75 + 0.34 * len(stages)), layout='constrained')
        axes = figure.subplots()
        for row, stage in enumerate(stages):
            sums = latencies[stage]
            _plot_density(axes, row, sums)
            axes.plot(sums.worst_s * 1e3, row, marker='|', color=MUTED, markersize=9)
        axes.set_xscale('log')
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
        axes.set_yticks(range(len(stages)), stages)
        axes.tick_params(axis='y', length=0, labelcolor=INK)
        axes.set_ylim(len(stages) - 0.4, -0.6)
        axes.spines['left'].set_visible(False)
        axes.set_xlabel('Duration of one run (ms); the tick marks the slowest')
        axes.grid(axis='x')
    return figure


def _plot_density(axes: Axes, row: int, sums: LatencySums) -> None:
    seen = np.flatnonzero(sums.histogram)
    low, high = seen[0], seen[-1] + 1
    edges = np.maximum(LATENCY_EDGES_S[low : high + 1], 1e-6)
    edges[-1] = min(edges[-1], max(sums.worst_s, edges[-2] * 1.02))
    height = sums.histogram[low:high] / sums.histogram.max() * 0.42
    axes.fill_between(
        edges * 1e3,
        row - np.append(height, height[-1]),
        row + np.append(height, height[-1]),
        step='post',
        color=MODEL_COLOURS['mm_fusion'],
        linewidth=0,
    )
    axes.axhline(row, color=LINE, linewidth=0.6, zorder=0)
