# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Have the C library keep the memory of camera frames, all of it from the first frame on."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.types.sensors import RawImage

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""From glibc's malloc.h."""
_LARGEST_BLOCK_BYTES = 32 << 20
"""Blocks up to here come from the heap. A raw frame of 3840x2160 has 24.9 MB; older glibc takes
no higher threshold."""
_KEPT_BYTES = 1 << 30
_OWN_SETTINGS = ('MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_')

_FRAMES = 12
"""Frames that memory is taken for: the five of the subscription's queue, which a pause hands over
all at once, the three copies of one that is being received, and those that wait or are in work."""


def keep_freed_memory(environment: Mapping[str, str] = os.environ) -> bool:
    """Let blocks of up to 32 MiB stay with the process when they are freed, 1 GiB at the most.

    By default glibc maps large blocks anew and gives them back when they are freed, so that the
    kernel fills every copy of every frame with zeros first. It holds for the whole process, so it
    is for one that has nothing else to do. As in programs with deadlines; see mallopt(3).

    Args:
        environment: Where the same may be settled by ``MALLOC_MMAP_THRESHOLD_``,
            ``MALLOC_TRIM_THRESHOLD_`` or ``GLIBC_TUNABLES`` (``glibc.malloc...``); it is left at
            that then.

    Returns:
        Whether it was done: not with another C library than glibc.
    """
    tunables = environment.get('GLIBC_TUNABLES', '')
    if any(name in environment for name in _OWN_SETTINGS) or 'glibc.malloc.' in tunables:
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, 'gnu_get_libc_version'):
        return False
    settings = ((_M_MMAP_THRESHOLD, _LARGEST_BLOCK_BYTES), (_M_TRIM_THRESHOLD, _KEPT_BYTES))
    return all(library.mallopt(name, value) == 1 for name, value in settings)


class FrameMemory:
    """Takes the memory of as many raw frames as a pause may leave, before there is a pause.

    Else the process would grow by some frames whenever it is held up for longer than before, for
    hours. For processes that keep what is freed (``keep_freed_memory``). Compressed frames are
    small.
    """

    def __init__(self) -> None:
        self._largest_bytes = 0

    def see(self, frame: RawImage) -> None:
        """Take the memory for frames like this, unless it is there already.

        To be called by the thread that receives the frames, whose heap it is.
        """
        size = frame.pixels.nbytes
        if self._largest_bytes < size <= _LARGEST_BLOCK_BYTES:
            self._largest_bytes = size
            blocks = [bytearray(size) for _ in range(_FRAMES)]  # of zeros: each page is touched
            blocks.clear()
