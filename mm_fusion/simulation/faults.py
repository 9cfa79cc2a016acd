# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with the messages of a sensor, by script, and the books of it.

Faults act on messages that are still empty: which measurement each carries, under which stamp and
when it arrives. So what nobody receives need not be rendered.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np

    from mm_fusion.simulation.samples import FaultKind
    from mm_fusion.simulation.scenario import Fault, Scenario

DUPLICATE_AFTER_NS = 1_000_000
"""The second of two copies arrives this much later."""

_HANGING = ('freezes', 'stuck')

T = TypeVar('T')


@dataclass(frozen=True, slots=True)
class Message(Generic[T]):
    """A message on its way.

    Attributes:
        measured_ns: True time of the measurement that it was sent for.
        stamp_ns: Stamp that it carries.
        received_ns: Time of arrival.
        content: What it carries; of an earlier measurement in a sensor that hangs.
        corrupt: Whether its payload is damaged.
        faults: Kinds of the faults that made it what it is.
    """

    measured_ns: int
    stamp_ns: int
    received_ns: int
    content: T
    corrupt: bool = False
    faults: tuple[FaultKind, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultCounts:
    """What became of the messages of one sensor.

    ``measured + hits['duplicates'] == published + suppressed`` at the end of a drive.

    Attributes:
        measured: Measurements that were made.
        published: Messages that arrived, repetitions included.
        suppressed: Measurements for which none arrived: hit by ``dies``.
        hits: Messages hit, by kind; one that two kinds hit counts under both. Of two copies only
            the second counts as hit by ``duplicates``.
    """

    measured: int
    published: int
    suppressed: int
    hits: Mapping[FaultKind, int]


class FaultLedger:
    """Counts what happens to the messages of each sensor."""

    def __init__(self) -> None:
        self._measured: Counter[str] = Counter()
        self._published: Counter[str] = Counter()
        self._suppressed: Counter[str] = Counter()
        self._hits: defaultdict[str, Counter[FaultKind]] = defaultdict(Counter)

    def of(self, sensor: str) -> FaultCounts:
        """Give the counts of a sensor so far; later ones do not change it."""
        return FaultCounts(
            measured=self._measured[sensor],
            published=self._published[sensor],
            suppressed=self._suppressed[sensor],
            hits=MappingProxyType(dict(self._hits[sensor])),
        )

    def measure(self, sensor: str) -> None:
        """Count a measurement."""
        self._measured[sensor] += 1

    def publish(self, sensor: str, faults: Iterable[FaultKind]) -> None:
        """Count a message that arrives, and what hit it."""
        self._published[sensor] += 1
        self._hits[sensor].update(set(faults))

    def suppress(self, sensor: str, faults: Iterable[FaultKind]) -> None:
        """Count a message that never arrives, and what hit it."""
        self._suppressed[sensor] += 1
        self._hits[sensor].update(set(faults))


class FaultInjector(Generic[T]):
    """Applies the faults of one sensor to its messages, in the order of the script.

    Args:
        scenario: Its faults and its seed.
        sensor: Whose messages.
        ledger: Told of what is suppressed; the one who delivers tells it of the rest.
    """

    def __init__(self, scenario: Scenario, sensor: str, ledger: FaultLedger) -> None:
        self._sensor = sensor
        self._ledger = ledger
        faults = [fault for fault in scenario.faults if fault.sensor == sensor]
        self._stages: list[_Stage[T]] = [
            _Stage(fault, generator(scenario.seed, 'fault', sensor, str(index)))
            for index, fault in enumerate(faults)
        ]

    def apply(self, message: Message[T]) -> list[Message[T]]:
        """Give what arrives for a measurement: one message, none, or several.

        Args:
            message: As the sensor would send it; after the one before it.
        """
        self._ledger.measure(self._sensor)
        messages = [message]
        for stage in self._stages:
            messages = [out for item in messages for out in self._through(stage, item)]
        return messages

    def _through(self, stage: _Stage[T], message: Message[T]) -> Iterator[Message[T]]:
        kind = stage.hits(message)
        if kind is None:
            yield message
            return
        faults = (*message.faults, kind)
        if kind == 'dies':
            self._ledger.suppress(self._sensor, faults)
            return
        if kind == 'duplicates':
            yield message
        yield replace(stage.changed(message), faults=faults)


class _Stage(Generic[T]):
    """One fault, and the message that a hanging sensor repeats."""

    def __init__(self, fault: Fault, rng: np.random.Generator) -> None:
        # The scenario's bounds allow these kinds and no others.
        self._kind = cast('FaultKind', fault.kind)
        self._from_ns = START_NS + round(fault.from_s * 1e9)
        self._to_ns = START_NS + round(fault.to_s * 1e9)
        self._amount_ns = round(fault.amount_s * 1e9)
        self._share = fault.share
        self._rng = rng
        self._held: Message[T] | None = None

    def hits(self, message: Message[T]) -> FaultKind | None:
        """Name the fault if it hits a message. A sensor cannot hang before its first message."""
        inside = self._from_ns <= message.measured_ns < self._to_ns
        if inside and self._rng.random() < self._share:
            if self._kind not in _HANGING or self._held is not None:
                return self._kind
        if self._kind in _HANGING:
            self._held = message
        return None

    def changed(self, message: Message[T]) -> Message[T]:
        """Give what becomes of a message that was hit."""
        held = message if self._held is None else self._held
        if self._kind == 'freezes':
            return replace(held, measured_ns=message.measured_ns, received_ns=message.received_ns)
        if self._kind == 'stuck':
            return replace(message, content=held.content, corrupt=held.corrupt)
        if self._kind == 'delays':
            return replace(message, received_ns=message.received_ns + self._amount_ns)
        if self._kind == 'duplicates':
            return replace(message, received_ns=message.received_ns + DUPLICATE_AFTER_NS)
        if self._kind == 'clock_jumps':
            return replace(message, stamp_ns=message.stamp_ns + self._amount_ns)
        return replace(message, corrupt=True)
