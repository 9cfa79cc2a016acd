# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the driven path: the map with errors and fans, and single moments close up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.figure import Figure

from mm_fusion.evaluation.plots import WIDTH_IN
from mm_fusion.evaluation.theme import INK, LINE, MODEL_COLOURS, MODEL_NAMES, MUTED, RC
from mm_fusion.metrics.trajectory import confidence_ellipse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mm_fusion.evaluation.records import DriveMap, PathExample

_ERRORS = LinearSegmentedColormap.from_list(
    'errors', ['#3fae7c', '#a9bf4f', '#e8b23f', '#dd7042', '#c23b58', '#8a2f78']
)
_ELLIPSE_STEPS = (1, 3, 5, 11)  # 1, 2, 3 and 6 s


def map_figure(drive: DriveMap) -> Figure:
    """Draw the driven path coloured by the error, whole and around the worst prediction."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 4.15), layout='constrained')
        whole, close = figure.subplots(1, 2)
        levels = _levels(drive.ade_m)
        norm = BoundaryNorm(levels, _ERRORS.N)
        for axes, examples, title in (
            (whole, drive.fans, 'Whole drive'),
            (close, drive.close_up, 'Around the worst prediction'),
        ):
            axes.set_title(title)
            axes.plot(*drive.path.T, color=LINE, linewidth=5, solid_capstyle='round', zorder=1)
            axes.add_collection(_coloured_path(drive, norm))
            for example in examples:
                _plot_fan(axes, example, ellipse=axes is close)
            axes.set_xlabel('East (m)')
            axes.grid()
        whole.set_ylabel('North (m)')
        _frame(whole, drive.path)
        paths = [
            _in_map(example, np.vstack(((0.0, 0.0), path)))
            for example in drive.close_up
            for path in (example.predicted, example.truth)
        ]
        _frame(close, np.vstack(paths))
        bar = figure.colorbar(
            ScalarMappable(norm, _ERRORS),
            ax=(whole, close),
            label='ADE at 6 s (m)',
            ticks=levels,
            format=lambda value, _: f'{value:g}',
            fraction=0.03,
            shrink=0.86,
            pad=0.01,
        )
        bar.ax.spines[:].set_visible(False)
    return figure


def _frame(axes: Axes, points: NDArray[np.float64]) -> None:
    """Show a square around these points; ellipses may reach beyond it."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    half = max(0.56 * float((high - low).max()), 1.0)
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_aspect('equal')


def _levels(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Choose round levels up to about the 98 % quantile of the errors."""
    top = max(float(np.quantile(errors, 0.98)), 0.1)
    unit = 10.0 ** np.floor(np.log10(top / 6))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor * 6 >= top)
    return np.asarray(np.arange(7) * step)


def _coloured_path(drive: DriveMap, norm: BoundaryNorm) -> LineCollection:
    """Join neighbouring samples of one colour into one line each."""
    gaps = np.linalg.norm(np.diff(drive.places, axis=0), axis=1)
    far = gaps > 8 * max(float(np.median(gaps)), 1.0) if gaps.size else gaps
    bins = np.asarray(norm(drive.ade_m)).astype(int)
    lines, colours, start = [], [], 0
    for index in range(1, bins.size + 1):
        ends = index == bins.size
        if ends or bins[index] != bins[start] or far[index - 1]:
            reach = index + 1 if not ends and not far[index - 1] else index
            lines.append(drive.places[start:reach])
            colours.append(_ERRORS(bins[start]))
            start = index
    return LineCollection(lines, colors=colours, linewidths=2.6, capstyle='round', zorder=2)


def _in_map(example: PathExample, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move points from ``base_link`` into the map: float64 (n, 2)."""
    east, north, heading = example.origin
    cos, sin = np.cos(heading), np.sin(heading)
    turned = points @ np.array([[cos, sin], [-sin, cos]])
    return np.asarray(turned + (east, north))


def _plot_fan(axes: Axes, fan: PathExample, *, ellipse: bool) -> None:
    colour = MODEL_COLOURS['mm_fusion']
    path = _in_map(fan, np.vstack(((0.0, 0.0), fan.predicted)))
    axes.plot(*path.T, color=colour, linewidth=1.2, zorder=1.5)
    if ellipse:
        outline = _in_map(fan, fan.predicted[-1] + confidence_ellipse(fan.covariances[-1]))
        axes.plot(*outline.T, color=colour, linewidth=0.6, alpha=0.55, zorder=1.4)


def moments_figure(drive: DriveMap) -> Figure:
    """Draw a typical, a hard and the worst prediction, each seen from the vehicle."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 3.75), layout='constrained')
        panels = figure.subplots(1, len(drive.moments), squeeze=False)[0]
        for axes, (name, moment) in zip(panels, drive.moments.items(), strict=True):
            _plot_moment(axes, moment)
            axes.set_title(f'{name}: ADE {moment.ade_m:.2f} m, at {moment.time_s:.1f} s')
        panels[0].set_ylabel('Ahead (m)')
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside lower center', ncols=4)
    return figure


def _plot_moment(axes: Axes, moment: PathExample) -> None:
    """Plot one prediction with the vehicle at the origin, forward being up."""
    colour = MODEL_COLOURS['mm_fusion']
    for step in _ELLIPSE_STEPS:
        outline = moment.predicted[step] + confidence_ellipse(moment.covariances[step])
        axes.fill(-outline[:, 1], outline[:, 0], color=colour, alpha=0.07, linewidth=0)
        axes.plot(
            -outline[:, 1],
            outline[:, 0],
            color=colour,
            linewidth=0.6,
            alpha=0.6,
            label='90 % ellipse at 1, 2, 3, 6 s' if step == _ELLIPSE_STEPS[-1] else None,
        )
    for points, colour, label, width in (
        (moment.truth, INK, 'driven', 2.4),
        (moment.ctra, MODEL_COLOURS['ctra'], MODEL_NAMES['ctra'], 1.4),
        (moment.predicted, MODEL_COLOURS['mm_fusion'], MODEL_NAMES['mm_fusion'], 2.0),
    ):
        path = np.vstack(((0.0, 0.0), points))
        axes.plot(
            -path[:, 1], path[:, 0], color=colour, linewidth=width, label=label,
            marker='o', markersize=2.2,
        )  # fmt: skip
    axes.plot(0, 0, marker='^', color=INK, markersize=7)
    axes.axhline(0, color=MUTED, linewidth=0.4)
    paths = np.vstack(((0.0, 0.0), moment.truth, moment.ctra, moment.predicted))
    _frame(axes, np.column_stack((-paths[:, 1], paths[:, 0])))
    axes.set_xlabel('To the right (m)')
    axes.grid()
