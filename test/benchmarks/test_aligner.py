# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import aligner

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_benchmark_measures_complete_snapshots_and_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'figures.json'
    monkeypatch.setattr('sys.argv', ['aligner', '--minutes', '0.5', '--json', str(path)])
    assert aligner.main() == 0
    figures = json.loads(path.read_text(encoding='utf-8'))['figures']
    assert figures['pushes'] == 30 * 160 + 1
    assert figures['snapshots'] == figures['completed'] == 900
    assert figures['dropped'] == 0
    assert (
        0 < figures['push_mean_us'] < figures['push_worst_us'] <= figures['push_longest_call_us']
    )
    assert figures['tracked_objects_growth'] < 2000
    assert '| push |' in capsys.readouterr().out


def test_a_missed_limit_fails_where_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aligner, 'MEAN_LIMIT_US', 0.0)
    monkeypatch.setattr('sys.argv', ['aligner', '--minutes', '0.01', '--check'])
    assert aligner.main() == 1
