# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of one drive after another, made ahead of their time in a thread of their own."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from mm_fusion.bags.drive_messages import Drive, DriveMessages
from mm_fusion.simulation.scenario import SENSORS
from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from mm_fusion.bags.drive_messages import DriveMessage, ImageTransport
    from mm_fusion.simulation.faults import FaultLedger

AHEAD = 400
"""Messages that may wait: a second and a half of a drive with the default sensors."""

GAP_NS = 1_000_000_000
"""Silence between two drives."""


class FaultyDrive(Drive, Protocol):
    """A drive that keeps the books of its faults, as ``SimulatedDrive`` does."""

    @property
    def injected(self) -> FaultLedger:
        """What the faults did to the messages."""


class DriveFeed:
    """Drives on end, on one clock that never goes back.

    They are simulated and rendered in a thread from :meth:`start` on.

    Args:
        drives: One after the other; each is made when the one before has ended.
        images: How frames are sent.
        ahead: Messages that may wait to be taken.

    Attributes:
        injected: What the faults of the drives that have ended did, by sensor: the counts of
            ``FaultCounts``, summed up. Complete once the last message has been taken.
        drives: Drives that have ended.
    """

    def __init__(
        self, drives: Iterable[FaultyDrive], images: ImageTransport, ahead: int = AHEAD
    ) -> None:
        self.injected: dict[str, dict[str, Any]] = {}
        self.drives = 0
        self._made = drives
        self._images: ImageTransport = images
        self._ahead = ahead
        self._waiting: deque[DriveMessage] = deque()
        self._changed = threading.Condition()
        self._stopped = self._ended = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name='simulation', daemon=True)

    def start(self) -> None:
        """Start to simulate."""
        self._thread.start()

    def fill(self) -> None:
        """Wait until as many messages wait as may, or there are no more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or self._ended or len(self._waiting) >= self._ahead
            )

    def take(self) -> DriveMessage | None:
        """Wait for the next message; None after the last one, and once it was stopped.

        Raises:
            MmFusionError: The simulation failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended or self._stopped)
            if self._waiting and not self._stopped:
                self._changed.notify_all()
                return self._waiting.popleft()
        if self._failure is not None:
            raise self._failure
        return None

    def stop(self) -> None:
        """End early; may be called from any thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self) -> None:
        """End, and wait for the thread to let go of the renderer."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            # The renderer belongs to this thread, so it is closed here as well.
            with contextlib.closing(self._messages()) as messages:
                for message in messages:
                    if not self._put(message):
                        break
        except Exception as error:  # noqa: BLE001 - raised again where messages are taken
            self._failure = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, message: DriveMessage) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._waiting) < self._ahead)
            self._waiting.append(message)
            self._changed.notify_all()
            return not self._stopped

    def _messages(self) -> Generator[DriveMessage, None, None]:
        offset_ns = 0
        for drive in self._made:
            end_ns = START_NS + offset_ns
            with contextlib.closing(iter(DriveMessages(drive, self._images, offset_ns))) as made:
                for message in made:
                    end_ns = message.received_ns
                    yield message
            self._add_up(drive.injected)
            self.drives += 1
            offset_ns = end_ns - START_NS + GAP_NS

    def _add_up(self, ledger: FaultLedger) -> None:
        for sensor in SENSORS:
            counts = ledger.of(sensor)
            total = self.injected.setdefault(
                sensor, {'measured': 0, 'published': 0, 'suppressed': 0, 'hits': {}}
            )
            for name in ('measured', 'published', 'suppressed'):
                total[name] += getattr(counts, name)
            for kind, hits in counts.hits.items():
                total['hits'][kind] = total['hits'].get(kind, 0) + hits
