# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One line for each thing that a machine can lack."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tools.check_machine import SetupError, check_compilers, check_imports, check_platform


def write_program(path: Path, body: str) -> Path:
    path.write_text(f'#!/bin/sh\n{body}\n', encoding='ascii')
    path.chmod(0o755)
    return path


def only_line(error: pytest.ExceptionInfo[SetupError]) -> str:
    text = str(error.value)
    assert '\n' not in text
    return text


def test_this_platform_is_accepted() -> None:
    check_platform()


@pytest.mark.parametrize(
    ('system', 'machine', 'libc'),
    [
        ('darwin', 'arm64', ('', '')),
        ('linux', 'aarch64', ('glibc', '2.36')),
        ('linux', 'x86_64', ('glibc', '2.27')),
        ('linux', 'x86_64', ('', '')),
    ],
)
def test_a_platform_without_wheels_is_named(
    system: str, machine: str, libc: tuple[str, str]
) -> None:
    with pytest.raises(SetupError) as error:
        check_platform(system, machine, libc)
    assert f'no ROS wheels for {system} on {machine}' in only_line(error)


def test_the_compilers_of_this_machine_are_accepted() -> None:
    check_compilers(os.environ)


@pytest.mark.parametrize(('present', 'missing'), [((), 'C'), (('cc',), 'C++')])
def test_a_missing_compiler_is_named_with_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: tuple[str, ...], missing: str
) -> None:
    for name in present:
        write_program(tmp_path / name, 'exit 0')
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(SetupError) as error:
        check_compilers({})
    line = only_line(error)
    assert line.startswith(f'no {missing} compiler')
    assert 'apt install g++' in line


def test_a_chosen_compiler_that_is_not_there_is_named() -> None:
    with pytest.raises(SetupError, match=r'the C\+\+ compiler no-such-cxx is not on the PATH'):
        check_compilers({'CXX': 'no-such-cxx -O2'})


def test_a_compiler_without_its_headers_is_refused(tmp_path: Path) -> None:
    broken = write_program(tmp_path / 'broken-cxx', 'exit 1')
    with pytest.raises(SetupError) as error:
        check_compilers({'CXX': str(broken)})
    assert only_line(error).startswith('the C++ compiler fails: install')


def test_missing_python_headers_are_named_with_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('sysconfig.get_path', lambda _: str(tmp_path))
    with pytest.raises(SetupError) as error:
        check_compilers(os.environ)
    line = only_line(error)
    assert line.startswith(f'no Python.h in {tmp_path}')
    assert f'python3.{sys.version_info.minor}-dev' in line


@pytest.mark.parametrize(
    ('stderr', 'expected'),
    [
        (
            'cv2: libz.so.1: cannot open shared object file: No such file or directory',
            'the system library libz.so.1 is missing: install it'
            ' (Debian, Ubuntu: apt install zlib1g)',
        ),
        (
            'rclpy: libodd.so.3: cannot open shared object file: No such file or directory',
            'the system library libodd.so.3 is missing: install it (the package with libodd.so.3)',
        ),
        ('yaml: no module named yaml', 'cannot be imported: yaml: no module named yaml'),
    ],
)
def test_a_failed_import_says_what_to_install(tmp_path: Path, stderr: str, expected: str) -> None:
    python = write_program(
        tmp_path / 'python', f'echo "Traceback" >&2; echo "{stderr}" >&2; exit 1'
    )
    with pytest.raises(SetupError) as error:
        check_imports(python, {})
    assert expected in only_line(error)


@pytest.mark.ros
def test_this_environment_imports_everything() -> None:
    check_imports(Path(sys.executable), os.environ)
