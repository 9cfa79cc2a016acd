# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The memory of frames is there from the first one on, and stays."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.ros import frame_memory
from mm_fusion.ros.frame_memory import FrameMemory, keep_freed_memory
from mm_fusion.types.sensors import RawImage

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = """
import os
import numpy as np
from mm_fusion.ros.frame_memory import FrameMemory, keep_freed_memory
from mm_fusion.types.sensors import RawImage

def resident_mib():
    with open('/proc/self/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20

def frame(height, width):
    return RawImage(0, 0, 'camera', 'bgr8', np.empty((height, width, 3), np.uint8))

kept = {keep} and keep_freed_memory()
memory, small, large = FrameMemory(), frame(360, 640), frame(1080, 1920)
found = [resident_mib()]
for seen in (small, large, large):
    memory.see(seen)
    found.append(resident_mib())
for _ in range(50):
    pause = [bytearray(large.pixels.nbytes) for _ in range(8)]
    pause.clear()
    found.append(resident_mib())
memory.see(frame(4000, 4000))  # no block of the heap
found.append(resident_mib())
print(kept, *found)
"""


def run(*, keep: bool) -> tuple[bool, list[float]]:
    """Give, of a process of its own, whether memory is kept, and its memory after each step."""
    program = PROGRAM.format(keep=keep)
    text = subprocess.run(
        [sys.executable, '-c', program], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()
    return text[0] == 'True', [float(value) for value in text[1:]]


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), 'gnu_get_libc_version'), reason='the C library is not glibc'
)
def test_frames_take_their_memory_once() -> None:
    kept, (begin, small, large, *later) = run(keep=True)
    assert kept
    assert 5 < small - begin < 20  # twelve frames of 0.66 MiB
    assert 55 < large - small < 80  # twelve of 5.9 MiB, in the place of those before
    assert max(later) - min(later) < 1
    # Without, what a pause leaves comes and goes with it.
    kept, (begin, *later) = run(keep=False)
    assert not kept
    assert max(later) - begin < 30


def test_frames_like_those_before_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def take(size: int) -> None:
        taken.append(size)

    monkeypatch.setattr(frame_memory, 'bytearray', take, raising=False)
    memory = FrameMemory()
    for height, width in ((360, 640), (360, 640), (240, 320), (480, 640), (360, 640)):
        pixels = np.zeros((height, width, 3), np.uint8)
        memory.see(RawImage(0, 0, 'camera', 'bgr8', pixels))
    assert taken == [360 * 640 * 3] * 12 + [480 * 640 * 3] * 12


@pytest.mark.parametrize(
    'settled',
    [
        {'MALLOC_MMAP_THRESHOLD_': '1000000'},
        {'MALLOC_TRIM_THRESHOLD_': '0'},
        {'GLIBC_TUNABLES': 'glibc.malloc.arena_max=2'},
    ],
)
def test_what_is_settled_from_outside_stays(
    settled: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_library(name: None) -> None:
        raise AssertionError('asked for the C library')

    monkeypatch.setattr(ctypes, 'CDLL', no_library)
    assert not keep_freed_memory(settled)


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, 'CDLL', lambda name: object())
    assert not keep_freed_memory({})
