# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Curves of a training: one row for each epoch as CSV, and a figure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mm_fusion.training.checkpoint import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

CSV_FILE, PNG_FILE = 'curves.csv', 'curves.png'
_SCORES = ('UAR', 'AUC')
_METRES = ('ADE', 'minADE')
_PLAIN = ('epoch', 'rate', 'best', 'seconds')
_RC = {
    'font.size': 8.5,
    'axes.titlesize': 9.5,
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.edgecolor': '#b9c0c9',
    'axes.grid': True,
    'grid.color': '#e3e7ec',
    'grid.linewidth': 0.6,
    'axes.axisbelow': True,
    'xtick.color': '#5f6b7a',
    'ytick.color': '#5f6b7a',
    'axes.labelcolor': '#5f6b7a',
    'legend.frameon': False,
    'legend.fontsize': 7.5,
}
_TRAIN, _HELD_OUT = '#8794a5', '#1f6fd1'
_COLOURS = ('#1f6fd1', '#d9822b', '#2c9a68', '#b0489a', '#7d5636', '#c23b4b')


def write_curves(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write ``curves.csv``.

    Args:
        folder: Where to.
        history: A row for each epoch; a figure that an epoch does not have stays empty.

    Raises:
        DatasetError: It cannot be written.
    """
    columns = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, columns, restval='', lineterminator='\n')
    writer.writeheader()
    for row in history:
        writer.writerow({name: f'{value:.6g}' for name, value in row.items()})
    write_whole(folder / CSV_FILE, text.getvalue().encode())


def draw_curves(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Draw ``curves.png``, which takes a second or two; for the rest see ``write_curves``."""
    image = io.BytesIO()
    with matplotlib.rc_context(_RC):
        curves_figure(history).savefig(image, format='png', dpi=150)
    write_whole(folder / PNG_FILE, image.getvalue())


def curves_figure(history: Sequence[Mapping[str, float]]) -> Figure:
    """Draw one panel for each loss, one for the scores, one for lengths and one for the rate."""
    names = list(dict.fromkeys(name for row in history for name in row if name not in _PLAIN))
    losses = list(dict.fromkeys(n.split(' ', 1)[1] for n in names if n.startswith('train ')))
    scores = [n for n in names if n.removeprefix('validation ').startswith(_SCORES)]
    metres = [n for n in names if n.removeprefix('validation ').startswith(_METRES)]
    count = len(losses) + bool(scores) + bool(metres) + 1
    columns = min(4, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(2.9 * columns, 2.1 * rows), layout='constrained')
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, loss in zip(panels, losses, strict=False):
        axes.set_title(f'Loss: {loss.replace("_", " ")}' if loss != 'loss' else 'Total loss')
        _line(axes, history, f'train {loss}', _TRAIN, 'training')
        _line(axes, history, f'validation {loss}', _HELD_OUT, 'held out')
    rest = iter(panels[len(losses) :])
    for title, group in (('Scores, held out', scores), ('Displacement at 6 s, held out', metres)):
        if not group:
            continue
        axes = next(rest)
        axes.set_title(title)
        for index, name in enumerate(group):
            label = name.removeprefix('validation ').removesuffix(' m')
            _line(axes, history, name, _COLOURS[index % len(_COLOURS)], label)
        axes.legend()
        axes.set_ylabel('m' if group is metres else '')
    axes = next(rest)
    axes.set_title('Learning rate')
    _line(axes, history, 'rate', _TRAIN, '')
    axes.set_ylim(bottom=0)
    for unused in rest:
        unused.set_visible(False)
    if losses:
        panels[0].legend()
    for axes in panels:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel('epoch')
    return figure


def _line(
    axes: Axes, history: Sequence[Mapping[str, float]], name: str, colour: str, label: str
) -> None:
    points = [(row['epoch'], row[name]) for row in history if name in row]
    if points:
        epochs, values = zip(*points, strict=True)
        marker = 'o' if len(points) < 12 else ''
        axes.plot(epochs, values, color=colour, label=label, marker=marker, markersize=2.5)
