# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from mm_fusion.cli.live_view import live_view


def road(friction: str, *, siren: bool = False, observed: bool = True) -> dict[str, Any]:
    return {
        'friction': [friction, 0.73],
        'material': ['asphalt', 0.9],
        'unevenness': ['smooth', 0.8],
        'friction_coefficient': 0.61,
        'siren': siren,
        'siren_probability': 0.93,
        'surface_observed': observed,
    }


def state(**changes: Any) -> dict[str, Any]:
    return {
        'time_s': 31.2,
        'outputs': 452,
        'speed_mps': 10.0,
        'road': road('fresh_snow', siren=True),
        'truth': road('wet'),
        'sensors': {
            'camera': {'state': 'stale', 'received': 1452, 'drops': {'late': 2, 'malformed': 1}},
            'gnss': {'state': 'never_seen', 'received': 0, 'drops': {}},
        },
        'latency_s': 0.047,
        'superseded': 3,
        **changes,
    }


def shown(content: dict[str, Any] | None) -> str:
    console = Console(width=90, record=True, file=io.StringIO(), force_terminal=True)
    console.print(live_view(content, 'demo [seed 1]', 62.0))
    return console.export_text(styles=False)


def test_it_says_what_the_node_says_and_what_is_true() -> None:
    text = shown(state())
    for part in (
        'demo [seed 1]', '31.2 of 62 s', '36 km/h', '452 outputs', '47 ms', 'fresh snow 73%',
        'truth: wet', 'SIREN 93%', 'truth: quiet', '0.61', '● stale', '1,452 received, 3 dropped',
        '● never seen',
    ):  # fmt: skip
        assert part in text
    assert len({len(line) for line in text.splitlines()}) == 1  # nothing wraps


def test_what_has_not_come_is_left_open() -> None:
    text = shown(state(road=None, truth=None, speed_mps=None, latency_s=None, sensors={}))
    assert 'truth' not in text
    assert '–' in text


def test_before_the_first_tick_it_says_what_it_waits_for() -> None:
    assert 'starting the nodes' in shown(None)
    assert 'starting the nodes' in shown(state(time_s=0.0))


def test_time_does_not_run_over_the_end() -> None:
    assert '62.0 of 62 s' in shown(state(time_s=63.5))
