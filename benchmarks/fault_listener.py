# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Listens to faulty messages as a node does, and holds what the pipeline says to the promises."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.fault_checks import out_of_bounds
from benchmarks.fault_inlet import Inlet
from benchmarks.fault_kinds import KINDS, TO_S, Planned
from mm_fusion.ros.health import known_now
from mm_fusion.simulation.scenario import SENSORS
from mm_fusion.simulation.world import START_NS
from mm_fusion.types.sensors import DropReason, Modality
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.fault_messages import Arrival
    from mm_fusion.pipeline import FusionPipeline
    from mm_fusion.types.predictions import FusionOutput
    from mm_fusion.types.snapshot import ModalityReport

_LOOK_NS = 50_000_000
_REFUSED = {
    DropReason.MALFORMED,
    DropReason.NOT_FINITE,
    DropReason.UNSUPPORTED,
    DropReason.NO_FIX,
}
"""What damage is counted as."""


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


class Listener:
    """Reads messages as a node does, and watches what the pipeline says."""

    def __init__(self, pipeline: FusionPipeline, planned: tuple[Planned, ...]) -> None:
        self.finding = Finding(planned)
        self._pipeline = pipeline
        self._inlet = Inlet(pipeline)
        self._newest: FusionOutput | None = None
        self._frames = 0
        self._looked_ns = self._now_ns = START_NS
        self._dropped: dict[str, int] = dict.fromkeys(SENSORS, 0)
        self._rates_hz: dict[str, float] = dict.fromkeys(SENSORS, 0.0)
        self._absent_last_ns = 0

    def receive(self, arrival: Arrival) -> None:
        """Take in messages that come at once."""
        received_ns = arrival.received_ns
        while (due_ns := self._pipeline.next_deadline_ns) is not None and due_ns < received_ns:
            self._step(due_ns)
        for message in arrival.messages:
            self._inlet.push(arrival.topic, message, received_ns)
        self._step(received_ns)

    def finish(self) -> None:
        """Let what waits out."""
        for output in self._pipeline.finish():
            self._take(output)

    def check(self, sent: Mapping[str, int], damaged: Mapping[str, int]) -> None:
        """Compare the books, and what was seen with what is promised.

        Args:
            sent: By sensor, how many messages it sent.
            damaged: By sensor, how many of them must not be used.
        """
        reports = self._pipeline.reports(self._now_ns)
        problems = self.finding.problems
        for sensor in SENSORS:
            report = reports[Modality(sensor)]
            if report.received != sent[sensor]:
                problems.append(f'{sensor}: {sent[sensor]} sent, {report.received} received')
            refused = sum(report.drops.get(reason, 0) for reason in _REFUSED)
            hollow = Planned(sensor, 'hollow') in self.finding.faults
            if refused > damaged[sensor] or (refused < damaged[sensor] and not hollow):
                problems.append(f'{sensor}: {damaged[sensor]} damaged, {refused} refused')
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
        for sensor in {one.sensor for one in self.finding.faults}:
            report = reports[Modality(sensor)]
            absent = report.state is not ModalityState.PRESENT
            if absent:
                self._absent_last_ns = now_ns
            if sensor != first.sensor or time_s < first.begin_s:
                self._dropped[sensor], self._rates_hz[sensor] = report.dropped, report.rate_hz
                continue
            if absent and self.finding.absent_s is None:
                self.finding.absent_s = time_s - first.begin_s
            if self.finding.said_s is None and (absent or self._says(first, report)):
                self.finding.said_s = time_s - first.begin_s

    def _says(self, fault: Planned, report: ModalityReport) -> bool:
        """Tell whether a report of a sensor that is present speaks of its fault."""
        if KINDS[fault.kind].by_rate:
            return not 0.5 <= report.rate_hz / self._rates_hz[fault.sensor] <= 2.0
        return report.dropped > self._dropped[fault.sensor]

    def _take(self, output: FusionOutput) -> None:
        self._newest = output
        self.finding.outputs += 1
        self._frames += output.modalities[Modality.CAMERA].quality is not None and (
            output.modalities[Modality.CAMERA].cause is None
        )
        self.finding.problems.extend(
            problem for problem in out_of_bounds(output) if problem not in self.finding.problems
        )
