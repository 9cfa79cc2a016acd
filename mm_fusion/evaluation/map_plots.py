# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the driven path: the map with errors and fans, and single moments close up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
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
    """Draw the driven path coloured by the error, with evenly spaced predictions over it."""
    with matplotlib.rc_context(RC):
        span = np.ptp(drive.path, axis=0)
        tall = float(np.clip(span[1] / max(span[0], 1.0), 0.32, 0.8))
        figure = Figure(figsize=(WIDTH_IN, (WIDTH_IN - 1.4) * tall + 0.6), layout='constrained')
        axes = figure.subplots()
        axes.plot(*drive.path.T, color=LINE, linewidth=4.5, solid_capstyle='round', zorder=1)
        levels = _levels(drive.ade_m)
        norm = BoundaryNorm(levels, _ERRORS.N)
        axes.add_collection(_coloured_path(drive, norm))
        for fan in drive.fans:
            _plot_fan(axes, fan)
        figure.colorbar(
            ScalarMappable(norm, _ERRORS),
            ax=axes,
            label='ADE at 6 s (m)',
            ticks=levels,
            format=lambda value, _: f'{value:g}',
            fraction=0.03,
            pad=0.01,
        ).outline.set_visible(False)  # type: ignore[operator]  # the stub lacks the spine
        axes.set_aspect('equal', adjustable='datalim')
        axes.set_xlabel('East (m)')
        axes.set_ylabel('North (m)')
        axes.grid()
    return figure


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


def _plot_fan(axes: Axes, fan: PathExample) -> None:
    ellipses = [
        _in_map(fan, fan.predicted[step] + confidence_ellipse(fan.covariances[step], 25))
        for step in _ELLIPSE_STEPS
    ]
    colour = MODEL_COLOURS['mm_fusion']
    axes.add_collection(PolyCollection(ellipses, facecolor=colour, alpha=0.13, zorder=3))
    path = _in_map(fan, np.vstack(((0.0, 0.0), fan.predicted)))
    axes.plot(*path.T, color=colour, linewidth=1.1, zorder=4)


def moments_figure(drive: DriveMap) -> Figure:
    """Draw a typical, a hard and the worst prediction, each seen from the vehicle."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 3.9), layout='constrained')
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
    for step in _ELLIPSE_STEPS:
        outline = moment.predicted[step] + confidence_ellipse(moment.covariances[step])
        axes.fill(
            -outline[:, 1],
            outline[:, 0],
            color=MODEL_COLOURS['mm_fusion'],
            alpha=0.14,
            linewidth=0,
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
    axes.set_aspect('equal', adjustable='datalim')
    axes.set_xlabel('To the right (m)')
    axes.grid()
