# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mm_fusion.bags import BagWriter
from support.bundles import write_tiny_bundle
from support.commands import runner
from support.drives import write_askew, write_circle
from support.truths import write_told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny')


@pytest.fixture(scope='module')
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('drives')
    write_circle(folder / 'first')
    write_circle(folder / 'second', inputs=('velocity', 'odometry'))
    with BagWriter(folder / 'empty'):
        pass
    broken = write_circle(folder / 'broken', inputs=('velocity',))
    (file,) = broken.glob('*.mcap')
    content = bytearray(file.read_bytes())
    content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 4)
    file.write_bytes(content)
    return folder


@pytest.fixture
def run(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run ``mm_fusion evaluate`` and return status, stdout and stderr."""
    return runner('evaluate', monkeypatch, capsys, first=('--bundle', bundle))


def test_tables_json_and_page(
    run: Callable[..., tuple[int, str, str]], drives: Path, tmp_path: Path
) -> None:
    file, folder = tmp_path / 'out.json', tmp_path / 'report'
    bags = (drives / 'first', drives / 'second')
    status, out, _ = run(*bags, '--json', file, '--report', folder)
    assert status == 0
    for word in ('CV', 'CTRV', 'CTRA', 'mm_fusion', 'Turning', '2 recordings', 'Latency'):
        assert word in out
    document = json.loads(file.read_text())
    assert [bag['name'] for bag in document['bags']] == ['first', 'second']
    assert document['total']['bags'] == 2
    assert document['total']['trajectory']['ctra']['all']['samples'] == 16
    assert 'elapsed_s' not in file.read_text()
    assert (folder / 'index.html').read_text().startswith('<!DOCTYPE html>')


def test_road_states_are_printed_beside_the_truth(
    run: Callable[..., tuple[int, str, str]], drives: Path, tmp_path: Path
) -> None:
    told = write_told(tmp_path / 'told')
    status, out, _ = run(told, drives / 'second')
    assert status == 0
    printed = [' '.join(line.split()) for line in out.splitlines()]
    # Once for the recording, and once for both.
    assert printed.count('Friction, 6 classes 66.7% 50.0% – –') == 2
    assert printed.count('Sirens noticed 0 of 1') == 2
    _, untold, _ = run(drives / 'second')
    assert 'against the truth' not in untold


def test_a_truth_that_is_mounted_askew_is_said_to_be(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    bag, file = write_askew(tmp_path / 'askew', -0.05), tmp_path / 'out.json'
    for options, done in (
        ((), '--align-truth turns them back'),
        (('--align-truth',), 'turned back'),
    ):
        status, out, _ = run(bag, '--json', file, '--report', tmp_path / 'report', *options)
        assert status == 0
        words = f'whose headings lie 2.9° to the right of its travel ({done})'
        assert words in ' '.join(out.split())
        assert words in (tmp_path / 'report' / 'index.html').read_text()
        found = json.loads(file.read_text())['bags'][0]
        assert found['truth_askew_deg'] == pytest.approx(-2.865, abs=1e-3)
        assert found['truth_aligned'] is bool(options)


def test_the_camera_may_be_given(
    run: Callable[..., tuple[int, str, str]], drives: Path, tmp_path: Path
) -> None:
    options = ('--camera-height', 2, '--camera-fov', 60, '--report', tmp_path)
    assert run(drives / 'first', *options)[0] == 0
    page = (tmp_path / 'index.html').read_text()
    assert 'height 2 m (given), pitch 0° (assumed), field of view 60° (given)' in page


def test_processes_give_the_same_json(
    run: Callable[..., tuple[int, str, str]], drives: Path, tmp_path: Path
) -> None:
    bags = (drives / 'first', drives / 'second')
    for workers in (1, 2):
        status, _, _ = run(*bags, '--workers', workers, '--json', tmp_path / f'{workers}.json')
        assert status == 0
    assert (tmp_path / '1.json').read_bytes() == (tmp_path / '2.json').read_bytes()


def test_timing_is_added_on_request(
    run: Callable[..., tuple[int, str, str]], drives: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'out.json'
    assert run(drives / 'second', '--timing', '--json', file)[0] == 0
    total = json.loads(file.read_text())['total']
    assert total['times_real_time'] > 0
    assert total['latencies']['fusion']['runs'] == total['outputs']


@pytest.mark.parametrize(
    ('limits', 'status', 'word'),
    [
        (('ADE6=50', 'MISS1=1'), 0, ''),
        (('ADE6=50', 'FDE6=0.01'), 1, 'FDE6: found'),
    ],
)
def test_limits_decide_the_status(
    run: Callable[..., tuple[int, str, str]],
    drives: Path,
    limits: tuple[str, ...],
    status: int,
    word: str,
) -> None:
    options = [text for limit in limits for text in ('--fail-above', limit)]
    found, out, _ = run(drives / 'second', *options)
    assert found == status
    assert word in out


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('absent',), ('absent', 'no such recording')),
        (('empty',), ('empty', 'holds no messages')),
        (('broken',), ('broken', 'cannot be read')),
        (('first', 'absent'), ('absent', 'no such recording')),
        (('first', '--recorded'), ('first', 'holds no outputs of the node')),
        (('first', '--fail-above', 'BEST=1'), ("found 'BEST=1'",)),
        (('first', '--bundle', '/nowhere'), ('/nowhere', 'neither such a folder')),
        (('first', '--settings', '/nowhere.yaml'), ('/nowhere.yaml', 'cannot be read')),
        (('first', '--topics', '/nowhere.yaml'), ('/nowhere.yaml', 'cannot be read')),
        (('first', '--json', '/nowhere/out.json'), ('/nowhere/out.json', 'cannot be written')),
    ],
)
def test_refused_input_is_one_line_and_status_two(
    run: Callable[..., tuple[int, str, str]],
    drives: Path,
    arguments: tuple[str, ...],
    words: tuple[str, ...],
) -> None:
    names = ('absent', 'empty', 'broken', 'first')
    status, _, err = run(*(drives / a if a in names else a for a in arguments))
    assert status == 2
    (line,) = [text for text in err.splitlines() if text.startswith('mm_fusion:')]
    for word in words:
        assert word in line


def test_a_missing_topic_is_named(
    run: Callable[..., tuple[int, str, str]], drives: Path, tmp_path: Path
) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text('image: /front/image\n')
    status, _, err = run(drives / 'first', '--topics', topics)
    assert status == 2
    assert '/front/image' in err
    assert len(err.strip().splitlines()) == 1
