# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One activation of the node: a fresh pipeline between the subscriptions and the publishers."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType

from mm_fusion.errors import SampleError
from mm_fusion.messages import AudioAdapter, image_sample, position_sample, velocity_sample
from mm_fusion.ros.health import Health, assess, known_now
from mm_fusion.ros.inputs import AUDIO_INFO, MODALITIES, Inputs
from mm_fusion.ros.latencies import RECEIVE, Latencies
from mm_fusion.ros.matching import FlowWatch
from mm_fusion.ros.worker import InferenceThread
from mm_fusion.types.sensors import ImageSample, RawImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.node import Node
    from rclpy.timer import Timer

    from mm_fusion.ros.engine import Engine
    from mm_fusion.ros.frame_memory import FrameMemory
    from mm_fusion.ros.outputs import Outputs
    from mm_fusion.settings import Settings
    from mm_fusion.types.sensors import Sample

_DISCOVERY_PERIOD_S = 0.2
_FLOW_PERIOD_S = 2.0
_MAX_WARNINGS = 100
"""Sentences that are logged, once each; a flood of new ones ends there, the counts go on."""


class NodeClock:
    """The clock of a node, as nanoseconds.

    Args:
        node: Whose clock it is.
    """

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()

    def now_ns(self) -> int:
        """Time now; 0 where simulation time has not begun."""
        return int(self._clock.now().nanoseconds)

    @property
    def simulated(self) -> bool:
        """Whether it is simulation time."""
        return bool(self._clock.ros_time_is_active)


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """What lives from configure to cleanup, across activations.

    Attributes:
        engine: The networks, and what makes a pipeline of them.
        audio: Reads sound messages; remembers a format that is told only once.
        outputs: Where predictions go.
        memory: Told of raw camera frames, in the thread that receives them; None: nobody is.
    """

    engine: Engine
    audio: AudioAdapter
    outputs: Outputs
    memory: FrameMemory | None = None


class Session:
    """Carry messages to a pipeline, its outputs to the publishers, its health to the user.

    Args:
        node: Owns the subscriptions and timers.
        setup: What it works with.
        give_up: Called, from any thread, with an error that is none of the package's own.
    """

    def __init__(self, node: Node, setup: Setup, give_up: Callable[[Exception], None]) -> None:
        self._node = node
        self._engine = setup.engine
        self._audio = setup.audio
        self._outputs = setup.outputs
        self._memory = setup.memory
        self._give_up = give_up
        self._clock = NodeClock(node)
        self._pipeline = self._engine.pipeline()
        self._latencies = Latencies()
        self._thread = InferenceThread(
            self._pipeline,
            self._clock,
            self._latencies,
            hand_on=self._outputs.publish,
            warn=lambda error: self._warn_once(str(error)),
            give_up=give_up,
        )
        self._warned: set[str] = set()
        self._before_clock = 0
        self._inputs = Inputs(node, self._engine.settings.node, self._guarded(self._receive))
        self._timers: list[Timer] = []

    def start(self) -> None:
        """Start to infer and to listen."""
        self._timers = [
            self._timer(_DISCOVERY_PERIOD_S, self._inputs.update),
            self._timer(_DISCOVERY_PERIOD_S, self._outputs.views.update),
            self._timer(_FLOW_PERIOD_S, FlowWatch(self._node).update),
            self._timer(self._status_period_s, self._publish_health),
        ]
        self._thread.start()
        self._inputs.update()

    def change(self, settings: Settings) -> None:
        """Go on with other settings, as far as they may change at once."""
        before_s = self._status_period_s
        self._engine = dataclasses.replace(self._engine, settings=settings)
        self._pipeline.decode_by(settings.decoding)
        if self._status_period_s != before_s:
            self._node.destroy_timer(self._timers.pop())
            self._timers.append(self._timer(self._status_period_s, self._publish_health))

    @property
    def _status_period_s(self) -> float:
        return 1 / self._engine.settings.node.status_rate_hz

    def _timer(self, period_s: float, callback: Callable[[], None]) -> Timer:
        # Timers run by the machine's clock: a silent /clock is one of the things to report.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        return self._node.create_timer(period_s, self._guarded(callback), clock=steady)

    def close(self) -> None:
        """Stop listening, then inferring."""
        for timer in self._timers:
            self._node.destroy_timer(timer)
        self._inputs.close()
        self._thread.stop()
        self._outputs.views.stop()

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Hand on what a callback raises: left to the executor, it would end the process."""

        def guarded(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a defect
                self._give_up(error)

        return guarded

    def _receive(self, role: str, message: Any, arrived_ns: int) -> None:
        taken_ns = time.time_ns()
        received_ns = self._clock.now_ns()
        try:
            if role == AUDIO_INFO:
                self._audio.set_info(message)
            elif received_ns == 0:
                self._before_clock += 1
            else:
                sample = self._sample(role, message, received_ns)
                if self._memory is not None and isinstance(sample, RawImage):
                    self._memory.see(sample)
                self._pipeline.push(sample)
                self._thread.wake()
                if isinstance(sample, ImageSample):
                    self._outputs.views.see(sample)
                if role == 'image':
                    waited_ns = time.time_ns() - (arrived_ns or taken_ns)
                    self._latencies.add(RECEIVE, max(waited_ns, 0) / 1e9)
        except SampleError as error:
            self._refuse(role, error)

    def _sample(self, role: str, message: Any, received_ns: int) -> Sample:
        if role == 'image':
            return image_sample(message, received_ns)
        if role == 'audio':
            return self._audio.chunk(message, received_ns)
        settings = self._engine.settings
        if role == 'fix':
            trust = settings.gnss.trust_unset_status
            return position_sample(message, received_ns, trust_unset_status=trust)
        clockwise = settings.velocity.clockwise_yaw_rate
        return velocity_sample(message, received_ns, clockwise_yaw_rate=clockwise)

    def _refuse(self, role: str, error: SampleError) -> None:
        modality = MODALITIES.get(role, MODALITIES['audio'])
        self._pipeline.drop(modality, error.reason)
        self._warn_once(f'{self._inputs[role].topic}: {error.reason.value}: {error}')

    def _warn_once(self, text: str) -> None:
        if text not in self._warned and len(self._warned) < _MAX_WARNINGS:
            self._warned.add(text)
            self._node.get_logger().warning(f'{text} (logged once; diagnostics count on)')

    def _publish_health(self) -> None:
        now_ns = self._clock.now_ns()
        run = self._thread.report
        reports = known_now(self._pipeline.reports(now_ns), run.newest)
        level, reason = assess(
            reports,
            failure=run.last_failure if run.failing else '',
            clock_silent=self._clock.simulated and now_ns == 0,
        )
        health = Health(
            now_ns=now_ns,
            level=level,
            reason=reason,
            engine=self._engine,
            reports=reports,
            counters=self._pipeline.counters,
            run=run,
            latencies=self._latencies,
            before_clock=self._before_clock,
        )
        self._outputs.publish_status(health)
        self._outputs.publish_diagnostics(health, self._inputs)
