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
from mm_fusion.cli.live_run import recording_source, run_live, simulator_source
from mm_fusion.errors import MmFusionError
from mm_fusion.simulation.scenario_choice import choose_scenario
from support.bundles import write_tiny_bundle
from support.drives import write_circle

if TYPE_CHECKING:
    from pathlib import Path

ALL = ('camera', 'microphone', 'gnss', 'velocity')
SCENARIO = """
name: short
duration_s: 5
road: {kind: rural}
surface:
  - {from_m: 0, friction: dry}
  - {from_m: 25, friction: wet, blend_m: 2}
traffic: {vehicles: 2, parked: 0}
emergencies:
  - {vehicle: police, approach: oncoming, meets_at_s: 3, on_before_s: 2, off_after_s: 1}
faults:
  - {sensor: gnss, kind: duplicates, from_s: 1, to_s: 3}
  - {sensor: velocity, kind: dies, from_s: 4, to_s: 4.4}
camera: {width: 160, height: 90, rate_hz: 10}
"""


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny')


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / 'short.yaml'
    path.write_text(SCENARIO)
    return path


def demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-m', 'mm_fusion.cli.main', 'demo', *map(str, arguments)],
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
def test_the_simulator_drives_through_the_node(
    bundle: Path, scenario: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'

    result = demo('--scenario', scenario, '--seed', 3, '--bundle', bundle, '--out', out)

    assert result.returncode == 0, result.stdout + result.stderr
    page = (out / 'report' / 'index.html').read_text()
    assert f'report: {out / "report" / "index.html"}' in result.stdout
    assert f'video: {out / "video.webm"}' in result.stdout
    assert '<video' in page
    assert 'Road state against the truth' in page
    assert 'Evaluation of short, seed 3' in page
    played, node = figures(out)['played'], figures(out)['node']
    assert played['published']['/camera/image/compressed'] == node['frames_received'] == 51
    # Half of them would be lost on a machine that is far too slow, none on one that is not.
    assert node['roads'] >= 25
    assert all(node['present'][name] > 0.8 for name in ALL)
    assert figures(out)['recorded']['lost'] == {}
    # What was injected is what was counted.
    doubled = played['injected']['gnss']['hits']['duplicates']
    assert node['drops']['gnss']['duplicate'] == doubled > 0
    assert played['injected']['velocity']['suppressed'] == pytest.approx(20, abs=1)
    for text in ('friction, truth', 'siren, truth', 'right friction', f'duplicates: {doubled}'):
        assert text in result.stdout


@pytest.mark.ros
@pytest.mark.slow
def test_what_the_node_says_is_passed_on_while_it_runs(
    bundle: Path, scenario: Path, tmp_path: Path
) -> None:
    states: list[Any] = []
    chosen = choose_scenario(str(scenario), 1, 2.0)

    run = run_live(
        simulator_source(str(scenario), chosen), tmp_path, bundle=bundle, on_state=states.append
    )  # fmt: skip

    assert run.played['simulated_s'] == pytest.approx(2.0, abs=0.5)
    last = states[-1]
    assert last['outputs'] > 5
    assert last['truth']['friction'] == ['wet', 1.0]
    assert last['road'] is not None
    assert set(last['sensors']) == set(ALL)
    assert states[-1]['time_s'] > states[0]['time_s']


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.realdata
def test_every_frame_of_a_recording_is_answered(
    bundle: Path, tmp_path: Path, real_data: Path
) -> None:
    out = tmp_path / 'out'
    recording = real_data / 'drives' / 'gopro_walk'

    result = demo(recording, '--bundle', bundle, '--out', out, '--no-video')

    assert result.returncode == 0, result.stdout + result.stderr
    node = figures(out)['node']
    assert node['frames_received'] == node['opened'] == 105
    assert node['roads'] + node['superseded'] == 105
    assert node['roads'] >= 103
    assert all(node['present'][name] > 0.95 for name in ALL)
    assert not (out / 'video.webm').exists()


@pytest.mark.ros
@pytest.mark.slow
def test_a_recording_played_twice_is_taken_in_twice(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    circle = write_circle(tmp_path / 'circle', duration_s=2.0)

    result = demo(circle, '--loop', 2, '--bundle', bundle, '--out', out)

    assert result.returncode == 0, result.stdout + result.stderr
    assert figures(out)['played']['published']['/image'] == 20
    assert 'not evaluated: the recording was played more than once' in result.stdout


@pytest.mark.ros
def test_a_process_that_fails_is_shown_with_its_log(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = write_circle(tmp_path / 'circle', duration_s=0.5)
    monkeypatch.setattr(live_run, 'INPUTS', ('not a topic name',))

    with pytest.raises(MmFusionError, match='bag_recorder ended with status 2') as error:
        run_live(recording_source(circle), tmp_path, bundle=bundle)

    assert 'not a topic name: failed to resolve name' in ' '.join(str(error.value).split())
    assert 'Traceback' not in str(error.value)


def test_what_cannot_be_driven_is_refused_in_one_line(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'file').touch()
    circle = write_circle(tmp_path / 'circle', duration_s=0.5)

    for arguments, text in (
        ((tmp_path / 'none', '--out', tmp_path / 'a'), 'there is no such recording'),
        (('--out', tmp_path / 'full'), 'expected a new or an empty folder'),
        (('--bundle', tmp_path / 'none', '--out', tmp_path / 'b'), 'none'),
        (('--scenario', 'moon'), 'moon'),
        ((circle, '--seed', 1), '--seed: serves the simulator'),
        (('--loop', 2), '--loop: serves a recording'),
    ):
        result = demo('--bundle', bundle, *arguments)
        assert result.returncode == 2, arguments
        assert text in result.stderr
        assert len(result.stderr.splitlines()) == 1
