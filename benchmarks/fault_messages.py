# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The messages of a drive, changed by the faults that the simulator does not know."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.fault_kinds import BURST, FASTER, FROM_S, KINDS, SLOWER, TO_S
from mm_fusion.bags.drive_messages import AUDIO, FIX, IMAGE, TYPES, VELOCITY
from mm_fusion.bags.typestore import known_types
from mm_fusion.simulation.world import START_NS
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from benchmarks.fault_kinds import Planned
    from mm_fusion.bags.drive_messages import DriveMessage

TOPICS = {
    IMAGE: Modality.CAMERA,
    AUDIO: Modality.MICROPHONE,
    FIX: Modality.GNSS,
    VELOCITY: Modality.VELOCITY,
}


@dataclass(frozen=True, eq=False)
class Arrival:
    """Messages of one topic that come at once.

    Attributes:
        topic: Theirs.
        messages: At least one.
        received_ns: Time of arrival.
    """

    topic: str
    messages: tuple[Any, ...]
    received_ns: int


class FaultyMessages:
    """What a listener receives of a drive.

    Args:
        messages: Of the drive, in order of arrival; of the sensors alone.
        planned: Faults; those that the simulator does are in the messages already.
        periods_ns: Between two messages of each sensor.

    Attributes:
        added: By sensor, how many more than the drive gave; negative where some were taken away.
        damaged: By sensor, how many must not be used.
    """

    def __init__(
        self,
        messages: Iterable[DriveMessage],
        planned: Iterable[Planned],
        periods_ns: Mapping[str, int],
    ) -> None:
        self.added: Counter[str] = Counter()
        self.damaged: Counter[str] = Counter()
        self._messages = messages
        self._periods_ns = periods_ns
        # Damage comes last: what is damaged can be changed in no other way.
        self._changes = sorted(
            (one for one in planned if not KINDS[one.kind].injected),
            key=lambda one: KINDS[one.kind].refused,
        )
        self._seen: Counter[Planned] = Counter()
        self._store = known_types()

    def __iter__(self) -> Iterator[Arrival]:
        """Yield them in order of arrival."""
        waiting: list[tuple[int, int, str, Any]] = []
        order = itertools.count()
        for sent in self._messages:
            yield from _due(waiting, sent.received_ns)
            message = self._store.deserialize_cdr(sent.data, TYPES[sent.topic])
            changed = self._changed(sent, message)
            for delay_ns, what in changed:
                item = (sent.received_ns + delay_ns, next(order), sent.topic, what)
                heapq.heappush(waiting, item)
            self.added[TOPICS[sent.topic].value] += len(changed) - 1
        yield from _due(waiting, None)

    def _changed(self, sent: DriveMessage, message: Any) -> list[tuple[int, Any]]:
        """Give what becomes of a message, each with its delay."""
        sensor = TOPICS[sent.topic].value
        time_s = (sent.received_ns - START_NS) / 1e9
        found, damaged = [(0, message)], False
        for one in self._changes:
            if one.sensor != sensor or not FROM_S <= time_s < TO_S:
                continue
            index = self._seen[one]
            self._seen[one] += 1
            if KINDS[one.kind].refused:
                damages = _DAMAGES[one.kind, sent.topic]
                for _, each in found:
                    damages[index % len(damages)](each)
                damaged = True
            else:
                found = [
                    (delay_ns + more_ns, changed)
                    for delay_ns, each in found
                    for more_ns, changed in self._readable(one, index, sent.topic, each)
                ]
        self.damaged[sensor] += len(found) * damaged
        return found

    def _readable(
        self, one: Planned, index: int, topic: str, message: Any
    ) -> list[tuple[int, Any]]:
        """Give what becomes of a message under a fault that leaves it readable."""
        if one.kind == 'slow':
            return [] if index % SLOWER else [(0, message)]
        if one.kind == 'fast':
            step_ns = self._periods_ns[one.sensor] // FASTER
            steps = [(part * step_ns, _moved(message, part * step_ns)) for part in range(FASTER)]
            if one.sensor == Modality.MICROPHONE.value:
                for part, (_, each) in enumerate(steps):
                    each.data = _part(each.data, part)
            return steps
        if one.kind == 'burst':
            count = 0 if index else BURST
            return [(0, message), *((0, _moved(message, step + 1)) for step in range(count))]
        _READABLE[one.kind, topic](message)
        return [(0, message)]


def _due(waiting: list[tuple[int, int, str, Any]], until_ns: int | None) -> Iterator[Arrival]:
    """Take what comes before a time; everything without one."""
    due = []
    while waiting and (until_ns is None or waiting[0][0] < until_ns):
        due.append(heapq.heappop(waiting))
    for (received_ns, topic), group in itertools.groupby(due, lambda item: (item[0], item[2])):
        yield Arrival(topic, tuple(message for *_, message in group), received_ns)


def _moved(message: Any, by_ns: int) -> Any:
    """Copy a message under a later stamp."""
    moved = copy(message)
    moved.header = copy(message.header)
    stamp_ns = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec + by_ns
    moved.header.stamp = type(message.header.stamp)(*divmod(stamp_ns, 10**9))
    return moved


def _part(data: Any, part: int) -> Any:
    """Cut a part out of the samples of 2 bytes, each of one ``FASTER``th."""
    size = data.size // 2 // FASTER * 2
    return data[part * size : (part + 1) * size if part + 1 < FASTER else None]


def _set(path: str, value: Any) -> Callable[[Any], None]:
    """Make what sets a field, given as ``a.b.c``."""
    *way, last = path.split('.')

    def damage(message: Any) -> None:
        for name in way:
            message = getattr(message, name)
        setattr(message, last, value)

    return damage


def _cut(message: Any) -> None:
    message.data = message.data[: message.data.size // 2]


def _without_last_byte(message: Any) -> None:
    message.data = message.data[:-1]


def _payload(start: bytes, end: bytes = b'') -> Callable[[Any], None]:
    return _set('data', np.frombuffer(start + bytes(64) + end, np.uint8))


def _floats(value: float) -> Callable[[Any], None]:
    samples = np.zeros(320, '<f4')
    samples[100] = value

    def damage(message: Any) -> None:
        message.sample_format, message.data = 'F32LE', samples.view(np.uint8)

    return damage


_DAMAGES: dict[tuple[str, str], tuple[Callable[[Any], None], ...]] = {
    ('corrupt', IMAGE): (_cut, _payload(b'\xff\xd8\xff')),
    ('corrupt', AUDIO): (_without_last_byte, _set('channels', 7), _set('sample_rate', 0)),
    ('corrupt', FIX): (_set('latitude', 91.0), _set('longitude', 1e9)),
    ('corrupt', VELOCITY): (_set('twist.linear.x', 1e5), _set('twist.angular.z', -1e3)),
    ('hollow', IMAGE): (_payload(b'\xff\xd8\xff\xe0', end=b'\xff\xd9'),),
    ('nan', AUDIO): (_floats(math.nan), _floats(math.inf)),
    ('nan', FIX): (_set('latitude', math.nan), _set('longitude', math.inf)),
    ('nan', VELOCITY): (
        _set('twist.linear.x', math.nan),
        _set('twist.linear.y', -math.inf),
        _set('twist.angular.z', math.nan),
    ),
    ('encoding', IMAGE): (_payload(b'BM'), _payload(b'RIFF')),
    ('encoding', AUDIO): (_set('sample_format', 'S24LE'), _set('sample_format', 'mp3')),
    ('no_fix', FIX): (_set('status.status', -1), _set('status.status', -2)),
}
"""What is done to the messages of a topic, one after the other."""


def _elsewhere(message: Any) -> None:
    message.latitude += 1.0


def _half_sample_rate(message: Any) -> None:
    message.data = np.ascontiguousarray(message.data.view('<i2')[::2]).view(np.uint8)
    message.sample_rate //= 2


def _says_half(message: Any) -> None:
    message.sample_rate //= 2


def _says_thrice(message: Any) -> None:
    message.sample_rate *= 3


_READABLE: dict[tuple[str, str], Callable[[Any], None]] = {
    ('absurd', FIX): _elsewhere,
    ('absurd', VELOCITY): _set('twist.linear.x', 150.0),
    ('sample_rate', AUDIO): _half_sample_rate,
    ('says_half', AUDIO): _says_half,
    ('says_thrice', AUDIO): _says_thrice,
}
"""What is done to messages of a topic that stay readable."""
