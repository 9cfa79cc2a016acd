# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the demonstrations of the fusion network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.fusion_scores import SCORES
from mm_fusion.training.predict import SUBSETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

STYLE: dict[str, Any] = {
    'font.size': 9.0,
    'axes.titlesize': 10.0,
    'axes.titlelocation': 'left',
    'axes.titleweight': 'bold',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.edgecolor': '#b9c0c9',
    'axes.axisbelow': True,
    'axes.labelcolor': '#3c4654',
    'xtick.color': '#3c4654',
    'ytick.color': '#3c4654',
    'grid.color': '#e3e7ec',
    'legend.frameon': False,
}
COLOURS = {'camera': '#1f6fd1', 'microphone': '#d9822b', 'both': '#2c9a68', 'motion': '#8794a5'}
_STRATEGY_STYLES: dict[str, dict[str, Any]] = {
    'attention': {'color': '#1f6fd1', 'marker': 'o'},
    'gated': {'color': '#d9822b', 'marker': 's'},
    'concat': {'color': '#2c9a68', 'marker': '^'},
    'decision': {'color': '#b0489a', 'marker': 'v'},
    'structure': {'color': '#7d5636', 'marker': 'P'},
    'as shipped': {'color': '#1d2530', 'marker': 'D', 'fillstyle': 'none'},
    'pre-trained': {'color': '#1f6fd1', 'marker': 'o'},
    'labels alone': {'color': '#d9822b', 'marker': 's'},
    'trained alone': {'color': '#c23b4b', 'marker': '|', 'markersize': 12, 'mew': 2},
}
_SHORT = {'camera': 'camera', 'microphone': 'sound', 'motion': 'motion'}
_LARGEST_SHIFT, _BAND = 0.22, 0.7


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, pil_kwargs={'optimize': True})


def draw_subsets(path: Path, rows: Sequence[Mapping[str, Any]], told: str) -> None:
    """Draw a panel for each task: modality subsets down, scores across, strategies by colour."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(13.0, 10.5), layout='constrained')
        panels = figure.subplots(3, 3, sharey=True).ravel()
        strategies = list(dict.fromkeys(row['strategy'] for row in rows))
        subsets = list(SUBSETS)
        apart = min(_LARGEST_SHIFT, _BAND / len(strategies))
        for axes, (task, described) in zip(panels, SCORES.items(), strict=True):
            axes.axhspan(len(subsets) - 1.5, len(subsets) - 0.5, color='#f0f3f7', lw=0)
            for number, strategy in enumerate(strategies):
                shift = apart * (number - (len(strategies) - 1) / 2)
                chosen = [r for r in rows if (r['strategy'], r['task']) == (strategy, task)]
                axes.errorbar(
                    [row['score'] for row in chosen],
                    [subsets.index(row['modalities']) + shift for row in chosen],
                    xerr=[row['deviation'] for row in chosen],
                    elinewidth=0.9,
                    **{'linestyle': '', 'markersize': 5.5, **_STRATEGY_STYLES[strategy]},
                    label=strategy,
                )
            if task in ('ade', 'min_ade'):
                axes.axvline(1.0, color='#8794a5', lw=0.9, ls='--')
            axes.set_title(described.label)
            axes.set_xlabel('better →' if described.higher else '← better')
            axes.grid(visible=True, axis='x')
        names = [' + '.join(_SHORT[name] for name in chosen) for chosen in SUBSETS.values()]
        panels[0].set_yticks(range(len(subsets)), names)
        panels[0].invert_yaxis()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside upper center', ncols=len(labels), title=told)
        save(figure, path)


def draw_robustness(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    images: Mapping[str, NDArray[np.uint8]],
    told: str,
) -> None:
    """Draw what the camera sees, the scores in each condition, and the published weights."""
    conditions = list(dict.fromkeys(row['condition'] for row in rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 8.2), layout='constrained')
        grid = figure.add_gridspec(3, len(images), height_ratios=(1.0, 1.5, 1.0))
        for place, (name, image) in enumerate(images.items()):
            axes = figure.add_subplot(grid[0, place])
            axes.imshow(image)
            axes.set_title(name)
            axes.set_axis_off()
        axes = figure.add_subplot(grid[1, :])
        _bars(axes, rows, conditions)
        axes.set_title(f'Wet against dry, mean recall ({told}; bars: 90 % over draws of drives)')
        axes = figure.add_subplot(grid[2, :])
        _weights(axes, rows, conditions)
        save(figure, path)


def _bars(axes: Axes, rows: Sequence[Mapping[str, Any]], conditions: Sequence[str]) -> None:
    choices = list(dict.fromkeys(row['modalities'] for row in rows))
    for number, choice in enumerate(choices):
        chosen = [row for row in rows if row['modalities'] == choice]
        places = np.arange(len(conditions)) + 0.27 * (number - 1)
        values = np.array([row['uar'] for row in chosen])
        reach = [[v - row['low'], row['high'] - v] for v, row in zip(values, chosen, strict=True)]
        label = 'camera and sound' if choice == 'both' else f'{_SHORT[choice]} alone'
        axes.bar(
            places,
            values,
            0.25,
            color=COLOURS[choice],
            label=label,
            yerr=np.maximum(np.array(reach).T, 0.0),
            error_kw={'lw': 1.0, 'ecolor': '#3c4654'},
        )
        for place, value in zip(places, values, strict=True):
            axes.text(place, 0.02, f'{value:.2f}', ha='center', color='white', fontsize=8)
    axes.axhline(0.5, color='#3c4654', lw=0.9, ls='--')
    axes.set_ylim(0.0, 1.15)
    axes.set_xlim(-0.5, len(conditions) - 0.5)
    axes.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    axes.set_xticks(range(len(conditions)), conditions)
    axes.grid(visible=True, axis='y')
    axes.legend(loc='upper right', ncols=len(choices))


def _weights(axes: Axes, rows: Sequence[Mapping[str, Any]], conditions: Sequence[str]) -> None:
    """Draw the weights where both are given, one bar for each condition."""
    below = np.zeros(len(conditions))
    for name in ('camera', 'microphone'):
        values = np.array([r[f'weight_{name}'] for r in rows if r['modalities'] == 'both'])
        axes.bar(range(len(conditions)), values, 0.5, below, color=COLOURS[name])
        for place, (value, low) in enumerate(zip(values, below, strict=True)):
            text = f'{_SHORT[name]} {value:.2f}'
            axes.text(
                place, low + value / 2, text, ha='center', va='center', color='white', fontsize=8
            )
        below += values
    axes.set_ylim(0.0, 1.0)
    axes.set_xlim(-0.5, len(conditions) - 0.5)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_title('Published modality weights, camera and sound given')


def draw_finetuning(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    labels: Mapping[str, tuple[str, bool]],
    times: Mapping[str, float],
) -> None:
    """Draw each score before (hollow) and after (filled); a panel for each scenario."""
    with mpl.rc_context(STYLE):
        names = [name for name in labels if any(row['figure'] == name for row in rows)]
        figure = Figure(figsize=(4.3 * len(times) + 1.8, 0.42 * len(names) + 1.4))
        figure.set_layout_engine('constrained')
        panels = figure.subplots(1, len(times), sharey=True, squeeze=False)[0]
        for axes, (scenario, took) in zip(panels, times.items(), strict=True):
            for row in (row for row in rows if row['scenario'] == scenario):
                place = names.index(row['figure'])
                change = row['after'] - row['before']
                improved = change > 0 if labels[row['figure']][1] else change < 0
                colour = '#2c9a68' if improved else '#c23b4b' if change else '#8794a5'
                axes.plot([row['before'], row['after']], [place] * 2, color=colour, lw=1.8)
                axes.plot(row['before'], place, 'o', color='#8794a5', ms=6, mfc='white')
                axes.plot(row['after'], place, 'o', color=colour, ms=6)
                text = f'{row["before"]:.2f} → {row["after"]:.2f}'
                axes.text(
                    1.02,
                    place,
                    text,
                    color=colour,
                    va='center',
                    transform=axes.get_yaxis_transform(),
                )
            axes.set_title(f'{scenario} (trained in {took:.0f} s)')
            axes.set_xlim(left=0.0)
            axes.margins(x=0.08)
            axes.grid(visible=True)
        arrows = {True: '↑', False: '↓'}
        panels[0].set_yticks(
            range(len(names)), [f'{labels[n][0]} {arrows[labels[n][1]]}' for n in names]
        )
        panels[0].set_ylim(len(names) - 0.5, -0.5)
        save(figure, path)
