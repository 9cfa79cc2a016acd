# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.cli.processes import NodeProcess, own_environment, reserved_domain
from mm_fusion.errors import MmFusionError

if TYPE_CHECKING:
    from pathlib import Path


def test_two_runs_have_two_domains() -> None:
    first, first_lock = reserved_domain()
    with first_lock:
        second, second_lock = reserved_domain()
        second_lock.close()

    assert first != second


def test_the_processes_stay_on_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('ROS_STATIC_PEERS', '192.0.2.1')
    with own_environment(tmp_path) as environment:
        assert 'ROS_STATIC_PEERS' not in environment
        assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
        assert 1 <= int(environment['ROS_DOMAIN_ID']) <= 101


def test_a_failure_is_shown_with_the_logs(tmp_path: Path) -> None:
    """bag_player without arguments ends with status 2 and says how it is called."""
    other = NodeProcess('bag_player', ['--help'], os.environ, tmp_path / 'other.log')
    assert other.ended(60.0)
    other.check_status()
    player = NodeProcess('bag_player', [], os.environ, tmp_path / 'player.log')
    assert player.ended(60.0)

    with pytest.raises(MmFusionError, match='bag_player ended with status 2; the end of') as error:
        player.check_status(other)

    assert 'the following arguments are required: bag' in str(error.value)
    assert f'the end of {tmp_path / "other.log"}' in str(error.value)
    with pytest.raises(MmFusionError, match='ended with status 2'):
        player.check_running()


@pytest.mark.ros
def test_lines_are_passed_on_and_a_signal_ends_it(tmp_path: Path) -> None:
    lines: list[Any] = []
    with own_environment(tmp_path) as environment:
        monitor = NodeProcess(
            'live_monitor', [], environment, tmp_path / 'monitor.log', on_line=lines.append
        )
        try:
            while not lines:
                assert not monitor.ended(0.1), (tmp_path / 'monitor.log').read_text()
            monitor.finish(signal.SIGINT)
        finally:
            monitor.kill()

    assert lines[0]['outputs'] == 0
    assert lines[0]['road'] is None
