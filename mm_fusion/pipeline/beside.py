# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What runs a part of the work beside the rest."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_K = TypeVar('_K')
_T = TypeVar('_T')


class InPlace(Executor):
    """Run what is submitted at once, in the thread that submits it."""

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Run a function; the future has its result, or what it raised."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)
        return future


def one_thread(name: str) -> Executor:
    """Make one thread, which starts when first used and ends when nobody holds this any more."""
    return ThreadPoolExecutor(1, name)


class Begun(Generic[_K, _T]):
    """What a thread was asked to make of things before anybody needs it, by the very things.

    Args:
        most: Things that are remembered; one that is asked for after so many others is not.
    """

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._made: deque[tuple[_K, Future[_T]]] = deque(maxlen=most)

    def begin(self, thing: _K, thread: Executor, make: Callable[[_K], _T]) -> None:
        """Have something made of a thing, unless that was begun already."""
        with self._lock:
            if any(known is thing for known, _ in self._made):
                return
        # Not under the lock: what runs in place would keep others from it until it is made.
        future = thread.submit(make, thing)
        with self._lock:
            self._made.append((thing, future))

    def begin_newest(self, thing: _K, thread: Executor, make: Callable[[_K], _T]) -> None:
        """Have it made unless it is the last that was begun; give up one that still waits."""
        with self._lock:
            if self._made:
                newest, future = self._made[-1]
                if newest is thing:
                    return
                if future.cancel():
                    self._made.pop()
            self._made.append((thing, thread.submit(make, thing)))

    def __len__(self) -> int:
        """Count what was begun and not handed out."""
        with self._lock:
            return len(self._made)

    def forget(self, old: Callable[[_K], bool]) -> None:
        """Forget what was begun of things that are old; what still waits is given up."""
        with self._lock:
            kept = [(known, future) for known, future in self._made if not old(known)]
            for known, future in self._made:
                if old(known):
                    future.cancel()
            self._made.clear()
            self._made.extend(kept)

    def under_way(self, thing: _K) -> bool:
        """Tell whether it has been made of a thing, or is being made."""
        with self._lock:
            return any(
                known is thing and (future.running() or future.done())
                for known, future in self._made
            )

    def pop(self, thing: _K) -> Future[_T] | None:
        """Hand out what was begun of a thing, and forget what was begun before it."""
        with self._lock:
            if all(known is not thing for known, _ in self._made):
                return None
            while True:
                known, future = self._made.popleft()
                if known is thing:
                    return future

    def take(self, thing: _K, make: Callable[[_K], _T]) -> _T:
        """Give what was begun of a thing, made here where it was not begun or still waits.

        Raises:
            Exception: Whatever making it raised.
        """
        future = self.pop(thing)
        return make(thing) if future is None or future.cancel() else future.result()
