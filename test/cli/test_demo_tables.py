# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from mm_fusion.cli.demo_tables import show_run
from mm_fusion.cli.live_figures import LiveFigures, Stretch
from mm_fusion.cli.live_run import LiveRun

FIGURES = LiveFigures(
    frames_received=90,
    roads=88,
    trajectories=87,
    opened=90,
    superseded=2,
    received={'camera': 90, 'gnss': 1050},
    drops={'camera': {'superseded': 2, 'late': 0}, 'gnss': {'out_of_order': 40}},
    present={'camera': 0.75, 'gnss': 1.0},
    latency_s=(0.0351, 0.0502),
    frictions=(
        Stretch('fresh_snow', 0.0, 7.0),
        Stretch('wet', 7.0, 7.2),
        Stretch('fresh_snow', 7.2, 9.0),
        Stretch('dry', 9.0, 10.5),
    ),
    sirens=(Stretch('siren', 1.0, 2.0),),
)


def shown(played: dict[str, Any]) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    recorded = {'lost': {'/fix': 1}, 'overflowed': {'/audio': 2}}
    show_run(console, LiveRun(Path(), played, recorded), FIGURES, None)
    return ' '.join(console.export_text().split())


def test_what_was_injected_stands_beside_what_was_dropped() -> None:
    text = shown(
        {
            'published': {'/camera/image/compressed': 90, '/audio': 7},
            'injected': {
                'camera': {'suppressed': 61, 'hits': {'dies': 61}},
                'gnss': {'suppressed': 0, 'hits': {'clock_jumps': 40, 'delays': 3}},
            },
            'late': 3,
            'lost_s': 1.25,
        }
    )

    for part in (
        'camera frames published 90',
        'camera 90 75% 2 superseded dies: 61 (61 withheld)',
        'gnss 1,050 100% 40 out of order clock jumps: 40, delays: 3',
        'slowed down 3 times, by 1.2 s in all',
        '88 road states, 87 trajectories; 2 superseded',
        'lost by the recorder 3',
        'median 35 ms, p95 50 ms',
    ):
        assert part in text
    assert 'friction fresh snow 0.0 to 9.0 s, dry 9.0 to 10.5 s siren 1.0 to 2.0 s' in text


def test_a_recording_has_no_injected_faults() -> None:
    text = shown({'published': {'/image': 90}})
    assert 'Injected' not in text
    assert 'slowed down' not in text
