# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Notices when time goes backward: a bag that loops, a simulator that is reset, a clock set back.

When stamps go back, the question is whose. Where all sensors go back together, time itself did.
Where one goes back and others go on, its clock did, and that is no matter of the others.
"""

from __future__ import annotations

import enum
import statistics
from typing import TYPE_CHECKING, NamedTuple

from mm_fusion.types.sensors import DropReason, Modality, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JUMP_NS = 500_000_000
"""A smaller step back is disorder: of threads that were held up between reading the clock and
pushing, or of messages on their way."""

PATIENCE_NS = 250_000_000
"""So long the other sensors are waited for to say whether their time went back too."""

_FASTEST_REPLAY = 10
_MAX_SUSPECTS = 1024
_MAX_SUSPECT_FRAMES = 64


class Verdict(enum.Enum):
    """What the timeline makes of a sample."""

    CURRENT = enum.auto()
    """It belongs to the present."""
    REFUSED = enum.auto()
    """It was counted as dropped, or is kept back until the next samples explain it."""
    STEPPED = enum.auto()
    """The clock of its sensor was set back, and is right now: take what ``step`` returns."""
    JUMPED = enum.auto()
    """It proves that time went backward: start anew with what ``restart`` returns."""


class _Word(NamedTuple):
    """When a sample was measured and when it came; the sample itself is not held."""

    stamp_ns: int
    received_ns: int


class Timeline:
    """Watches the clock of the receiver and the stamps of each sensor.

    The clock of the receiver going back is a jump at once. A stamp far behind the newest of its
    sensor may be a glitch instead, while the clock runs on: it is kept back, and refused when the
    sensor's next stamp is a present one. When a second one agrees with it, the other sensors
    decide: if all that are alive went back too, or none of them says anything for ``PATIENCE_NS``,
    time has jumped. If another one has gone on meanwhile, the clock of this sensor alone was set
    back. Then its new course is taken where it fits the arrivals of the others better than the one
    before, and refused otherwise, until the sensor returns to the present.

    Stamps are compared within one sensor only, and courses by their distance to the clock of the
    receiver, so that sensors whose clocks disagree do no harm.

    Args:
        reorder_ns: A sample is out of order beyond this.
        timeouts_ns: Silence after which a sensor has no say.
        refuse: Called with the modality and the reason of each sample that is refused.

    Attributes:
        now_ns: Clock of the receiver.
        epoch: Number of jumps so far.
    """

    def __init__(
        self,
        reorder_ns: int,
        timeouts_ns: Mapping[Modality, int],
        refuse: Callable[[Modality, DropReason], None],
    ) -> None:
        self.now_ns = 0
        self.epoch = 0
        self._reorder_ns = reorder_ns
        self._jump_ns = max(reorder_ns, JUMP_NS)
        self._timeouts_ns = timeouts_ns
        self._refuse = refuse
        self._newest: dict[Modality, _Word] = {}
        self._spoke_ns: dict[Modality, int] = {}
        self._suspects: dict[Modality, list[Sample]] = {}
        self._astray: dict[Modality, _Word] = {}
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
        newest = self._newest.get(modality)
        if self._past_ns and self._is_straggler(modality, sample):
            self._refuse(modality, DropReason.CLOCK_JUMP)
            return Verdict.REFUSED
        if newest is None or stamp_ns >= newest.stamp_ns - self._reorder_ns:
            if newest is None or stamp_ns > newest.stamp_ns:
                self._newest[modality] = _Word(stamp_ns, sample.received_ns)
            self._spoke_ns[modality] = sample.received_ns
            self._dismiss(modality, DropReason.OUT_OF_ORDER)
            self._astray.pop(modality, None)
            return Verdict.CURRENT
        if stamp_ns >= newest.stamp_ns - self._jump_ns:
            self._refuse(modality, DropReason.OUT_OF_ORDER)
            return Verdict.REFUSED
        return self._suspect(modality, sample)

    def step(self, modality: Modality) -> list[Sample]:
        """Let the stamps of one sensor begin anew; return its samples kept back, oldest first."""
        del self._newest[modality]
        return self._suspects.pop(modality)

    def restart(self, *, stamps_jumped: bool) -> list[Sample]:
        """Begin a new epoch; return the samples kept back for it, in order of arrival."""
        kept_back = [sample for samples in self._suspects.values() for sample in samples]
        self.epoch += 1
        self._suspects, self._astray = {}, {}
        newest = {modality: word.stamp_ns for modality, word in self._newest.items()}
        self._past_ns = newest if stamps_jumped else {}
        self._past_until_ns = self.now_ns + self._jump_ns
        self._newest, self._spoke_ns = {}, {}
        return sorted(kept_back, key=lambda sample: sample.received_ns)

    def give_up(self) -> None:
        """Refuse the samples kept back: nothing more will come to explain them."""
        for modality in list(self._suspects):
            self._dismiss(modality, DropReason.OUT_OF_ORDER)

    def _suspect(self, modality: Modality, sample: Sample) -> Verdict:
        """Keep an old sample back, and decide where enough is known."""
        astray = self._astray.get(modality)
        if astray is not None and self._agree(astray, sample):
            self._astray[modality] = _Word(sample.stamp_ns, sample.received_ns)
            if self._others(modality):
                self._refuse(modality, DropReason.CLOCK_JUMP)
                return Verdict.REFUSED
        kept = self._suspects.setdefault(modality, [])
        if kept and kept[-1].stamp_ns == sample.stamp_ns:
            self._refuse(modality, DropReason.DUPLICATE)
            return Verdict.REFUSED
        if kept and not self._agree(kept[-1], sample):
            self._dismiss(modality, DropReason.OUT_OF_ORDER)
            kept = self._suspects.setdefault(modality, [])
        kept.append(sample)
        most = _MAX_SUSPECT_FRAMES if modality is Modality.CAMERA else _MAX_SUSPECTS
        if len(kept) > most:
            del kept[0]
            self._refuse(modality, DropReason.OVERFLOW)
        return self._decide(modality, sample)

    def _decide(self, modality: Modality, sample: Sample) -> Verdict:
        since_ns = self._suspects[modality][0].received_ns
        waited = sample.received_ns - since_ns > PATIENCE_NS
        agreeing = {
            other
            for other, kept in self._suspects.items()
            if other is modality or self._agree(kept[-1], sample)
        }
        if sum(len(self._suspects[other]) for other in agreeing) < 2:
            return Verdict.REFUSED
        others = [other for other in self._others(modality) if other not in self._suspects]
        if any(self._spoke_ns[other] > since_ns for other in others):
            return self._alone(modality, sample) if waited else Verdict.REFUSED
        if others and not waited:
            return Verdict.REFUSED
        for other in self._suspects.keys() - agreeing:
            self._dismiss(other, DropReason.OUT_OF_ORDER)
        return Verdict.JUMPED

    def _alone(self, modality: Modality, sample: Sample) -> Verdict:
        """Tell which course of a sensor fits the others: the new one, or the one before it."""
        offset_ns = statistics.median(
            self._newest[other].stamp_ns - self._newest[other].received_ns
            for other in self._others(modality)
        )
        newest = self._newest[modality]
        before_ns = abs(newest.stamp_ns - newest.received_ns - offset_ns)
        after_ns = abs(sample.stamp_ns - sample.received_ns - offset_ns)
        if after_ns < before_ns:
            return Verdict.STEPPED
        self._dismiss(modality, DropReason.CLOCK_JUMP)
        self._astray[modality] = _Word(sample.stamp_ns, sample.received_ns)
        return Verdict.REFUSED

    def _others(self, modality: Modality) -> list[Modality]:
        """Name the other sensors that were heard within their timeouts."""
        return [
            other
            for other, spoke_ns in self._spoke_ns.items()
            if other is not modality
            and other not in self._astray
            and self.now_ns - spoke_ns <= self._timeouts_ns[other]
        ]

    def _dismiss(self, modality: Modality, reason: DropReason) -> None:
        for _ in self._suspects.pop(modality, ()):
            self._refuse(modality, reason)

    def _agree(self, first: Sample | _Word, second: Sample) -> bool:
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
        if past_ns is None or not self._newest:
            return False
        present_ns = max(newest.stamp_ns for newest in self._newest.values())
        return abs(sample.stamp_ns - past_ns) < abs(sample.stamp_ns - present_ns)
