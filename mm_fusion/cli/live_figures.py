# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a live node made of a drive, from the recording of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.bags import match_topics
from mm_fusion.bags.raw import RawBag
from mm_fusion.types.predictions import FRICTION_CLASSES
from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_NS = 1_000_000_000
_ROAD = '/mm_fusion/road_state'
_TRAJECTORY = '/mm_fusion/trajectory_prediction'
_STATUS = '/mm_fusion/status'


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a drive.

    Attributes:
        what: What was predicted throughout.
        begin_s: Since the first output.
        end_s: Since the first output.
    """

    what: str
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Counts and timelines of one live run.

    Attributes:
        frames_received: Camera frames that the node took in.
        roads: Road states published.
        trajectories: Trajectory predictions published.
        opened: Snapshots opened.
        superseded: Snapshots discarded for a newer one.
        received: Messages that the node took in, by modality.
        drops: Messages that it dropped, by modality and reason.
        present: Share of the road states to which each modality was present.
        latency_s: From the arrival of a frame to that of its road state, at the recorder: median
            and 95 % quantile; None without frames.
        frictions: Most probable friction class over time.
        sirens: Where the siren flag was raised.
    """

    frames_received: int
    roads: int
    trajectories: int
    opened: int
    superseded: int
    received: Mapping[str, int]
    drops: Mapping[str, Mapping[str, int]]
    present: Mapping[str, float]
    latency_s: tuple[float, float] | None
    frictions: tuple[Stretch, ...]
    sirens: tuple[Stretch, ...]


def live_figures(recording: Path) -> LiveFigures:
    """Read the figures from a recording of inputs and outputs.

    Raises:
        BagError: The recording cannot be read.
        SampleError: A message of the node cannot be read.
    """
    arrivals: dict[int, int] = {}
    latencies: list[float] = []
    roads: list[Any] = []
    counts: Counter[str] = Counter()
    status: Any = None
    with RawBag(recording) as bag:
        images = match_topics(bag.types).image
        wanted = [topic for topic in (images, _ROAD, _TRAJECTORY, _STATUS) if topic]
        for topic, received_ns, data in bag.messages(wanted):
            counts[topic] += 1
            if topic == _TRAJECTORY:
                continue
            message: Any = bag.deserialized(topic, data)
            if topic == images:
                arrivals[_stamp_ns(message)] = received_ns
            elif topic == _STATUS:
                status = message
            else:
                roads.append(message)
                arrived_ns = arrivals.get(_stamp_ns(message))
                if arrived_ns is not None:
                    latencies.append((received_ns - arrived_ns) / _NS)
    modalities = {} if status is None else {item.name: item for item in status.modalities}
    return LiveFigures(
        frames_received=int(modalities['camera'].received) if modalities else 0,
        roads=counts[_ROAD],
        trajectories=counts[_TRAJECTORY],
        opened=0 if status is None else int(status.snapshots_opened),
        superseded=0 if status is None else int(status.snapshots_superseded),
        received={name: int(item.received) for name, item in modalities.items()},
        drops={name: _drops(item) for name, item in modalities.items()},
        present=_presence(roads),
        latency_s=_quantiles(latencies),
        frictions=_stretches((_time_s(roads, m), FRICTION_CLASSES[m.friction]) for m in roads),
        sirens=tuple(
            stretch
            for stretch in _stretches(
                (_time_s(roads, m), 'siren' if m.siren else '') for m in roads
            )
            if stretch.what
        ),
    )


def _stamp_ns(message: Any) -> int:
    return int(message.header.stamp.sec) * _NS + int(message.header.stamp.nanosec)


def _time_s(roads: list[Any], message: Any) -> float:
    return (_stamp_ns(message) - _stamp_ns(roads[0])) / _NS


def _drops(item: Any) -> dict[str, int]:
    return {
        str(reason): int(count)
        for reason, count in zip(item.drop_reasons, item.drop_counts, strict=True)
    }


def _presence(roads: list[Any]) -> dict[str, float]:
    """Give the share of the road states to which each modality was present."""
    counts = Counter(
        item.name
        for message in roads
        for item in message.modalities
        if item.state == ModalityState.PRESENT
    )
    return {m.value: counts[m.value] / len(roads) if roads else 0.0 for m in Modality}


def _quantiles(latencies: list[float]) -> tuple[float, float] | None:
    if not latencies:
        return None
    median, high = np.quantile(latencies, (0.5, 0.95))
    return float(median), float(high)


def _stretches(said: Iterable[tuple[float, str]]) -> tuple[Stretch, ...]:
    """Join what was said over time into stretches of the same."""
    found: list[Stretch] = []
    for time_s, what in said:
        if found and found[-1].what == what:
            found[-1] = Stretch(what, found[-1].begin_s, time_s)
        else:
            if found:
                found[-1] = Stretch(found[-1].what, found[-1].begin_s, time_s)
            found.append(Stretch(what, time_s, time_s))
    return tuple(found)
