# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated drive: what its sensors deliver, in order of arrival, and the truth."""

from __future__ import annotations

import contextlib
import heapq
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from mm_fusion.simulation.acoustics import sound_blocks
from mm_fusion.simulation.faults import FaultInjector, FaultLedger, Message
from mm_fusion.simulation.samples import CameraFrame, Delivery
from mm_fusion.simulation.scenario import SENSORS
from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.sensors import Clock, gnss_fixes, instants, velocities
from mm_fusion.simulation.traffic import simulate_world
from mm_fusion.simulation.truth import truth_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering import CameraRenderer
    from mm_fusion.simulation.samples import DriveTruth, SensorSample, SoundBlock
    from mm_fusion.simulation.scenario import Scenario
    from mm_fusion.simulation.world import World
    from mm_fusion.types.sensors import GnssFix, VelocitySample

    Measured: TypeAlias = 'SoundBlock | GnssFix | VelocitySample'
    Take: TypeAlias = Callable[[], SensorSample]
    FrameSource: TypeAlias = Callable[[int], tuple[NDArray[np.uint8], NDArray[np.uint8] | None]]


@dataclass(frozen=True, slots=True)
class _Measurement:
    """A measurement of one sensor by true time.

    Attributes:
        sensor: Index into ``SENSORS``.
        true_ns: Time that its stamp stands for.
        ready_ns: Time at which it is done.
        take: Gives its sample, stamped and received by true time.
    """

    sensor: int
    true_ns: int
    ready_ns: int
    take: Take


class SimulatedDrive:
    """A drive of one scenario; the same scenario gives the same bytes.

    Args:
        scenario: What happens.
        camera_frames: Gives the pixels, uint8 (height, width, 3), and the classes of the pixels,
            or None, at a true time (ns), in place of the renderer: for those who need no picture.
            A scenario whose camera is not enabled has no frames at all.
        world: A world that was simulated already, of a scenario that differs in its sensors and
            faults only; None to simulate one.
    """

    def __init__(
        self,
        scenario: Scenario,
        camera_frames: FrameSource | None = None,
        world: World | None = None,
    ) -> None:
        self.scenario = scenario
        self._camera_frames = camera_frames
        self._given = world
        self._ledger = FaultLedger()

    @cached_property
    def world(self) -> World:
        """What moves where; simulated when it is first asked for."""
        if self._given is not None:
            return replace(self._given, scenario=self.scenario)
        return simulate_world(self.scenario)

    @property
    def injected(self) -> FaultLedger:
        """What the faults did to the messages of the newest ``deliveries``, so far."""
        return self._ledger

    def deliveries(self) -> Iterator[Delivery]:
        """Give what the enabled sensors deliver, in order of arrival.

        A frame is rendered when it is given, and one that never arrives is not. Held are only
        the messages whose arrival lies ahead: as many as the longest latency or delay spans.

        Raises:
            RenderError: The camera cannot be rendered on this machine.
        """
        self._ledger = ledger = FaultLedger()
        injectors: list[FaultInjector[Take]] = [
            FaultInjector(self.scenario, sensor, ledger) for sensor in SENSORS
        ]
        clocks = [self._clock(sensor) for sensor in SENSORS]
        waiting: list[tuple[int, int, int, Message[Take]]] = []
        with contextlib.ExitStack() as stack:
            count = 0
            for measurement in self._measurements(stack):
                # Nothing that is measured from now on can arrive before it is done.
                while waiting and waiting[0][0] < measurement.ready_ns:
                    yield _deliver(heapq.heappop(waiting), ledger)
                sensor = measurement.sensor
                stamp_ns, received_ns = clocks[sensor].time(
                    measurement.true_ns, measurement.ready_ns
                )
                message = Message(measurement.true_ns, stamp_ns, received_ns, measurement.take)
                for sent in injectors[sensor].apply(message):
                    heapq.heappush(waiting, (sent.received_ns, sensor, count, sent))
                    count += 1
            while waiting:
                yield _deliver(heapq.heappop(waiting), ledger)

    def truths(self, rate_hz: float = 20.0) -> Iterator[DriveTruth]:
        """Give the truth at a rate, from the start of the drive to its end."""
        for stamp_ns in instants(rate_hz, self.world.end_ns):
            yield truth_at(self.world, stamp_ns)

    def _clock(self, sensor: str) -> Clock:
        timing = getattr(self.scenario, sensor).timing
        return Clock(timing, generator(self.scenario.seed, 'clock', sensor))

    def _measurements(self, stack: contextlib.ExitStack) -> Iterator[_Measurement]:
        """Give the measurements of all enabled sensors in the order in which they are done."""
        world, scenario = self.world, self.scenario
        streams: list[Iterator[_Measurement]] = []
        if scenario.camera.enabled:
            streams.append(self._frames(stack))
        if scenario.microphone.enabled:
            streams.append(_ready('microphone', sound_blocks(world)))
        if scenario.gnss.enabled:
            streams.append(_ready('gnss', gnss_fixes(world)))
        if scenario.velocity.enabled:
            streams.append(_ready('velocity', velocities(world)))
        return heapq.merge(*streams, key=attrgetter('ready_ns'))

    def _frames(self, stack: contextlib.ExitStack) -> Iterator[_Measurement]:
        frames = self._camera_frames or self._renderer(stack).render
        for true_ns in instants(self.scenario.camera.rate_hz, self.world.end_ns):
            # Kept as long as a message carries it, for a frozen camera sends it again and again.
            take = cache(partial(_frame, frames, true_ns))
            yield _Measurement(SENSORS.index('camera'), true_ns, true_ns, take)

    def _renderer(self, stack: contextlib.ExitStack) -> CameraRenderer:
        # A drive without rendered frames needs no graphics library.
        from mm_fusion.simulation.rendering import CameraRenderer

        return stack.enter_context(CameraRenderer(self.world))


def _frame(frames: FrameSource, true_ns: int) -> CameraFrame:
    pixels, classes = frames(true_ns)
    return CameraFrame(true_ns, true_ns, pixels, classes)


def _ready(sensor: str, samples: Iterator[Measured]) -> Iterator[_Measurement]:
    index = SENSORS.index(sensor)
    for sample in samples:
        yield _Measurement(index, sample.stamp_ns, sample.received_ns, partial(_itself, sample))


def _itself(sample: Measured) -> Measured:
    return sample


def _deliver(waiting: tuple[int, int, int, Message[Take]], ledger: FaultLedger) -> Delivery:
    _, sensor, _, message = waiting
    ledger.publish(SENSORS[sensor], message.faults)
    sample = replace(message.content(), stamp_ns=message.stamp_ns, received_ns=message.received_ns)
    return Delivery(SENSORS[sensor], sample, message.corrupt)
