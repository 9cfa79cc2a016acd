# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Mending of the wheels' CMake files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.mend_cmake import mend

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = '/opt/python/cp311-cp311'
TARGETS = (
    'set_target_properties(std_msgs::py PROPERTIES\n'
    '  INTERFACE_INCLUDE_DIRECTORIES "${_IMPORT_PREFIX}/include/std_msgs;'
    f'{IMAGE}/include/python3.11;'
    f'{IMAGE}/lib/python3.11/site-packages/numpy/_core/include"\n)\n'
)
MENDED = (
    'set_target_properties(std_msgs::py PROPERTIES\n'
    '  INTERFACE_INCLUDE_DIRECTORIES "${_IMPORT_PREFIX}/include/std_msgs;'
    '/usr/include/python3.11;/venv/numpy/include"\n)\n'
)


def write_targets(prefix: Path, text: str) -> Path:
    path = prefix / 'share' / 'std_msgs' / 'cmake' / 'targets.cmake'
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding='utf-8')
    return path


def test_both_paths_become_those_of_this_machine(tmp_path: Path) -> None:
    path = write_targets(tmp_path, TARGETS)
    assert mend(tmp_path, '/usr/include/python3.11', '/venv/numpy/include') == [path]
    assert path.read_text(encoding='utf-8') == MENDED


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    write_targets(tmp_path, TARGETS)
    mend(tmp_path, '/usr/include/python3.11', '/venv/numpy/include')
    assert mend(tmp_path, '/usr/include/python3.11', '/venv/numpy/include') == []


def test_backslashes_and_group_marks_are_taken_literally(tmp_path: Path) -> None:
    path = write_targets(tmp_path, TARGETS)
    mend(tmp_path, r'/odd\1/include', r'/odd\g<0>/numpy')
    assert r'/odd\1/include;/odd\g<0>/numpy' in path.read_text(encoding='utf-8')


def test_an_unknown_path_of_the_image_is_refused(tmp_path: Path) -> None:
    write_targets(tmp_path, f'set(x "{IMAGE}/lib/libpython3.11.so")\n')
    with pytest.raises(ValueError, match=r'targets\.cmake names .*libpython3\.11\.so'):
        mend(tmp_path, '/usr/include/python3.11', '/venv/numpy/include')
