# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Which faults there are, for which sensors they can exist, and what is promised of each."""

from __future__ import annotations

from dataclasses import dataclass

from mm_fusion.simulation.scenario import SENSORS, Fault

FROM_S, TO_S, LENGTH_S = 4.0, 9.0, 14.0
"""Begin and end of each fault, and length of the drive."""
BURST = 1000
FASTER, SLOWER = 5, 10


@dataclass(frozen=True)
class Limits:
    """What is promised of a fault, seconds; None where nothing is to be noticed.

    Attributes:
        said_s: From its begin until the reports say something.
        back_s: From its end until the sensor is used again.
    """

    said_s: float | None
    back_s: float


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        text: For the table.
        injected: Kind of the simulator that does it; empty where the messages are changed by
            :mod:`benchmarks.fault_messages`.
        amount_s: Delay or shift of stamps.
        share: Of the messages that are hit.
        lasting: Whether the sensor counts as absent meanwhile, after its timeout.
        refused: Whether every message that is hit must be counted as refused; of frames that are
            refused only where they are decoded, those that come in time.
        by_rate: Whether the rate that is reported is what says it.
    """

    text: str
    injected: str = ''
    amount_s: float = 0.5
    share: float = 1.0
    lasting: bool = False
    refused: bool = False
    by_rate: bool = False


KINDS = {
    'never': Kind('never seen', 'dies', lasting=True),
    'dies': Kind('dies', 'dies', lasting=True),
    'repeats': Kind('repeats its last message', 'freezes', lasting=True),
    'freezes': Kind('freezes under fresh stamps', 'stuck'),
    'late_0.1': Kind('late by 0.1 s', 'delays', 0.1),
    'late_1': Kind('late by 1 s', 'delays', 1.0),
    'late_5': Kind('late by 5 s', 'delays', 5.0),
    'duplicates': Kind('sends everything twice', 'duplicates'),
    'disorder': Kind('out of order', 'delays', 0.25, 0.3),
    'corrupt': Kind('payload damaged', lasting=True, refused=True),
    'hollow': Kind('whole, and does not decode', lasting=True, refused=True),
    'nan': Kind('NaN or infinite', lasting=True, refused=True),
    'encoding': Kind('another encoding after the start', lasting=True, refused=True),
    'no_fix': Kind('says that it has no position', lasting=True, refused=True),
    'absurd': Kind('readable, and cannot be'),
    'slow': Kind('a tenth of its rate', by_rate=True),
    'fast': Kind('5 times its rate', by_rate=True),
    'sample_rate': Kind('half the sample rate, as declared'),
    'says_half': Kind('declares half of its sample rate'),
    'says_thrice': Kind('declares 3 times its sample rate'),
    'ahead': Kind('clock jumps 5 s ahead', 'clock_jumps', 5.0, lasting=True),
    'back': Kind('clock jumps 5 s back', 'clock_jumps', -5.0, lasting=True),
    'burst': Kind(f'burst of {BURST:,} messages'),
}

_ONE_LAYOUT = 'the message has one layout'
_NO_SAMPLES = 'no sampled signal'
_NO_STATUS = 'no such field'
CANNOT_EXIST = {
    ('camera', 'nan'): 'the pixels of an image that is read are integers',
    ('gnss', 'encoding'): _ONE_LAYOUT,
    ('velocity', 'encoding'): _ONE_LAYOUT,
    **{(sensor, 'absurd'): 'no single value' for sensor in ('camera', 'microphone')},
    **{(sensor, 'hollow'): 'nothing is decoded' for sensor in ('microphone', 'gnss', 'velocity')},
    **{(sensor, 'no_fix'): _NO_STATUS for sensor in ('camera', 'microphone', 'velocity')},
    **{
        (sensor, kind): _NO_SAMPLES
        for sensor in ('camera', 'gnss', 'velocity')
        for kind in ('sample_rate', 'says_half', 'says_thrice')
    },
}
"""Why a fault of a sensor cannot exist."""

_TIMEOUT_S = {'camera': 0.5, 'microphone': 0.5, 'gnss': 3.0, 'velocity': 2.5}
_FROZEN_S = {'camera': 0.5, 'microphone': 1.0, 'gnss': 2.5, 'velocity': None}
_SLACK_S = 0.3
_LAST_S = 0.2
"""The slowest sensor speaks so often."""


@dataclass(frozen=True)
class Planned:
    """A fault of a sensor."""

    sensor: str
    kind: str

    @property
    def limits(self) -> Limits:
        """What is promised of it."""
        timeout_s = _TIMEOUT_S[self.sensor]
        back_s = 2.0 if self.sensor == 'microphone' else 1.0
        if self.kind == 'late_5':
            back_s += 5.0
        if self.kind in ('dies', 'never'):
            return Limits(timeout_s + _SLACK_S, back_s)
        if self.kind == 'freezes':
            frozen_s = _FROZEN_S[self.sensor]
            return Limits(None if frozen_s is None else frozen_s + _LAST_S + _SLACK_S, back_s)
        if self.kind == 'says_thrice':
            return Limits(2.0, back_s)
        if KINDS[self.kind].by_rate:
            return Limits(2.0 if self.kind == 'fast' else 0.8, back_s)
        if self.kind == 'absurd' or KINDS[self.kind].lasting:
            return Limits(_LAST_S + _SLACK_S + 0.25, back_s)
        return Limits(None, back_s)

    @property
    def begin_s(self) -> float:
        """When it begins."""
        return 0.0 if self.kind == 'never' else FROM_S

    def fault(self) -> Fault | None:
        """Give it to the simulator; None where the messages are changed instead."""
        kind = KINDS[self.kind]
        if not kind.injected:
            return None
        return Fault(self.sensor, kind.injected, self.begin_s, TO_S, kind.amount_s, kind.share)


def singles() -> list[Planned]:
    """List every fault of every sensor that can exist."""
    return [
        Planned(sensor, kind)
        for sensor in SENSORS
        for kind in KINDS
        if (sensor, kind) not in CANNOT_EXIST
    ]
