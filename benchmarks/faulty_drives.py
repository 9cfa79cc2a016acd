# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Drives with planned faults through adapters and pipeline, and what must hold of each."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.bags.drive_messages import AUDIO, FIX, IMAGE, TYPES, VELOCITY, DriveMessages
from mm_fusion.bags.typestore import known_types
from mm_fusion.errors import SampleError
from mm_fusion.messages import AudioAdapter, image_sample, position_sample, velocity_sample
from mm_fusion.pipeline import FusionPipeline
from mm_fusion.ros.health import known_now
from mm_fusion.settings import AudioSettings, Settings
from mm_fusion.simulation.drive import SimulatedDrive
from mm_fusion.simulation.scenario import (
    SENSORS,
    CameraSettings,
    Fault,
    Scenario,
    TrafficSettings,
)
from mm_fusion.simulation.world import START_NS
from mm_fusion.types.sensors import DropReason, Modality
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mm_fusion.runtime import Backend, Bundle
    from mm_fusion.simulation.samples import Delivery, DriveTruth
    from mm_fusion.simulation.world import World
    from mm_fusion.types.predictions import FusionOutput, RoadState
    from mm_fusion.types.sensors import Sample

FROM_S, TO_S, LENGTH_S = 4.0, 9.0, 14.0
BURST = 1000
_LOOK_NS = 50_000_000
_TOPICS = {
    IMAGE: Modality.CAMERA,
    AUDIO: Modality.MICROPHONE,
    FIX: Modality.GNSS,
    VELOCITY: Modality.VELOCITY,
}
_FARTHEST_M = 1000.0


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
        injected: Kind of the simulator that does it; empty where the message is changed here.
        amount_s: Delay or shift of stamps.
        share: Of the messages that are hit.
        lasting: Whether the sensor counts as absent meanwhile, after its timeout.
    """

    text: str
    injected: str = ''
    amount_s: float = 0.5
    share: float = 1.0
    lasting: bool = False


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
    'corrupt': Kind('payload damaged, or NaN', 'corrupts', lasting=True),
    'format': Kind('another format after the start', lasting=True),
    'ahead': Kind('clock jumps 5 s ahead', 'clock_jumps', 5.0, lasting=True),
    'back': Kind('clock jumps 5 s back', 'clock_jumps', -5.0, lasting=True),
    'burst': Kind(f'burst of {BURST:,} messages'),
}
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
            back_s = 5.0 + back_s
        if self.kind in ('dies', 'never'):
            return Limits(timeout_s + _SLACK_S, back_s)
        if self.kind == 'freezes':
            frozen_s = _FROZEN_S[self.sensor]
            return Limits(None if frozen_s is None else frozen_s + _LAST_S + _SLACK_S, back_s)
        if KINDS[self.kind].lasting:
            return Limits(_LAST_S + _SLACK_S + 0.25, back_s)
        return Limits(None, back_s)

    def fault(self) -> Fault | None:
        """Give it to the simulator; None where the messages are changed instead."""
        kind = KINDS[self.kind]
        if not kind.injected:
            return None
        from_s = 0.0 if self.kind == 'never' else FROM_S
        return Fault(self.sensor, kind.injected, from_s, TO_S, kind.amount_s, kind.share)


def singles() -> list[Planned]:
    """List every fault of every sensor."""
    return [Planned(sensor, kind) for sensor in SENSORS for kind in KINDS]


@dataclass
class Finding:
    """What a run showed.

    Attributes:
        faults: What was planned.
        said_s: From the begin of the first fault until its sensor lost something or was absent.
        absent_s: Until it was absent; None where it never was.
        back_s: From the end of the last fault until every sensor was present.
        reasons: What the losses of the faulty sensors were counted as.
        outputs: Number of outputs.
        problems: Promises that were broken.
    """

    faults: tuple[Planned, ...]
    said_s: float | None = None
    absent_s: float | None = None
    back_s: float | None = None
    reasons: tuple[str, ...] = ()
    outputs: int = 0
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)


class WithoutTruth:
    """A drive whose truth nobody asks for."""

    def __init__(self, drive: SimulatedDrive) -> None:
        self._drive = drive
        self.scenario = drive.scenario

    def deliveries(self) -> Iterator[Delivery]:
        """Give what the drive delivers."""
        return self._drive.deliveries()

    def truths(self, rate_hz: float = 20.0) -> Iterator[DriveTruth]:
        """Give nothing."""
        return iter(())


class Campaign:
    """Runs drives with faults.

    Args:
        bundle: A model bundle.
        backend: Runs its stages.
        world: To drive in; None simulates one.
        scenario: Of that world.
    """

    def __init__(
        self,
        bundle: Bundle,
        backend: Backend,
        world: World | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        self._bundle, self._backend = bundle, backend
        self._scenario = scenario or Scenario(
            seed=3,
            duration_s=LENGTH_S,
            camera=CameraSettings(width=64, height=36),
            traffic=TrafficSettings(),
        )
        self._world = world or SimulatedDrive(self._scenario, scene).world

    def run(self, *planned: Planned) -> Finding:
        """Drive with these faults, and check all that must hold."""
        faults = tuple(fault for one in planned if (fault := one.fault()) is not None)
        drive = SimulatedDrive(replace(self._scenario, faults=faults), scene, self._world)
        listener = _Listener(FusionPipeline(self._bundle, self._backend, Settings()), planned)
        try:
            for message in DriveMessages(WithoutTruth(drive)):
                if message.topic in _TOPICS:
                    listener.receive(message.topic, message.data, message.received_ns)
            listener.finish()
        except Exception as error:  # noqa: BLE001 - that it never happens is what is tested
            listener.finding.problems.append(f'crashed: {error!r}')
            return listener.finding
        published = {sensor: drive.injected.of(sensor).published for sensor in SENSORS}
        listener.check(published)
        return listener.finding


def scene(stamp_ns: int) -> tuple[NDArray[np.uint8], None]:
    """Give a frame that no other equals, in place of a rendered one."""
    blocks = np.random.default_rng(stamp_ns).integers(60, 200, (9, 16, 3), np.uint8)
    return np.kron(blocks, np.ones((4, 4, 1), np.uint8)), None


class _Listener:
    """Reads messages as a node does, and watches what the pipeline says."""

    def __init__(self, pipeline: FusionPipeline, planned: tuple[Planned, ...]) -> None:
        self.finding = Finding(planned)
        self._pipeline = pipeline
        self._store = known_types()
        self._audio = AudioAdapter(AudioSettings())
        self._changes: dict[str, str] = {
            one.sensor: one.kind for one in planned if one.kind in ('format', 'burst')
        }
        self._extra = dict.fromkeys(SENSORS, 0)
        self._newest: FusionOutput | None = None
        self._frames = 0
        self._looked_ns = self._now_ns = START_NS
        self._dropped: dict[str, int] = dict.fromkeys(SENSORS, 0)
        self._absent_last_ns = 0

    def receive(self, topic: str, data: bytes, received_ns: int) -> None:
        """Take in one message."""
        while (due_ns := self._pipeline.next_deadline_ns) is not None and due_ns < received_ns:
            self._step(due_ns)
        sensor = _TOPICS[topic].value
        message = self._store.deserialize_cdr(data, TYPES[topic])
        time_s = (received_ns - START_NS) / 1e9
        change = self._changes.get(sensor)
        if change == 'format' and FROM_S <= time_s < TO_S:
            _FORMATS[topic](message)
        self._push(topic, message, received_ns)
        if change == 'burst' and time_s >= FROM_S:
            del self._changes[sensor]
            self._burst(topic, message, received_ns)
        self._step(received_ns)

    def finish(self) -> None:
        """Let what waits out."""
        for output in self._pipeline.finish():
            self._take(output)

    def check(self, published: dict[str, int]) -> None:
        """Compare the books, and what was seen with what is promised."""
        reports = self._pipeline.reports(self._now_ns)
        problems = self.finding.problems
        for sensor, count in published.items():
            received = reports[Modality(sensor)].received
            if received != count + self._extra[sensor]:
                problems.append(f'{sensor}: {count} published, {received} received')
        camera = reports[Modality.CAMERA]
        if self._frames + camera.dropped != camera.received:
            problems.append(
                f'camera: {camera.received} received, {self._frames} used, '
                f'{camera.dropped} dropped'
            )
        counters = self._pipeline.counters
        if counters.opened != counters.emitted + counters.superseded + counters.discarded:
            problems.append(f'snapshots do not add up: {counters}')
        faulty = {one.sensor for one in self.finding.faults}
        for sensor in set(SENSORS) - faulty:
            lost = set(reports[Modality(sensor)].drops) - {DropReason.OUTLIER, DropReason.LATE}
            if lost:
                problems.append(f'{sensor}: lost by {", ".join(sorted(r.value for r in lost))}')
        self.finding.reasons = tuple(
            sorted({reason.value for s in faulty for reason in reports[Modality(s)].drops})
        )
        self.finding.back_s = max(0.0, (self._absent_last_ns - START_NS) / 1e9 - TO_S)
        self._check_promises()

    def _check_promises(self) -> None:
        finding, limits = self.finding, [one.limits for one in self.finding.faults]
        back_s = max(limit.back_s for limit in limits)
        if finding.back_s is None or finding.back_s > back_s:
            finding.problems.append(f'back after {finding.back_s} s, promised {back_s:g} s')
        if len(limits) == 1 and limits[0].said_s is not None:
            if finding.said_s is None or finding.said_s > limits[0].said_s:
                finding.problems.append(
                    f'said after {finding.said_s} s, promised {limits[0].said_s:g} s'
                )

    def _push(self, topic: str, message: Any, received_ns: int) -> None:
        try:
            self._pipeline.push(self._sample(topic, message, received_ns))
        except SampleError as error:
            self._pipeline.drop(_TOPICS[topic], error.reason)

    def _burst(self, topic: str, message: Any, received_ns: int) -> None:
        stamp = message.header.stamp
        for index in range(1, BURST + 1):
            moved = type(stamp)(sec=stamp.sec, nanosec=(stamp.nanosec + index) % 10**9)
            header = type(message.header)(stamp=moved, frame_id=message.header.frame_id)
            self._push(topic, replace(message, header=header), received_ns)
        self._extra[_TOPICS[topic].value] += BURST

    def _sample(self, topic: str, message: Any, received_ns: int) -> Sample:
        if topic == AUDIO:
            return self._audio.chunk(message, received_ns)
        if topic == IMAGE:
            return image_sample(message, received_ns)
        if topic == FIX:
            return position_sample(message, received_ns)
        return velocity_sample(message, received_ns)

    def _step(self, now_ns: int) -> None:
        self._now_ns = now_ns
        while (output := self._pipeline.step(now_ns)) is not None:
            self._take(output)
        if now_ns - self._looked_ns >= _LOOK_NS:
            self._looked_ns = now_ns
            self._look(now_ns)

    def _look(self, now_ns: int) -> None:
        """Read what the status would say now."""
        time_s = (now_ns - START_NS) / 1e9
        reports = known_now(self._pipeline.reports(now_ns), self._newest)
        first = self.finding.faults[0]
        begin_s = 0.0 if first.kind == 'never' else FROM_S
        for sensor in {one.sensor for one in self.finding.faults}:
            report = reports[Modality(sensor)]
            absent = report.state is not ModalityState.PRESENT
            if absent:
                self._absent_last_ns = now_ns
            if sensor != first.sensor or time_s < begin_s:
                self._dropped[sensor] = report.dropped
                continue
            if absent and self.finding.absent_s is None:
                self.finding.absent_s = time_s - begin_s
            noticed = absent or report.dropped > self._dropped[sensor]
            if noticed and self.finding.said_s is None:
                self.finding.said_s = time_s - begin_s

    def _take(self, output: FusionOutput) -> None:
        self._newest = output
        self.finding.outputs += 1
        self._frames += output.modalities[Modality.CAMERA].quality is not None and (
            output.modalities[Modality.CAMERA].cause is None
        )
        self.finding.problems.extend(
            problem for problem in out_of_bounds(output) if problem not in self.finding.problems
        )


def out_of_bounds(output: FusionOutput) -> Iterator[str]:
    """Name what of an output is not finite or cannot be."""
    if output.road is not None:
        yield from _road_problems(output.road)
    if output.trajectory is not None:
        for mode in output.trajectory.modes:
            if not np.isfinite(mode.positions).all() or abs(mode.positions).max() > _FARTHEST_M:
                yield 'path out of bounds'
            if not (np.linalg.eigvalsh(mode.covariances) > 0).all():
                yield 'covariance is none'
    if not all(math.isfinite(weight) for weight in output.weights.values()):
        yield 'weight is not finite'


def _road_problems(road: RoadState) -> Iterator[str]:
    for state in (road.filtered, road.unfiltered):
        for name in ('friction', 'material', 'unevenness'):
            shares = np.asarray(getattr(state, name))
            if not (np.isfinite(shares).all() and abs(shares.sum() - 1) < 1e-3):
                yield f'{name} is no distribution'
        if not 0.0 <= state.siren <= 1.0:
            yield 'siren is no probability'
    if not 0.0 <= road.friction_coefficient_mean <= 1.5:
        yield 'friction coefficient out of bounds'


def _unknown_image(message: Any) -> None:
    message.data = np.frombuffer(b'BM' + bytes(64), np.uint8)


def _unknown_sound(message: Any) -> None:
    message.sample_format = 'S24LE'


def _no_fix(message: Any) -> None:
    message.status.status = -1


def _no_number(message: Any) -> None:
    message.twist.linear.x = math.nan


_FORMATS: dict[str, Callable[[Any], None]] = {
    IMAGE: _unknown_image,
    AUDIO: _unknown_sound,
    FIX: _no_fix,
    VELOCITY: _no_number,
}
