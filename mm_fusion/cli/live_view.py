# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the terminal shows while a drive runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import ROUNDED
from rich.console import Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

_STATES = {'present': 'green', 'stale': 'yellow', 'never_seen': 'dim'}
_WIDTH = 78
_NONE = '–'


def live_view(state: dict[str, Any] | None, title: str, duration_s: float) -> RenderableType:
    """Lay out a state that ``live_monitor`` has printed.

    Args:
        state: The state; None before the first.
        title: What runs.
        duration_s: Length of the drive.
    """
    content: RenderableType = Text('starting the nodes', style='dim')
    if state is not None and state['time_s'] > 0:
        content = Group(_clock(state, duration_s), Text(), _road(state), Text(), _sensors(state))
    return Panel(
        content, title=Text(title), title_align='left', box=ROUNDED, width=_WIDTH, padding=(0, 1)
    )


def _clock(state: dict[str, Any], duration_s: float) -> Table:
    row = Table.grid(padding=(0, 2))
    time_s = min(state['time_s'], duration_s)
    speed = state['speed_mps']
    latency = state['latency_s']
    row.add_row(
        f'{time_s:5.1f} of {duration_s:.0f} s',
        ProgressBar(duration_s, time_s, width=24),
        _NONE if speed is None else f'{speed * 3.6:3.0f} km/h',
        f'{state["outputs"]} outputs',
        '' if latency is None else f'{latency * 1e3:.0f} ms',
    )
    return row


def _road(state: dict[str, Any]) -> Table:
    road, truth = state['road'], state['truth']
    table = Table.grid(padding=(0, 3))
    table.add_column(style='dim', width=20)
    table.add_column(width=20)
    table.add_column(style='dim', width=28)
    for task in ('friction', 'material', 'unevenness'):
        said, share = _NONE, ''
        if road is not None:
            said, share = _words(road[task][0]), f' {road[task][1]:.0%}'
        told = None if truth is None else _words(truth[task][0])
        style = '' if told is None or road is None else ('green' if said == told else 'red')
        if road is not None and not road['surface_observed']:
            style = 'dim'
        table.add_row(task, Text(said + share, style=style), _told(told))
    coefficient = _NONE if road is None else f'{road["friction_coefficient"]:.2f}'
    table.add_row(
        'friction coefficient',
        coefficient,
        _told(None if truth is None else f'{truth["friction_coefficient"]:.2f}'),
    )
    siren = Text(_NONE)
    if road is not None:
        siren = Text('SIREN' if road['siren'] else 'quiet', style='red' if road['siren'] else '')
        siren.append(f' {road["siren_probability"]:.0%}')
    told = None if truth is None else ('siren' if truth['siren'] else 'quiet')
    table.add_row('siren', siren, _told(told))
    return table


def _told(value: str | None) -> str:
    return '' if value is None else f'truth: {value}'


def _sensors(state: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_column(style='dim', width=20)
    table.add_column(width=20)
    table.add_column(style='dim', width=28)
    for name, sensor in state['sensors'].items():
        said = Text(f'● {_words(sensor["state"])}', style=_STATES[sensor['state']])
        drops = sum(sensor['drops'].values())
        counts = f'{sensor["received"]:,} received'
        table.add_row(name, said, f'{counts}, {drops} dropped' if drops else counts)
    return table


def _words(name: str) -> str:
    return name.replace('_', ' ')
