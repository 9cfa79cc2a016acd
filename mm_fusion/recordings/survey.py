# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a recording holds: topics and roles, rates, gaps, delays, and how clocks are apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mm_fusion.errors import SampleError
from mm_fusion.geometry.enu import LocalFrame
from mm_fusion.messages import OdometryPose
from mm_fusion.recordings.clock_offsets import (
    Motion,
    clock_offset,
    course_comparisons,
    turn_comparison,
    way_comparisons,
)
from mm_fusion.recordings.image_motion import ImageMotion
from mm_fusion.types.sensors import (
    AudioChunk,
    CompressedImage,
    GnssFix,
    LocalPosition,
    RawImage,
    VelocitySample,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from mm_fusion.bags import BagEvent, BagReader, Truth
    from mm_fusion.bags.topics import Role
    from mm_fusion.recordings.clock_offsets import ClockOffset, Comparison
    from mm_fusion.types.sensors import PositionSample, Sample

    _Moving: TypeAlias = VelocitySample | OdometryPose

_GAP_INTERVALS = 3.0
"""So many median intervals of silence are a gap."""

_LISTED_GAPS = 10
_MIN_DRIFT_S = 20.0
_DRIFT_PARTS = 10


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence of one topic.

    Attributes:
        at_s: Its begin, since the start of the recording.
        length_s: How long it was.
    """

    at_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class Delay:
    """Log time minus the time at which a measurement ended, by its stamp.

    Attributes:
        least_s: The smallest: transport at its best, and what the clocks differ.
        median_s: Of all messages.
        p95_s: 95 of 100 are below.
        most_s: The largest.
        drift_ppm: How fast the smallest grows; None where the recording is too short to tell.
    """

    least_s: float
    median_s: float
    p95_s: float
    most_s: float
    drift_ppm: float | None


@dataclass(frozen=True, slots=True)
class StreamSurvey:
    """What is known of the messages of one role.

    Attributes:
        role: Of the topic.
        topic: Its name.
        received: Messages.
        refused: Messages that cannot be used, by reason.
        rate_hz: By the median interval of the stamps; 0 below two messages.
        jitter_s: Deviation of the intervals of the stamps.
        backward: Stamps that lie before the one before.
        repeated: Stamps that are that of the one before.
        gaps: The longest silences.
        gap_count: Number of all.
        delay: None where no message has a stamp of its own.
    """

    role: Role
    topic: str
    received: int
    refused: dict[str, int]
    rate_hz: float
    jitter_s: float
    backward: int
    repeated: int
    gaps: tuple[Gap, ...]
    gap_count: int
    delay: Delay | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What a recording holds.

    Attributes:
        duration_s: From the first to the last message.
        streams: One for each role that has a topic.
        offsets: Every pair of clocks that can be compared in principle.
    """

    duration_s: float
    streams: tuple[StreamSurvey, ...]
    offsets: tuple[ClockOffset, ...]


@dataclass(slots=True)
class _Stream:
    """The times of one role, while the recording goes by."""

    received_ns: list[int] = field(default_factory=list)
    stamps_ns: list[int] = field(default_factory=list)
    arrivals_ns: list[int] = field(default_factory=list)
    ends_ns: list[int] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, event: BagEvent) -> None:
        self.received_ns.append(event.received_ns)
        if isinstance(event.content, SampleError):
            self.refused[event.content.reason.value] += 1
            return
        stamp_ns = event.content.stamp_ns
        self.stamps_ns.append(stamp_ns)
        self.arrivals_ns.append(event.received_ns)
        self.ends_ns.append(stamp_ns + _length_ns(event.content))


def survey(bag: BagReader, *, images: bool = True) -> Survey:
    """Read a recording once, and tell what it holds.

    Args:
        bag: An open recording.
        images: Whether to decode the camera's frames, to compare its clock with the others.

    Raises:
        BagError: The file is damaged.
    """
    streams: dict[Role, _Stream] = {}
    motions: dict[Role, list[_Moving]] = {'velocity': [], 'odometry': []}
    positions: list[PositionSample] = []
    picture = ImageMotion()
    for event in bag.events():
        streams.setdefault(event.role, _Stream()).add(event)
        content = event.content
        if isinstance(content, VelocitySample | OdometryPose):
            motions[event.role].append(content)
        elif isinstance(content, GnssFix | LocalPosition):
            positions.append(content)
        elif isinstance(content, RawImage | CompressedImage) and images:
            picture.add(content)
    names: dict[Role, str] = {
        role: topic for topic, roles in bag.topics.roles().items() for role in roles
    }
    return Survey(
        duration_s=bag.duration_s,
        streams=tuple(
            _stream_survey(role, topic, streams.get(role, _Stream()), bag.start_ns)
            for role, topic in names.items()
        ),
        offsets=tuple(_offsets(motions, positions, picture, bag.start_ns)),
    )


def _offsets(
    motions: dict[Role, list[_Moving]],
    positions: list[PositionSample],
    picture: ImageMotion,
    start_ns: int,
) -> Iterator[ClockOffset]:
    """Compare GNSS and camera with the velocity, or with the odometry where there is none."""
    reference: Role = 'velocity' if motions['velocity'] else 'odometry'
    motion = _motion(motions[reference], start_ns)
    if motion is None:
        return
    turning = motion.yaw_rates_rps is not None
    compared: list[tuple[str, list[Comparison]]] = []
    if positions:
        times_s, places_m = _places(positions, start_ns)
        compared.append(('gnss', way_comparisons(times_s, places_m, motion)))
        if turning:
            compared.append(('gnss', course_comparisons(times_s, places_m, motion)))
    begins_ns, ends_ns, turns = picture.shifts()
    if begins_ns.size and turning:
        begin_s, end_s = ((times - start_ns) / 1e9 for times in (begins_ns, ends_ns))
        compared.append(('camera', [turn_comparison(begin_s, end_s, turns, motion)]))
    for sensor, comparisons in compared:
        offset = clock_offset(sensor, reference, comparisons)
        if offset is not None:
            yield offset


def _motion(samples: Iterable[_Moving], start_ns: int) -> Motion | None:
    """Put motion in order of stamp; a yaw rate that is always zero is none."""
    rows = {sample.stamp_ns: (sample.speed_mps, sample.yaw_rate_rps or 0.0) for sample in samples}
    if len(rows) < 2:
        return None
    stamps_ns = sorted(rows)
    speeds, yaw_rates = np.array([rows[stamp_ns] for stamp_ns in stamps_ns], np.float64).T
    return Motion(
        times_s=_seconds(stamps_ns, start_ns),
        speeds_mps=speeds,
        yaw_rates_rps=yaw_rates if yaw_rates.any() else None,
    )


def _places(
    positions: Iterable[PositionSample], start_ns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give times (n,), s, and places (n, 2), m, in order of stamp."""
    rows: dict[int, tuple[float, float]] = {}
    frame: LocalFrame | None = None
    for sample in positions:
        if isinstance(sample, LocalPosition):
            rows[sample.stamp_ns] = (sample.east_m, sample.north_m)
            continue
        place = (sample.latitude_deg, sample.longitude_deg, sample.altitude_m)
        if frame is None:
            frame = LocalFrame(*place[:2], place[2] if np.isfinite(place[2]) else 0.0)
        east, north, _ = frame.to_local(*place).tolist()
        rows[sample.stamp_ns] = (east, north)
    stamps_ns = sorted(rows)
    return _seconds(stamps_ns, start_ns), np.array([rows[stamp] for stamp in stamps_ns])


def _stream_survey(role: Role, topic: str, stream: _Stream, start_ns: int) -> StreamSurvey:
    intervals = np.diff(np.array(stream.stamps_ns, np.int64)) / 1e9
    forward = intervals[intervals > 0]
    interval_s = float(np.median(forward)) if forward.size else 0.0
    gaps = _gaps(stream.received_ns, start_ns)
    return StreamSurvey(
        role=role,
        topic=topic,
        received=len(stream.received_ns),
        refused=dict(stream.refused),
        rate_hz=1 / interval_s if interval_s else 0.0,
        jitter_s=float(np.std(forward)) if forward.size else 0.0,
        backward=int(np.count_nonzero(intervals < 0)),
        repeated=int(np.count_nonzero(intervals == 0)),
        gaps=tuple(sorted(gaps, key=lambda gap: -gap.length_s)[:_LISTED_GAPS]),
        gap_count=len(gaps),
        delay=_delay(stream),
    )


def _gaps(received_ns: list[int], start_ns: int) -> list[Gap]:
    times_s = _seconds(received_ns, start_ns)
    silences = np.diff(times_s)
    if not silences.size:
        return []
    long = silences > _GAP_INTERVALS * float(np.median(silences))
    return [
        Gap(at_s, length_s)
        for at_s, length_s in zip(times_s[:-1][long].tolist(), silences[long].tolist())
    ]


def _delay(stream: _Stream) -> Delay | None:
    delays = (np.array(stream.arrivals_ns, np.int64) - np.array(stream.ends_ns, np.int64)) / 1e9
    if not delays.any():  # stamped on arrival, or nothing there
        return None
    median, p95 = np.quantile(delays, [0.5, 0.95]).tolist()
    times_s = _seconds(stream.arrivals_ns, stream.arrivals_ns[0])
    return Delay(
        float(delays.min()), median, p95, float(delays.max()), _drift_ppm(times_s, delays)
    )


def _drift_ppm(times_s: NDArray[np.float64], delays: NDArray[np.float64]) -> float | None:
    """Fit a line to the smallest delay of each part: what queues add is left out so."""
    if times_s[-1] < _MIN_DRIFT_S or times_s.size < 5 * _DRIFT_PARTS:
        return None
    parts = np.array_split(np.arange(times_s.size), _DRIFT_PARTS)
    at = [part[np.argmin(delays[part])] for part in parts]
    return float(np.polyfit(times_s[at], delays[at], 1)[0] * 1e6)


def _seconds(stamps_ns: list[int], start_ns: int) -> NDArray[np.float64]:
    return (np.array(stamps_ns, np.int64) - start_ns) / 1e9


def _length_ns(content: Sample | Truth) -> int:
    """Sound is stamped at its first sample, and measured at its last."""
    if isinstance(content, AudioChunk):
        return round(content.samples.size * 1e9 / content.sample_rate_hz)
    return 0
