# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Choice of the interpreter that the workspace is built with."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tools.workspace_env import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SH = '/bin/sh'


def find(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SH, str(ROOT / 'tools' / 'find_python.sh'), *arguments],
        env={**os.environ, 'PATH': str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(path: Path, *, prelude: str = '') -> Path:
    """Make an interpreter that runs ``prelude`` before its input."""
    body = f'#!{SH}\n{{ echo "{prelude}"; /bin/cat; }} | {sys.executable} -\n'
    path.write_text(body, encoding='utf-8')
    path.chmod(0o755)
    return path


def old_python(path: Path) -> Path:
    return fake_python(path, prelude='import sys; sys.version_info = (3, 9, 2)')


def python_without_venv(path: Path) -> Path:
    return fake_python(path, prelude="import sys; sys.modules['ensurepip'] = None")


def test_plain_python3_is_preferred(tmp_path: Path) -> None:
    plain = fake_python(tmp_path / 'python3')
    fake_python(tmp_path / 'python3.13')
    assert find(tmp_path).stdout == f'{plain}\n'


def test_the_next_one_is_taken_where_python3_does_not_fit(tmp_path: Path) -> None:
    old_python(tmp_path / 'python3')
    python_without_venv(tmp_path / 'python3.13')
    fitting = fake_python(tmp_path / 'python3.12')
    assert find(tmp_path).stdout == f'{fitting}\n'


def test_a_wish_is_honoured(tmp_path: Path) -> None:
    fake_python(tmp_path / 'python3')
    wish = fake_python(tmp_path / 'mine')
    assert find(tmp_path, str(wish)).stdout == f'{wish}\n'


def test_a_wish_that_does_not_fit_is_refused_in_one_line(tmp_path: Path) -> None:
    fake_python(tmp_path / 'python3')
    done = find(tmp_path, str(old_python(tmp_path / 'mine')))
    assert done.returncode == 1
    assert done.stdout == ''
    assert 'it is cpython 3.9, needed is CPython 3.10 to 3.13' in done.stderr
    assert done.stderr.count('\n') == 1


def test_a_missing_venv_is_named_with_its_package(tmp_path: Path) -> None:
    python_without_venv(tmp_path / 'python3')
    done = find(tmp_path)
    assert done.returncode == 1
    version = f'{sys.version_info.major}.{sys.version_info.minor}'
    assert f'apt install python{version}-venv' in done.stderr
    assert done.stderr.count('\n') == 1


def test_no_python_at_all_is_one_line_with_the_packages(tmp_path: Path) -> None:
    done = find(tmp_path)
    assert done.returncode == 1
    assert 'apt install python3 python3-venv python3-dev' in done.stderr
    assert done.stderr.count('\n') == 1
