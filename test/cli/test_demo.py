# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo, from the command line to its report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.cli import live_run
from mm_fusion.cli.live_run import run_live
from mm_fusion.errors import MmFusionError
from support.bundles import write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path

ALL = ('camera', 'microphone', 'gnss', 'velocity')


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny')


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-m', 'mm_fusion.cli.main', 'demo', *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        env=dict(os.environ) | {'COLUMNS': '120'},
    )


def figures(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / 'demo.json').read_text())
    return found


@pytest.mark.ros
@pytest.mark.slow
def test_a_made_drive_goes_through_the_node(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'

    result = demo('--duration', '4', '--bundle', str(bundle), '--out', str(out))

    assert result.returncode == 0, result.stdout + result.stderr
    assert f'report: {out / "report" / "index.html"}' in result.stdout
    assert (out / 'report' / 'index.html').stat().st_size > 10_000
    node = figures(out)['node']
    assert figures(out)['played']['published']['/image'] == 40
    assert node['frames_received'] == node['opened'] == 40
    assert node['roads'] + node['superseded'] == 40
    # Half of them would be lost on a machine that is far too slow, none on one that is not.
    assert node['roads'] >= 20
    assert all(node['present'][name] > 0.9 for name in ALL)
    assert figures(out)['recorded']['lost'] == {}
    assert 'ADE at 6 s' in result.stdout


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.realdata
def test_every_frame_of_a_recording_is_answered(
    bundle: Path, tmp_path: Path, real_data: Path
) -> None:
    out = tmp_path / 'out'
    recording = real_data / 'drives' / 'gopro_walk'

    result = demo(str(recording), '--bundle', str(bundle), '--out', str(out))

    assert result.returncode == 0, result.stdout + result.stderr
    node = figures(out)['node']
    assert node['frames_received'] == node['opened'] == 105
    assert node['roads'] + node['superseded'] == 105
    assert node['roads'] >= 103
    assert all(node['present'][name] > 0.95 for name in ALL)


@pytest.mark.ros
@pytest.mark.slow
def test_a_recording_played_twice_is_taken_in_twice(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'

    result = demo(
        '--duration', '2', '--loop', '2', '--bundle', str(bundle), '--out', str(out)
    )  # fmt: skip

    assert result.returncode == 0, result.stdout + result.stderr
    assert figures(out)['played']['published']['/image'] == 40
    assert 'not evaluated: the recording was played more than once' in result.stdout


@pytest.mark.ros
def test_a_process_that_fails_is_shown_with_its_log(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mm_fusion.cli.drive_bag import write_drive
    from mm_fusion.simulation.short_drive import ShortDrive

    write_drive(ShortDrive(duration_s=0.5), tmp_path / 'drive')
    monkeypatch.setattr(live_run, 'INPUTS', ('not a topic name',))

    with pytest.raises(MmFusionError, match='bag_recorder ended with status 2') as error:
        run_live(tmp_path / 'drive', tmp_path, bundle=bundle)

    assert 'not a topic name: failed to resolve name' in ' '.join(str(error.value).split())
    assert 'Traceback' not in str(error.value)


def test_what_cannot_be_played_is_refused_in_one_line(bundle: Path, tmp_path: Path) -> None:
    missing = demo(str(tmp_path / 'none'), '--bundle', str(bundle), '--out', str(tmp_path / 'a'))
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'file').touch()
    full = demo('--bundle', str(bundle), '--out', str(tmp_path / 'full'))
    no_bundle = demo('--bundle', str(tmp_path / 'none'), '--out', str(tmp_path / 'b'))

    for result, text in (
        (missing, 'there is no such recording'),
        (full, 'expected a new or an empty folder'),
        (no_bundle, 'none'),
    ):
        assert result.returncode == 2
        assert text in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_two_runs_have_two_domains() -> None:
    first, first_lock = live_run.reserved_domain()
    with first_lock:
        second, second_lock = live_run.reserved_domain()
        second_lock.close()

    assert first != second
