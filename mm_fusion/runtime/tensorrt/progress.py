# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A sign of life every few seconds, while something long goes on."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERIOD_S = 5.0


@contextmanager
def telling(
    say: Callable[[str], None], text: str, *, period_s: float = PERIOD_S
) -> Iterator[None]:
    """Say what goes on at once, and again with the time it has taken, until the block ends.

    Args:
        say: Called in a thread of its own, but for the first time.
        text: What goes on.
        period_s: Seconds between two calls.
    """
    ended = threading.Event()
    start = time.monotonic()

    def tell() -> None:
        while not ended.wait(period_s):
            say(f'{text}, for {time.monotonic() - start:.0f} s')

    say(text)
    thread = threading.Thread(target=tell, name='progress', daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
