# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A bounded list of samples in order of their stamps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Generic, TypeVar

from mm_fusion.types.sensors import DropReason

T = TypeVar('T')

# The front of the lists is cut off in blocks, so that a push moves no memory most of the time.
_BLOCK = 256


class History(Generic[T]):
    """Samples of the recent past, sorted by stamp, each stamp once.

    Appending costs O(1), and so does the pruning, in the mean; a sample out of order costs a
    binary search and the move of what is newer than it.

    Args:
        span_ns: What is older than the newest stamp by more than this is let go.
        max_items: Number of samples held at most.
    """

    __slots__ = ('_first', '_items', '_max_items', '_span_ns', '_stamps_ns')

    def __init__(self, span_ns: int, max_items: int) -> None:
        self._span_ns = span_ns
        self._max_items = max_items
        self._stamps_ns: list[int] = []
        self._items: list[T] = []
        self._first = 0

    def __len__(self) -> int:
        """Count the samples held."""
        return len(self._stamps_ns) - self._first

    def __contains__(self, stamp_ns: int) -> bool:
        """Tell whether a sample with this stamp is held."""
        index = bisect_left(self._stamps_ns, stamp_ns, self._first)
        return index < len(self._stamps_ns) and self._stamps_ns[index] == stamp_ns

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest sample; None where there is none."""
        return self._stamps_ns[-1] if self._stamps_ns else None

    def add(self, stamp_ns: int, item: T) -> DropReason | None:
        """Insert a sample at its place.

        Returns:
            DUPLICATE where the sample is refused, its stamp being held already; OVERFLOW where
            it is held and the oldest sample had to go for it; otherwise None.
        """
        stamps_ns = self._stamps_ns
        if not stamps_ns or stamp_ns > stamps_ns[-1]:
            stamps_ns.append(stamp_ns)
            self._items.append(item)
        else:
            index = bisect_left(stamps_ns, stamp_ns, self._first)
            if stamps_ns[index] == stamp_ns:
                return DropReason.DUPLICATE
            stamps_ns.insert(index, stamp_ns)
            self._items.insert(index, item)
        return self._prune()

    def _prune(self) -> DropReason | None:
        stamps_ns = self._stamps_ns
        reason = None
        oldest_ns = stamps_ns[-1] - self._span_ns
        if stamps_ns[self._first] < oldest_ns:
            self._first = bisect_left(stamps_ns, oldest_ns, self._first)
        if len(stamps_ns) - self._first > self._max_items:
            self._first += 1
            reason = DropReason.OVERFLOW
        if self._first >= _BLOCK and 2 * self._first >= len(stamps_ns):
            del stamps_ns[: self._first], self._items[: self._first]
            self._first = 0
        return reason

    def between(self, start_ns: int, stop_ns: int) -> tuple[T, ...]:
        """Copy the samples with start_ns <= stamp <= stop_ns, oldest first."""
        start = bisect_left(self._stamps_ns, start_ns, self._first)
        stop = bisect_right(self._stamps_ns, stop_ns, start)
        return tuple(self._items[start:stop])

    def around(self, stamp_ns: int) -> tuple[T | None, T | None]:
        """Find the newest sample at or before a stamp, and the oldest one after it."""
        index = bisect_right(self._stamps_ns, stamp_ns, self._first)
        before = self._items[index - 1] if index > self._first else None
        after = self._items[index] if index < len(self._items) else None
        return before, after

    def clear(self) -> int:
        """Let everything go; say how many samples that was."""
        count = len(self)
        self._stamps_ns.clear()
        self._items.clear()
        self._first = 0
        return count
