# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A context is got with the runtime packages alone, or refused in one line; and given back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mm_fusion.simulation.rendering import create_context

MAKE = """
from mm_fusion.simulation.rendering.context import create_context
from mm_fusion.errors import RenderError
{before}
try:
    create_context()
except RenderError as error:
    print(error)
"""
HIDE = """
import moderngl
real = moderngl.create_context
def hidden(**settings):
    return real(**(settings | {{'{library}': 'lib-that-is-not-there.so.1'}}))
moderngl.create_context = hidden
"""


def run(before: str = '', **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, '-c', MAKE.format(before=before)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize('library', ['libgl', 'libegl'])
def test_a_missing_library_is_told_in_one_line(library: str) -> None:
    message = run(HIDE.format(library=library))

    assert 'lib-that-is-not-there.so.1' in message
    assert message.count('\n') == 1
    assert 'apt install libegl1 libgl1 libgl1-mesa-dri' in message


def test_a_missing_driver_is_told_in_one_line() -> None:
    message = run(__EGL_VENDOR_LIBRARY_FILENAMES='/nonexistent')

    assert message.count('\n') == 1
    assert 'apt install libegl1 libgl1 libgl1-mesa-dri' in message


def test_the_libraries_are_found_by_the_names_of_the_runtime_packages() -> None:
    # find_library needs a compiler or the links of the -dev packages.
    assert run('import ctypes.util; ctypes.util.find_library = lambda name: None') == ''


def resident_mib() -> float:
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def test_a_released_context_gives_its_memory_back() -> None:
    def use() -> None:
        context = create_context()
        texture = context.texture((2048, 2048), 4, dtype='f2')
        texture.write(bytes(2048 * 2048 * 8))
        context.release()

    use()
    before = resident_mib()
    for _ in range(6):
        use()

    assert resident_mib() - before < 48.0
