# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera frames whose snapshots wait for the other sensors."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from mm_fusion.types.sensors import DropReason

if TYPE_CHECKING:
    from mm_fusion.types.sensors import ImageSample


class PendingFrames:
    """Open snapshots in order of their stamps.

    Args:
        deadline_ns: Longest wait after the arrival of a frame.
        max_frames: Number of frames that may wait at once.
    """

    def __init__(self, deadline_ns: int, max_frames: int) -> None:
        self._deadline_ns = deadline_ns
        self._max_frames = max_frames
        self._stamps_ns: list[int] = []
        self._frames: list[ImageSample] = []

    def __len__(self) -> int:
        """Count the frames that wait."""
        return len(self._frames)

    def add(self, frame: ImageSample) -> DropReason | None:
        """Open a snapshot.

        Returns:
            DUPLICATE where the frame is refused, its stamp being held; OVERFLOW where it is held
            and the oldest frame had to go for it; otherwise None.
        """
        index = bisect_left(self._stamps_ns, frame.stamp_ns)
        if index < len(self._stamps_ns) and self._stamps_ns[index] == frame.stamp_ns:
            return DropReason.DUPLICATE
        self._stamps_ns.insert(index, frame.stamp_ns)
        self._frames.insert(index, frame)
        if len(self._frames) <= self._max_frames:
            return None
        del self._stamps_ns[0], self._frames[0]
        return DropReason.OVERFLOW

    @property
    def newest(self) -> ImageSample | None:
        """The frame with the newest stamp; None where nothing waits."""
        return self._frames[-1] if self._frames else None

    @property
    def deadline_ns(self) -> int | None:
        """Arrival clock at which the first deadline passes; None where nothing waits."""
        if not self._frames:
            return None
        return min(frame.received_ns for frame in self._frames) + self._deadline_ns

    def take(self, now_ns: int, covered_ns: int | None) -> list[ImageSample]:
        """Remove the frames that are covered or due, oldest first.

        A frame is due when its deadline has passed, and when that of a frame with a later stamp
        has: snapshots leave in order.

        Args:
            now_ns: Clock of the receiver.
            covered_ns: Newest stamp that all other sensors cover; None where there are none.
        """
        count = len(self._frames)
        if covered_ns is not None:
            covered = bisect_right(self._stamps_ns, covered_ns)
            late_ns = now_ns - self._deadline_ns
            while count > covered and self._frames[count - 1].received_ns > late_ns:
                count -= 1
        return self._cut(count)

    def take_all(self) -> list[ImageSample]:
        """Remove every frame, oldest first."""
        return self._cut(len(self._frames))

    def _cut(self, count: int) -> list[ImageSample]:
        taken = self._frames[:count]
        del self._stamps_ns[:count], self._frames[:count]
        return taken
