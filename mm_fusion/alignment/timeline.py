# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Notices when time itself goes backward: a bag that loops, a simulator that is reset."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from mm_fusion.types.sensors import DropReason, Modality, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

JUMP_NS = 500_000_000
"""A smaller step back is disorder: of threads that were held up between reading the clock and
pushing, or of messages on their way."""

_FASTEST_REPLAY = 10


class Verdict(enum.Enum):
    """What the timeline makes of a sample."""

    CURRENT = enum.auto()
    """It belongs to the present."""
    REFUSED = enum.auto()
    """It was counted as dropped, or is kept back until the next samples explain it."""
    JUMPED = enum.auto()
    """It proves that time went backward: start anew with what ``restart`` returns."""


class Timeline:
    """Watches the clock of the receiver and the stamps of each sensor.

    The clock of the receiver going back is a jump at once. A stamp far behind the newest of its
    sensor may be a glitch instead, while the clock runs on: it is kept back, refused when the
    sensor's next stamp is a present one, and believed when a second sample agrees, of this sensor
    or another. Stamps are compared within one sensor only, so that sensors whose clocks disagree
    do no harm.

    Args:
        reorder_ns: A sample is out of order beyond this.
        refuse: Called with the modality and the reason of each sample that is refused.

    Attributes:
        now_ns: Clock of the receiver.
        epoch: Number of jumps so far.
    """

    def __init__(self, reorder_ns: int, refuse: Callable[[Modality, DropReason], None]) -> None:
        self.now_ns = 0
        self.epoch = 0
        self._reorder_ns = reorder_ns
        self._jump_ns = max(reorder_ns, JUMP_NS)
        self._refuse = refuse
        self._newest_ns: dict[Modality, int] = {}
        self._suspects: dict[Modality, Sample] = {}
        self._past_ns: dict[Modality, int] = {}
        self._past_until_ns = 0

    def clock_jumped(self, now_ns: int) -> bool:
        """Advance the clock of the receiver; True where it has gone backward."""
        if now_ns > self.now_ns:
            self.now_ns = now_ns
            return False
        if now_ns >= self.now_ns - JUMP_NS:
            return False
        self.now_ns = now_ns
        return True

    def judge(self, modality: Modality, sample: Sample) -> Verdict:
        """Tell whether a sample belongs to the present."""
        stamp_ns = sample.stamp_ns
        newest_ns = self._newest_ns.get(modality)
        if self._past_ns and self._is_straggler(modality, sample):
            self._refuse(modality, DropReason.CLOCK_JUMP)
            return Verdict.REFUSED
        if newest_ns is None or stamp_ns >= newest_ns - self._reorder_ns:
            if newest_ns is None or stamp_ns > newest_ns:
                self._newest_ns[modality] = stamp_ns
            if self._suspects.pop(modality, None) is not None:
                self._refuse(modality, DropReason.OUT_OF_ORDER)
            return Verdict.CURRENT
        if stamp_ns >= newest_ns - self._jump_ns:
            self._refuse(modality, DropReason.OUT_OF_ORDER)
            return Verdict.REFUSED
        return self._suspect(modality, sample)

    def _suspect(self, modality: Modality, sample: Sample) -> Verdict:
        previous = self._suspects.get(modality)
        if previous is not None and previous.stamp_ns == sample.stamp_ns:
            self._refuse(modality, DropReason.DUPLICATE)
            return Verdict.REFUSED
        agreeing = {
            other: suspect
            for other, suspect in self._suspects.items()
            if self._agree(suspect, sample)
        }
        if not agreeing:
            if previous is not None:
                del self._suspects[modality]
                self._refuse(modality, DropReason.OUT_OF_ORDER)
            self._suspects[modality] = sample
            return Verdict.REFUSED
        for other in self._suspects.keys() - agreeing.keys():
            self._refuse(other, DropReason.OUT_OF_ORDER)
        self._suspects = agreeing
        return Verdict.JUMPED

    def _agree(self, first: Sample, second: Sample) -> bool:
        """Tell whether two stamps may follow each other on one new course of time."""
        elapsed_ns = max(0, second.received_ns - first.received_ns)
        step_ns = second.stamp_ns - first.stamp_ns
        return -self._jump_ns <= step_ns <= self._jump_ns + _FASTEST_REPLAY * elapsed_ns

    def _is_straggler(self, modality: Modality, sample: Sample) -> bool:
        """Tell whether a sample was sent before the jump and overtaken by those after it."""
        if sample.received_ns > self._past_until_ns:
            self._past_ns = {}
            return False
        past_ns = self._past_ns.get(modality)
        if past_ns is None or not self._newest_ns:
            return False
        present_ns = max(self._newest_ns.values())
        return abs(sample.stamp_ns - past_ns) < abs(sample.stamp_ns - present_ns)

    def restart(self, *, stamps_jumped: bool) -> list[Sample]:
        """Begin a new epoch; return the samples kept back for it, in order of arrival."""
        kept_back = list(self._suspects.values())
        self.epoch += 1
        self._suspects = {}
        self._past_ns = self._newest_ns if stamps_jumped else {}
        self._past_until_ns = self.now_ns + self._jump_ns
        self._newest_ns = {}
        return kept_back

    def give_up(self) -> None:
        """Refuse the samples kept back: nothing more will come to explain them."""
        for modality in self._suspects:
            self._refuse(modality, DropReason.OUT_OF_ORDER)
        self._suspects = {}
