# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The books of one sensor: when it last spoke, how often it does, and what it lost."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mm_fusion.types.snapshot import ModalityReport, ModalityState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.types.sensors import DropReason

# Number of intervals that the running mean of the rate reaches back over, about.
_MEAN_INTERVALS = 32


class Ledger:
    """Counters, liveness and rate of one sensor, all by the clock of the receiver.

    Args:
        timeout_ns: Silence after which the sensor no longer counts as alive.
    """

    __slots__ = (
        '_drops',
        '_drops_view',
        '_interval_ns',
        '_intervals',
        '_refused',
        '_withheld',
        'heard_ns',
        'received',
        'timeout_ns',
    )

    def __init__(self, timeout_ns: int) -> None:
        self.timeout_ns = timeout_ns
        self.received = 0
        self.heard_ns: int | None = None
        self._interval_ns = 0.0
        self._intervals = 0
        self._withheld = False
        self._refused: tuple[DropReason, int] | None = None
        self._drops: dict[DropReason, int] = {}
        self._drops_view: Mapping[DropReason, int] = MappingProxyType({})

    def drop(self, reason: DropReason, count: int = 1, *, now_ns: int | None = None) -> None:
        """Count lost samples.

        Args:
            reason: Why.
            count: How many.
            now_ns: Clock of the receiver where they came just now.
        """
        if count > 0:
            if now_ns is not None:
                self._refused = (reason, now_ns)
            self._drops[reason] = self._drops.get(reason, 0) + count
            # Reports keep what they were given, so that each change needs a new mapping.
            self._drops_view = MappingProxyType(dict(self._drops))

    def withhold(self) -> None:
        """Take the sensor for absent until it is heard again."""
        self._withheld = True

    def hear(self, received_ns: int) -> None:
        """Note a usable sample: it keeps the sensor alive."""
        self._withheld = False
        if self.heard_ns is None:
            self.heard_ns = received_ns
            return
        silence_ns = received_ns - self.heard_ns
        if silence_ns < 0:
            return
        self.heard_ns = received_ns
        if silence_ns > self.timeout_ns:
            self._intervals = 0
            return
        if self._intervals < _MEAN_INTERVALS:
            self._intervals += 1
        self._interval_ns += (silence_ns - self._interval_ns) / self._intervals

    def alive(self, now_ns: int) -> bool:
        """Tell whether the sensor was heard within its timeout; a sensor never heard was not."""
        if self.heard_ns is None or self._withheld:
            return False
        return now_ns - self.heard_ns <= self.timeout_ns

    def forget(self) -> None:
        """Return to the state of a sensor never heard; the counters stay."""
        self.heard_ns = None
        self._withheld = False
        self._refused = None
        self._intervals = 0
        self._interval_ns = 0.0

    def report(
        self, now_ns: int, age_ns: int | None, *, cause: DropReason | None = None
    ) -> ModalityReport:
        """Sum up what is known.

        Args:
            now_ns: Clock of the receiver.
            age_ns: Age of what was heard last.
            cause: Why that cannot be used although the sensor speaks; None where it can. What was
                refused of late says more.
        """
        if self.heard_ns is None:
            state, cause = ModalityState.NEVER_SEEN, None
        elif not self.alive(now_ns):
            state, cause = ModalityState.STALE, None
        elif cause is not None:
            state = ModalityState.STALE
        else:
            state = ModalityState.PRESENT
        if state is not ModalityState.PRESENT and self._refused is not None:
            reason, refused_ns = self._refused
            if now_ns - refused_ns <= self.timeout_ns:
                cause = reason
        return ModalityReport(
            state=state,
            age_ns=age_ns,
            rate_hz=self._rate_hz(now_ns),
            received=self.received,
            drops=self._drops_view,
            cause=cause,
        )

    def _rate_hz(self, now_ns: int) -> float:
        if self.heard_ns is None or self._intervals == 0:
            return 0.0
        # A sensor that falls silent slows down, although no interval ends any more.
        interval_ns = max(self._interval_ns, now_ns - self.heard_ns)
        return 1e9 / interval_ns if interval_ns > 0 else 0.0
