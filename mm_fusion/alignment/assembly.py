# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts together what the stores and the books of the sensors say about one instant."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.alignment.ledger import Ledger
    from mm_fusion.alignment.stores import Stores
    from mm_fusion.alignment.timeline import Timeline
    from mm_fusion.types.sensors import ImageSample
    from mm_fusion.types.snapshot import ModalityReport


class Assembly:
    """Reads all sensors at an instant.

    Args:
        ledgers: When each sensor was heard, and what it lost.
        stores: What each has said.
        timeline: What time it is, and in which epoch.
    """

    def __init__(
        self, ledgers: Mapping[Modality, Ledger], stores: Stores, timeline: Timeline
    ) -> None:
        self._ledgers = ledgers
        self._stores = stores
        self._timeline = timeline

    def reports(self, stamp_ns: int | None, now_ns: int) -> Mapping[Modality, ModalityReport]:
        """Report on every sensor; without a stamp, no ages."""
        reports = {}
        for modality, ledger in self._ledgers.items():
            age_ns = None if stamp_ns is None else self._stores.age_ns(modality, stamp_ns)
            cause = None if age_ns is None else self._stores.cause(modality, age_ns)
            reports[modality] = ledger.report(now_ns, age_ns, cause=cause)
        return MappingProxyType(reports)

    def snapshot(
        self, stamp_ns: int, frame: ImageSample | None, as_of_ns: int, *, completed: bool
    ) -> Snapshot:
        """Build the snapshot of an instant; what a silent sensor once said is left out.

        Args:
            stamp_ns: The instant.
            frame: What opened it; None for the timer.
            as_of_ns: Clock of the receiver at which a sensor must be alive.
            completed: Whether every live sensor covers the instant.
        """
        stores = self._stores
        heard = self._ledgers[Modality.MICROPHONE].alive(as_of_ns)
        moving = self._ledgers[Modality.VELOCITY].alive(as_of_ns)
        return Snapshot(
            stamp_ns=stamp_ns,
            emitted_ns=self._timeline.now_ns,
            trigger='timer' if frame is None else 'camera',
            completed=completed,
            image=frame,
            audio=stores.audio_at(stamp_ns) if heard else None,
            velocity=stores.velocity_at(stamp_ns) if moving else None,
            velocities=stores.velocities(stamp_ns),
            positions=stores.positions(stamp_ns),
            modalities=self.reports(stamp_ns, as_of_ns),
            epoch=self._timeline.epoch,
        )
