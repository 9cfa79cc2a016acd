# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Snapshots on their way out, and what became of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mm_fusion.types.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AlignmentCounters:
    """Fate of the snapshots since the start: opened = emitted + superseded + discarded + pending.

    Attributes:
        opened: By a camera frame or by the timer.
        emitted: Handed out and not superseded.
        superseded: Handed out, and given up for a newer one before inference.
        clock_resets: Number of times that time went backward.
        discarded: Given up by a clock reset or an overflow.
        pending: Waiting now.
        audio_restarts: Changes of the sample rate; each empties the ring of sound.
    """

    opened: int
    emitted: int
    superseded: int
    clock_resets: int
    discarded: int
    pending: int
    audio_restarts: int


class Outbox:
    """Holds closed snapshots until they are handed out, in strictly increasing order of stamps.

    Attributes:
        opened: Snapshots opened since the start.
        emitted: Snapshots handed out and not superseded.
        superseded: Snapshots handed out and given up.
        discarded: Snapshots lost before.
        last_ns: Stamp of the newest snapshot of this epoch, which later ones must exceed.
        last_frame_ns: Stamp of the newest that a camera frame opened.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.emitted = 0
        self.superseded = 0
        self.discarded = 0
        self.last_ns: int | None = None
        self.last_frame_ns: int | None = None
        self._ready: list[Snapshot] = []

    def __len__(self) -> int:
        """Count the snapshots that are ready."""
        return len(self._ready)

    def put(self, snapshot: Snapshot) -> None:
        """Add a closed snapshot."""
        self.last_ns = snapshot.stamp_ns
        if snapshot.image is not None:
            self.last_frame_ns = snapshot.stamp_ns
        self._ready.append(snapshot)

    def hand_out(self) -> list[Snapshot]:
        """Give away all that is ready."""
        ready, self._ready = self._ready, []
        self.emitted += len(ready)
        return ready

    def lose(self, *, keep: int) -> int:
        """Discard all but the newest snapshots; say how many frames went with them."""
        lost = self._ready[: max(0, len(self._ready) - keep)]
        del self._ready[: len(lost)]
        self.discarded += len(lost)
        return sum(snapshot.image is not None for snapshot in lost)

    def supersede(self, count: int) -> None:
        """Count snapshots as superseded that were handed out."""
        self.emitted -= count
        self.superseded += count

    def counters(
        self, *, pending: int, clock_resets: int, audio_restarts: int
    ) -> AlignmentCounters:
        """Sum up, with what others count: frames that wait, and restarts."""
        return AlignmentCounters(
            opened=self.opened,
            emitted=self.emitted,
            superseded=self.superseded,
            clock_resets=clock_resets,
            discarded=self.discarded,
            pending=pending + len(self),
            audio_restarts=audio_restarts,
        )

    def start_epoch(self) -> None:
        """Let stamps begin anew."""
        self.last_ns = self.last_frame_ns = None
