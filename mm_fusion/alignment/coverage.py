# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How far the sensors that are alive reach, in stamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.alignment.ledger import Ledger
    from mm_fusion.alignment.stores import Stores

_WAITED_FOR = (Modality.MICROPHONE, Modality.VELOCITY)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the sensors other than the camera reach: those waited for, else GNSS.

    Attributes:
        all_ns: Newest stamp that all of them cover.
        any_ns: Newest stamp that any of them covers.
        offset_ns: Stamps less arrivals, of the sensor with the least latency: adding it to the
            clock of the receiver gives the present in the clock of the stamps.
    """

    all_ns: int
    any_ns: int
    offset_ns: int


class Coverage:
    """Reads the stores for the sensors that are alive.

    Args:
        ledgers: When each sensor was heard.
        stores: What each has said.
    """

    def __init__(self, ledgers: Mapping[Modality, Ledger], stores: Stores) -> None:
        self._ledgers = ledgers
        self._stores = stores

    def until_ns(self, now_ns: int) -> int | None:
        """Name the newest stamp that all sensors cover that are waited for; None: none is.

        One that lags too far behind the camera to be used is not waited for.
        """
        newest_ns = None
        frame_ns = self._stores.cover_ns(Modality.CAMERA)
        for modality in _WAITED_FOR:
            if self._ledgers[modality].alive(now_ns):
                cover_ns = self._stores.cover_ns(modality)
                if cover_ns is None:
                    continue
                if frame_ns is not None and self._stores.lagging(modality, frame_ns - cover_ns):
                    continue
                if newest_ns is None or cover_ns < newest_ns:
                    newest_ns = cover_ns
        return newest_ns

    def reach(self, now_ns: int) -> Reach | None:
        """Sum up the sensors other than the camera; None where none of them is alive."""
        return self._reach(_WAITED_FOR, now_ns) or self._reach((Modality.GNSS,), now_ns)

    def _reach(self, modalities: tuple[Modality, ...], now_ns: int) -> Reach | None:
        covers_ns, offsets_ns = [], []
        for modality in modalities:
            ledger = self._ledgers[modality]
            cover_ns = self._stores.cover_ns(modality)
            if cover_ns is not None and ledger.heard_ns is not None and ledger.alive(now_ns):
                covers_ns.append(cover_ns)
                offsets_ns.append(cover_ns - ledger.heard_ns)
        if not covers_ns:
            return None
        return Reach(min(covers_ns), max(covers_ns), max(offsets_ns))

    def stamp_ns(self, now_ns: int) -> int | None:
        """Estimate the present in the clock of the stamps; None before anything was heard."""
        stamps_ns = []
        for modality, ledger in self._ledgers.items():
            cover_ns = self._stores.cover_ns(modality)
            if cover_ns is not None and ledger.heard_ns is not None:
                stamps_ns.append(cover_ns + now_ns - ledger.heard_ns)
        return max(stamps_ns, default=None)
