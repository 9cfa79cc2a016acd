# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion simulate``, from the command line to the recordings."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, TypeAlias

import pytest

from mm_fusion.bags import drive_messages as topics
from mm_fusion.bags import read_bag
from mm_fusion.bags.drive_messages import TYPES
from mm_fusion.bags.raw import RawBag
from support.commands import runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mm_fusion.simulation.scenario import Scenario

    Run: TypeAlias = Callable[..., tuple[int, str, str]]

DEADLINE_S = 60.0

TINY = """
name: tiny
duration_s: 1.0
camera: {width: 64, height: 36}
microphone: {channels: 2}
traffic: {vehicles: 2, parked: 2}
"""
TWO_DRIVES = '0.0005'


@pytest.fixture(scope='module')
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('scenarios') / 'tiny.yaml'
    path.write_text(TINY, encoding='utf-8')
    return path


@pytest.fixture(scope='module')
def blind(tiny: Path) -> Path:
    """A scenario without a camera, which is quick."""
    path = tiny.with_name('blind.yaml')
    path.write_text(TINY.replace('camera: {', 'camera: {enabled: false, '), encoding='utf-8')
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``mm_fusion simulate`` and return status, stdout and stderr."""
    return runner('simulate', monkeypatch, capsys)


def messages(path: Path) -> dict[str, list[tuple[int, bytes]]]:
    found: dict[str, list[tuple[int, bytes]]] = {}
    with RawBag(path) as bag:
        for topic, stamp_ns, data in bag.messages(bag.types):
            found.setdefault(topic, []).append((stamp_ns, data))
    return found


def value(output: str, name: str) -> str:
    """Read a line of the final table."""
    (found,) = re.findall(rf'^ +{name} +(\S.*?) *$', output, re.M)
    return str(found)


def test_a_drive_becomes_one_file(run: Run, blind: Path, tmp_path: Path) -> None:
    status, output, _ = run(blind, '--out', tmp_path / 'drive.mcap', '--seed', 3)

    assert status == 0
    assert value(output, 'drives') == '1 made'
    assert value(output, 'driven') == '0.000 h (1.0 s)'
    assert [path.name for path in tmp_path.iterdir()] == ['drive.mcap']
    with read_bag(tmp_path / 'drive.mcap') as bag:
        assert bag.topics.odometry == topics.ODOMETRY
        assert bag.topics.image is None


def test_the_same_seed_gives_the_same_bytes_however_many_work(
    run: Run, tiny: Path, tmp_path: Path
) -> None:
    alone, batch = tmp_path / 'alone.mcap', tmp_path / 'batch'
    assert run(tiny, '--out', alone, '--seed', 1)[0] == 0
    status, output, _ = run(tiny, '--out', batch, '--hours', TWO_DRIVES, '--workers', 2)

    assert status == 0
    assert value(output, 'drives') == '2 made'
    assert value(output, 'camera frames') == '32'
    names = ['tiny_000000', 'tiny_000001']
    assert sorted(path.name for path in batch.iterdir()) == names
    first, second = (messages(batch / name) for name in names)
    assert len(first[topics.IMAGE]) == len(first[topics.CAMERA_INFO]) == 16
    assert len(first[topics.AUDIO]) == 50
    # Shorter than 6 s, so that no future of any instant is whole.
    assert first.keys() == TYPES.keys() - {topics.IMAGE_RAW, topics.PATH}
    again = messages(alone)
    assert again.keys() == second.keys()
    for topic, items in second.items():
        assert again[topic] == items, topic
    # Another seed is another drive, to each of the sensors.
    for topic in (topics.IMAGE, topics.AUDIO, topics.FIX, topics.VELOCITY, topics.ODOMETRY):
        assert first[topic] != second[topic], topic


def test_drives_that_are_there_are_kept_and_others_made(
    run: Run, blind: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    arguments = (blind, '--out', out, '--hours', TWO_DRIVES)
    run(*arguments)
    before = (out / 'tiny_000001' / 'metadata.yaml').stat().st_mtime_ns
    for file in (out / 'tiny_000000').iterdir():
        file.unlink()
    (out / 'tiny_000000').rmdir()

    status, output, _ = run(*arguments)

    assert status == 0
    assert value(output, 'drives') == '1 made, 1 kept'
    assert (out / 'tiny_000001' / 'metadata.yaml').stat().st_mtime_ns == before
    status, _, error = run(*arguments, '--raw')
    assert status == 2
    assert 'was not made from this scenario with these options' in error
    assert len(error.splitlines()) == 1


def test_options_change_the_scenario(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[tuple[Scenario, str, str]] = []

    class Nothing:
        drives = frames = 0
        simulated_s = 0.0

    def note(jobs: list[object], workers: int, progress: object) -> Nothing:
        chosen.extend((job.scenario, job.path.name, job.images) for job in jobs)  # type: ignore[attr-defined]
        for job in jobs:
            job.path.mkdir(parents=True)  # type: ignore[attr-defined]
        return Nothing()

    monkeypatch.setattr('mm_fusion.bags.drive_batch.write_drives', note)
    run(
        tiny, '--out', tmp_path / 'a', '--duration', 1.5, '--shader', 'full', '--seed', 7,
        '--hours', '0.001', '--raw', '--camera-rate', 2,
    )  # fmt: skip
    run('random', '--out', tmp_path / 'b', '--seed', 4, '--duration', 1800, '--hours', 1)
    run('random', '--out', tmp_path / 'c', '--seed', 4, '--road', 'motorway', '--motion-only')

    assert [s.camera.rate_hz for s, _, _ in chosen] == [2.0] * 3 + [15.0] * 3
    drawn, motorway = chosen[3][0], chosen[5][0]
    assert (drawn.road.kind, motorway.road.kind) == ('rural', 'motorway')
    assert [(s.camera.enabled, s.microphone.enabled) for s in (drawn, motorway)] == [
        (True, True),
        (False, False),
    ]
    made = [(s.seed, s.duration_s, s.camera.shader, name, images) for s, name, images in chosen]
    assert made[:3] == [
        (7, 1.5, 'full', 'tiny_000007', 'raw'),
        (8, 1.5, 'full', 'tiny_000008', 'raw'),
        (9, 1.5, 'full', 'tiny_000009', 'raw'),
    ]
    assert [(item[0], item[1], item[3]) for item in made[3:5]] == [
        (4, 1800.0, 'random_000004'),
        (5, 1800.0, 'random_000005'),
    ]


def test_the_scenarios_are_listed(run: Run) -> None:
    status, output, _ = run('--list')

    assert status == 0
    assert 'town ' in output
    assert 'A dry day in a town' in output
    assert 'random ' in output


def test_what_is_refused_is_one_line(run: Run, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / 'there').touch()
    bad = tmp_path / 'bad.yaml'
    bad.write_text('colour: 1')
    for arguments, text in (
        (('twon', '--out', tmp_path / 'a'), "did you mean 'town'?"),
        ((bad, '--out', tmp_path / 'a'), 'colour: no such key'),
        ((tmp_path / 'none.yaml', '--out', tmp_path / 'a'), 'No such file'),
        ((tiny,), 'expected a scenario and --out'),
        ((tiny, '--out', tmp_path / 'a', '--road', 'town'), "expected it with 'random' alone"),
        ((tiny, '--out', tmp_path / 'there'), 'exists already'),
    ):
        status, _, error = run(*arguments)
        assert status == 2
        assert text in error
        assert len(error.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ['bad.yaml', 'there']


def test_a_machine_that_cannot_render_is_told_what_to_install(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('__EGL_VENDOR_LIBRARY_DIRS', str(tmp_path))

    status, _, error = run(tiny, '--out', tmp_path / 'drive')

    assert status == 2
    assert 'libgl1-mesa-dri' in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_no_half_drive(tmp_path: Path) -> None:
    long = tmp_path / 'long.yaml'
    long.write_text('{name: long, duration_s: 5, camera: {enabled: false}}', encoding='utf-8')
    out = tmp_path / 'out'
    # A job in the background is born deaf to it, and so would this process be.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, '-m', 'mm_fusion.cli.main', 'simulate', str(long), '--out', str(out),
         '--hours', '0.1', '--workers', '2'],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, heard)
    try:
        deadline = time.monotonic() + DEADLINE_S
        while not list(out.glob('.*.part/*/*.mcap')):
            assert process.poll() is None
            assert time.monotonic() < deadline, 'no drive was begun'
        # As a terminal does: to all processes at once.
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
        process.communicate()

    assert process.returncode == 130
    assert 'interrupted: the drives that are whole are kept' in output
    assert 'Traceback' not in output
    left = list(out.iterdir())
    assert [path for path in left if path.suffix == '.part'] == []
    for path in left:
        with read_bag(path):
            pass
