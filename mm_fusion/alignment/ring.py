# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A ring of sound that knows the time of every sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.alignment.history import History
from mm_fusion.types.sensors import DropReason
from mm_fusion.types.snapshot import AudioWindow

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECOND_NS = 1_000_000_000

JITTER_NS = 20_000_000
"""A chunk in order whose stamp misses the end of the one before it by no more is its continuation.

Drivers stamp chunks when a callback runs, so that stamps jitter while the sound is gapless.
Several lost chunks that are shorter than this add up until they exceed it, and become a gap.
"""

DRIFT_SECONDS = 5
"""Time constant at which the time of the samples follows the stamps of the chunks.

A sound card's clock is off by up to 100 ppm: without this, sound and stamps part by 20 ms in
three minutes. With it the remaining lag is 0.5 ms, and jitter is averaged out.
"""


class AudioRing:
    """The newest samples of one sound source in a buffer of fixed size.

    Sample i lasts from ``origin + i / rate`` to ``origin + (i + 1) / rate``; an instant belongs to
    the sample boundary nearest to it. Indices count up without end, and the buffer holds the last
    ``capacity`` of them. Index ranges that no chunk has filled are listed as gaps and hold zeros.

    Args:
        sample_rate_hz: Samples a second.
        capacity_ns: Span of the buffer.
        max_chunks: Number of chunk stamps remembered at most, to tell duplicates.
    """

    def __init__(self, sample_rate_hz: int, capacity_ns: int, max_chunks: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._capacity = max(1, capacity_ns * sample_rate_hz // SECOND_NS)
        self._buffer = np.zeros(self._capacity, np.float32)
        self._chunks: History[int] = History(capacity_ns, max_chunks)
        self._jitter = JITTER_NS * sample_rate_hz // SECOND_NS
        self._origin_ns = 0
        self._end = 0
        self._gaps: list[tuple[int, int]] = [(-self._capacity, 0)]

    def __len__(self) -> int:
        """Count the chunks that the buffer is made of."""
        return len(self._chunks)

    @property
    def capacity(self) -> int:
        """Number of samples in the buffer."""
        return self._capacity

    @property
    def end_ns(self) -> int | None:
        """Time of the first sample that is still to come; None before any sound."""
        if not len(self._chunks):
            return None
        return self._origin_ns - (-self._end * SECOND_NS // self.sample_rate_hz)

    def add(self, stamp_ns: int, samples: NDArray[np.float32]) -> DropReason | None:
        """Place a chunk by its stamp.

        A chunk in order continues the one before it, or leaves a gap, or has the samples cut off
        that overlap it. A chunk out of order fills gaps, and nothing else.

        Args:
            stamp_ns: Time of the first sample.
            samples: float32 (n,), no longer than ``capacity``.

        Returns:
            DUPLICATE where its time span is held already, LATE where the span has left the
            buffer; otherwise None.
        """
        newest_ns = self._chunks.newest_ns
        if newest_ns is None:
            self._origin_ns = stamp_ns
            self._append(samples)
        elif stamp_ns in self._chunks:
            return DropReason.DUPLICATE
        elif stamp_ns > newest_ns:
            if not self._continue(stamp_ns, samples):
                return DropReason.DUPLICATE
        else:
            start = self._index_at(stamp_ns)
            if start + samples.size <= self._end - self._capacity:
                return DropReason.LATE
            if not self._fill(self._snap(start, samples.size), samples):
                return DropReason.DUPLICATE
        self._chunks.add(stamp_ns, samples.size)
        return None

    def window(self, stamp_ns: int, duration_ns: int, min_covered: float) -> AudioWindow | None:
        """Copy the sound that ends at an instant.

        The window ends at the sample boundary nearest to the instant, and has
        ``duration_ns * rate`` samples, rounded down.

        Returns:
            None where less than ``min_covered`` of it was heard.
        """
        count = self._count(duration_ns)
        stop = self._index_at(stamp_ns)
        start = stop - count
        first, last = max(start, self._end - self._capacity), min(stop, self._end)
        heard = self._heard(first, last)
        if heard <= 0 or heard < min_covered * count:
            return None
        samples = np.zeros(count, np.float32)
        self._read(first, samples[first - start : last - start])
        return AudioWindow(
            start_ns=self._origin_ns + start * SECOND_NS // self.sample_rate_hz,
            sample_rate_hz=self.sample_rate_hz,
            samples=samples,
            covered=heard / count,
        )

    def has_gaps(self, duration_ns: int, min_covered: float) -> bool:
        """Tell whether less than ``min_covered`` was heard of the newest sound of a duration.

        What was before the first chunk is no gap.
        """
        start = self._end - min(self._count(duration_ns), self._capacity)
        return start >= 0 and self._heard(start, self._end) < min_covered * (self._end - start)

    def _count(self, duration_ns: int) -> int:
        return max(1, duration_ns * self.sample_rate_hz // SECOND_NS)

    def _heard(self, first: int, last: int) -> int:
        """Count the samples of a range that are no gap."""
        heard = last - first
        for gap_start, gap_stop in self._gaps:
            heard -= max(0, min(gap_stop, last) - max(gap_start, first))
        return heard

    def _index_at(self, stamp_ns: int) -> int:
        scaled = (stamp_ns - self._origin_ns) * self.sample_rate_hz
        return (scaled + SECOND_NS // 2) // SECOND_NS

    def _continue(self, stamp_ns: int, samples: NDArray[np.float32]) -> bool:
        """Append a chunk in order; False where nothing of it is new."""
        expected_ns = self._origin_ns + self._end * SECOND_NS // self.sample_rate_hz
        deviation_ns = stamp_ns - expected_ns
        if abs(deviation_ns) <= JITTER_NS:
            followed = samples.size / (self.sample_rate_hz * DRIFT_SECONDS)
            self._origin_ns += int(deviation_ns * min(1.0, followed))
        elif deviation_ns > 0:
            missing = self._index_at(stamp_ns) - self._end
            self._gaps.append((self._end, self._end + missing))
            self._write(self._end, None, min(missing, self._capacity))
            self._end += missing
        else:
            samples = samples[self._end - self._index_at(stamp_ns) :]
            if not samples.size:
                return False
        self._append(samples)
        return True

    def _append(self, samples: NDArray[np.float32]) -> None:
        self._write(self._end, samples, samples.size)
        self._end += samples.size
        begin = self._end - self._capacity
        while self._gaps and self._gaps[0][1] <= begin:
            del self._gaps[0]

    def _snap(self, start: int, count: int) -> int:
        """Move a chunk out of order onto the edge of the gap that it was lost from."""
        for gap_start, gap_stop in self._gaps:
            if abs(start - gap_start) <= self._jitter:
                return gap_start
            if abs(start + count - gap_stop) <= self._jitter:
                return gap_stop - count
        return start

    def _fill(self, start: int, samples: NDArray[np.float32]) -> bool:
        """Write the part of a chunk that lies in gaps; False where none of it does."""
        begin = self._end - self._capacity
        stop = start + samples.size
        gaps: list[tuple[int, int]] = []
        filled = False
        for gap_start, gap_stop in self._gaps:
            first, last = max(gap_start, start, begin), min(gap_stop, stop)
            if first >= last:
                gaps.append((gap_start, gap_stop))
                continue
            filled = True
            self._write(first, samples[first - start : last - start], last - first)
            gaps += [
                piece for piece in ((gap_start, first), (last, gap_stop)) if piece[0] < piece[1]
            ]
        self._gaps = gaps
        return filled

    def _write(self, index: int, samples: NDArray[np.float32] | None, count: int) -> None:
        """Copy samples, or zeros for None, to an index; no more than the capacity."""
        start = index % self._capacity
        head = min(count, self._capacity - start)
        self._buffer[start : start + head] = 0.0 if samples is None else samples[:head]
        if head < count:
            self._buffer[: count - head] = 0.0 if samples is None else samples[head:]

    def _read(self, index: int, out: NDArray[np.float32]) -> None:
        start = index % self._capacity
        head = min(out.size, self._capacity - start)
        out[:head] = self._buffer[start : start + head]
        if head < out.size:
            out[head:] = self._buffer[: out.size - head]
