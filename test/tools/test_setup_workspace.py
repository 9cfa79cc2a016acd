# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a call of the set-up does again, and what it leaves alone."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tools import setup_workspace
from tools.check_machine import SetupError
from tools.setup_workspace import Record, Setup, hash_of
from tools.workspace_env import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VENV = 'venv'
CORE = ['pip-core', 'colcon-mm_fusion_msgs', 'colcon-mm_fusion']
EVERYTHING = [VENV, *CORE]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository in which nothing is installed but files are as in the real one."""
    files = {
        'config/a.yaml': '',
        'launch/a.launch.py': '',
        'mm_fusion/__init__.py': '',
        'mm_fusion_msgs/msg/A.msg': 'bool a',
        'package.xml': '',
        'resource/mm_fusion': '',
        'setup.cfg': '',
        'setup.py': '',
        'tools/mend_cmake.py': '',
    }
    names = ('base', 'build', 'constraints', 'fuzz', 'ros-jazzy', 'ros-kilted', 'test', 'train')
    files.update({f'requirements/{name}.txt': f'{name}==1' for name in names})
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding='ascii')
    monkeypatch.setattr(setup_workspace, 'check_compilers', lambda environment: None)
    monkeypatch.setattr(setup_workspace, 'check_imports', lambda python, environment: None)
    monkeypatch.setattr('tools.graphics.Graphics.provide', lambda graphics: None)
    return tmp_path


class Recorded(Setup):
    """Record the programs that would be run; one of them may fail or be interrupted.

    Args:
        root: Repository root.
        fault: Name of the call that raises.
        error: What it raises.
    """

    def __init__(
        self, root: Path, fault: str | None = None, error: BaseException | None = None
    ) -> None:
        super().__init__(Workspace('kilted', root), {})
        self.calls: list[str] = []
        self.fault = fault
        self.error = error

    def _create_venv(self) -> None:
        self.calls.append(VENV)
        super()._create_venv()

    def _call(self, command: list[str], name: str, environment: Mapping[str, str]) -> None:
        self.calls.append(name)
        if name == self.fault and self.error is not None:
            raise self.error

    def _mend(self) -> None:
        pass


@pytest.fixture(autouse=True)
def cheap_venv(monkeypatch: pytest.MonkeyPatch) -> None:
    def create(folder: Path, *, with_pip: bool, symlinks: bool) -> None:
        assert with_pip
        assert symlinks
        (folder / 'bin').mkdir(parents=True)
        (folder / 'bin' / 'python').symlink_to(sys.executable)

    monkeypatch.setattr('tools.setup_workspace.venv.create', create)


def calls(root: Path, *extras: str) -> list[str]:
    setup = Recorded(root)
    setup.make(extras)
    return setup.calls


def test_the_first_call_makes_everything_and_the_second_nothing(root: Path) -> None:
    assert calls(root) == EVERYTHING
    assert calls(root) == []


def test_an_extra_is_added_to_what_is_there(root: Path) -> None:
    calls(root)
    assert calls(root, 'test', 'train') == ['pip-test', 'pip-train']
    assert calls(root, 'train') == []
    assert calls(root) == []


@pytest.mark.parametrize('fault', ['pip-core', 'pip-test'])
def test_an_interrupted_installation_is_made_again_from_the_start(root: Path, fault: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        Recorded(root, fault, KeyboardInterrupt()).make(['test'])
    assert calls(root, 'test') == [VENV, 'pip-core', 'pip-test', *CORE[1:]]


def test_an_extra_interrupted_later_is_not_accepted_either(root: Path) -> None:
    calls(root)
    with pytest.raises(KeyboardInterrupt):
        Recorded(root, 'pip-train', KeyboardInterrupt()).make(['train'])
    assert calls(root)[:2] == [VENV, 'pip-core']


def test_a_failed_build_is_made_again_alone(root: Path) -> None:
    with pytest.raises(SetupError):
        Recorded(root, 'colcon-mm_fusion', SetupError('no')).make([])
    assert calls(root) == ['colcon-mm_fusion']


def test_an_interrupted_build_is_made_again_even_if_its_cause_is_taken_back(root: Path) -> None:
    calls(root)
    added = root / 'mm_fusion_msgs' / 'msg' / 'B.msg'
    added.write_text('bool b', encoding='ascii')
    with pytest.raises(KeyboardInterrupt):
        Recorded(root, 'colcon-mm_fusion_msgs', KeyboardInterrupt()).make([])
    added.unlink()
    assert calls(root) == ['colcon-mm_fusion_msgs']


@pytest.mark.parametrize(
    ('changed', 'expected'),
    [
        ('requirements/base.txt', EVERYTHING),
        ('requirements/constraints.txt', EVERYTHING),
        ('requirements/ros-kilted.txt', EVERYTHING),
        ('requirements/ros-jazzy.txt', []),
        ('requirements/test.txt', []),
        ('mm_fusion_msgs/msg/A.msg', ['colcon-mm_fusion_msgs']),
        ('mm_fusion_msgs/msg/B.msg', ['colcon-mm_fusion_msgs']),
        ('config/new.yaml', ['colcon-mm_fusion']),
        ('config/a.yaml', []),
        ('setup.py', ['colcon-mm_fusion']),
    ],
)
def test_what_changed_is_made_again_and_no_more(
    root: Path, changed: str, expected: list[str]
) -> None:
    calls(root)
    (root / changed).write_text('changed', encoding='ascii')
    assert calls(root) == expected
    assert calls(root) == []


def test_a_changed_extra_that_is_installed_replaces_the_environment(root: Path) -> None:
    calls(root, 'test')
    (root / 'requirements' / 'test.txt').write_text('changed', encoding='ascii')
    assert calls(root, 'test') == [VENV, 'pip-core', 'pip-test', *CORE[1:]]


def test_another_python_replaces_the_environment(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls(root)
    monkeypatch.setattr(sys, 'version', '3.99.0')
    assert calls(root) == EVERYTHING


def test_a_removed_interpreter_is_noticed(root: Path) -> None:
    calls(root)
    Workspace('kilted', root).python.unlink()
    assert calls(root) == EVERYTHING


def test_graphics_are_provided_once_and_again_where_that_failed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provided: list[object] = []

    def fail(graphics: object) -> None:
        raise SetupError('no')

    def provide(graphics: object) -> None:
        provided.append(graphics)

    monkeypatch.setattr('tools.graphics.Graphics.provide', fail)
    with pytest.raises(SetupError):
        calls(root)
    monkeypatch.setattr('tools.graphics.Graphics.provide', provide)
    # What was built before the failure stays.
    assert calls(root) == []
    assert calls(root) == []
    assert len(provided) == 1
    (root / 'requirements' / 'base.txt').write_text('moderngl==2', encoding='ascii')
    calls(root)
    assert len(provided) == 2


def test_a_damaged_record_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / 'record.json'
    for text in ('', '{"core": ', '[1]'):
        path.write_text(text, encoding='ascii')
        assert Record(path).names() == frozenset()


def test_the_lengths_of_parts_count() -> None:
    assert hash_of([b'ab', b'c']) != hash_of([b'a', b'bc'])


def test_a_failed_program_shows_the_end_of_its_log(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    setup = Setup(Workspace('kilted', root), {})
    script = 'for i in range(100): print("line", i)\nraise SystemExit(3)'
    with pytest.raises(
        SetupError, match=r'pip-core failed with exit status 3: see .*pip-core\.log'
    ):
        setup._call([sys.executable, '-c', script], 'pip-core', os.environ)
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1] == 'line 99'
    assert 'line 0' not in lines
