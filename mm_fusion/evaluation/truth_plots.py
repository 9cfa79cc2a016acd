# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the road state beside the truth."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mm_fusion.evaluation.plots import WIDTH_IN
from mm_fusion.evaluation.theme import BAD, GOOD, INK, LINE, MUTED, RC
from mm_fusion.metrics.road_state import SURFACE_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mm_fusion.metrics.road_truth import SurfaceSums

BAND = (-0.17, 0.1)
"""Bottom and height of a band of truth under an axis from 0 to 1."""

_PANELS = {'friction': 'Friction', 'material': 'Material', 'unevenness': 'Unevenness'}


def confusion_figure(sums: SurfaceSums) -> Figure:
    """Draw, for each true class, the share of outputs by their most probable class."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(WIDTH_IN, 3.2), layout='constrained')
        sizes = [len(SURFACE_TABLES[table][1]) for table in _PANELS]
        panels = figure.subplots(1, len(_PANELS), width_ratios=[size + 2 for size in sizes])
        for axes, (table, title) in zip(panels, _PANELS.items(), strict=True):
            axes.set_title(title)
            _plot_matrix(axes, sums.matrices[table], list(SURFACE_TABLES[table][1]))
    return figure


def _plot_matrix(axes: Axes, matrix: NDArray[np.int64], names: Sequence[str]) -> None:
    support = matrix.sum(axis=1)
    shares = matrix / np.maximum(support, 1)[:, None]
    for row, column in itertools.product(range(len(names)), repeat=2):
        share = float(shares[row, column])
        corner = (column - 0.47, row - 0.47)
        axes.add_patch(Rectangle(corner, 0.94, 0.94, color=LINE, alpha=0.35, linewidth=0))
        tone = GOOD if row == column else BAD
        axes.add_patch(Rectangle(corner, 0.94, 0.94, color=tone, alpha=0.75 * share, linewidth=0))
        if share >= 0.005:
            axes.text(
                column, row, f'{share:.0%}'.removesuffix('%'), color=INK,
                ha='center', va='center', fontsize=7.5,
                fontweight='bold' if row == column else 'normal',
            )  # fmt: skip
    labels = [name.replace('_', ' ') for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=40, ha='right', rotation_mode='anchor')
    axes.set_yticks(
        range(len(names)),
        [f'{label}  {count:,}' for label, count in zip(labels, support, strict=True)],
    )
    axes.tick_params(length=0, pad=2)
    axes.set_xlim(-0.55, len(names) - 0.45)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_aspect('equal')
    axes.spines[:].set_visible(False)
    axes.set_xlabel('most probable')
    axes.set_ylabel('true, outputs')


def plot_band(
    axes: Axes, edges_s: NDArray[np.float64], classes: NDArray[np.int64], colours: Sequence[str]
) -> None:
    """Draw the true class over time as a band under the axis, which is to run from 0 to 1.

    Args:
        axes: To draw on.
        edges_s: float64 (n + 1,), beginning and end of each row.
        classes: int64 (n,), indices into the colours; negative where nothing is known.
        colours: By class.
    """
    starts = np.concatenate(([0], np.flatnonzero(np.diff(classes)) + 1, [len(classes)]))
    for begin, end in itertools.pairwise(starts):
        index = int(classes[begin])
        if index >= 0:
            width = edges_s[end] - edges_s[begin]
            axes.broken_barh([(edges_s[begin], width)], BAND, color=colours[index], linewidth=0)
    axes.text(
        1.005, BAND[0] + BAND[1] / 2, 'truth', color=MUTED, fontsize=7.5, va='center',
        transform=axes.get_yaxis_transform(),
    )  # fmt: skip
    axes.set_ylim(BAND[0] - 0.03, 1)
    axes.spines['left'].set_bounds(0, 1)
    axes.set_yticks([0, 0.5, 1.0])
