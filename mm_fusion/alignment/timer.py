# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Instants of the snapshots while there is no camera."""

from __future__ import annotations

from mm_fusion.alignment.ring import SECOND_NS


class SnapshotTimer:
    """A regular grid over the stamps of the sensors: the multiples of the period.

    It begins with the newest point that the sensors reach, and then yields each point once.

    Args:
        rate_hz: Points a second.
        max_points: Number of points yielded at once; older ones are passed over.

    Attributes:
        running: Whether the camera is known to be silent.
        next_ns: The next point; None before the first.
    """

    def __init__(self, rate_hz: float, max_points: int) -> None:
        self._period_ns = max(1, round(SECOND_NS / rate_hz))
        self._max_points = max_points
        self.running = False
        self.next_ns: int | None = None

    def stop(self) -> None:
        """End, because the camera is back."""
        self.running = False
        self.next_ns = None

    def take(self, until_ns: int) -> range:
        """Yield the points up to an instant that were not yielded yet."""
        last_ns = until_ns - until_ns % self._period_ns
        if self.next_ns is None:
            self.next_ns = last_ns
        first_ns = max(self.next_ns, last_ns - (self._max_points - 1) * self._period_ns)
        self.next_ns = max(self.next_ns, last_ns + self._period_ns)
        return range(first_ns, last_ns + 1, self._period_ns)
