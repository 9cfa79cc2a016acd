# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Plays simulated drives through publishers: in real time, fast, or in lock-step."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mm_fusion.ros.simulation_gates import AnswerGate, StepGate, WallClock
from mm_fusion.simulation.samples import CameraFrame, Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rclpy.node import Node

    from mm_fusion.bags.drive_messages import DriveMessage
    from mm_fusion.ros.simulation_feed import DriveFeed
    from mm_fusion.ros.simulation_options import SimulationOptions
    from mm_fusion.ros.simulation_publishers import DrivePublishers

_NS = 1_000_000_000
_LEAD_TICKS = 5
_LEAD_TICK_NS = _NS // 10
"""Of the wall clock: time for the first ticks of /clock to arrive."""
_TAIL_NS = 3 * _NS // 10
"""Shorter than the camera's timeout: no snapshot is made of the silence after the end."""
_WARNING_PERIOD_S = 5.0


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What was published.

    Attributes:
        drives: Drives that were simulated to their end.
        published: Messages by topic.
        injected: What the faults of these drives did, by sensor: the counts of the ledgers.
        simulated_s: Length of what was published.
        wall_s: How long that took.
        late: Times that the drive had to be slowed down because rendering had fallen behind.
        lost_s: Wall time by which it was slowed down in all.
        worst_lag_s: Furthest that a message was behind its time.
        unanswered: Lock-step: frames without answer.
        unacknowledged: Topics on which a subscriber had not confirmed all messages at the end.
        notices: What was left out.
        complete: False where it was interrupted.
    """

    drives: int
    published: Mapping[str, int]
    injected: Mapping[str, Mapping[str, Any]]
    simulated_s: float
    wall_s: float
    late: int
    lost_s: float
    worst_lag_s: float
    unanswered: int
    unacknowledged: tuple[str, ...]
    notices: tuple[str, ...]
    complete: bool


class Simulation:
    """Play a feed of drives.

    Args:
        node: Logs, and is spun in another thread.
        feed: The messages.
        publishers: Where they go.
        options: How to play them.
    """

    def __init__(
        self,
        node: Node,
        feed: DriveFeed,
        publishers: DrivePublishers,
        options: SimulationOptions,
    ) -> None:
        self._node = node
        self._feed = feed
        self._publishers = publishers
        self._options = options
        self._stop = threading.Event()
        real_time = options.mode == 'real_time'
        self._pace = WallClock(options.rate if real_time else float('inf'), self._stop)
        self.answers: AnswerGate | None = None
        self.steps: StepGate | None = None
        if options.mode == 'lock_step':
            if options.wait_for:
                self.answers = AnswerGate(options.wait_timeout_s, self._stop)
            else:
                self.steps = StepGate(self._stop)
        self._delivery: Delivery | None = None
        self._begin_ns = self._now_ns = self._next_tick_ns = 0

    def stop(self) -> None:
        """End early; may be called from any thread."""
        self._stop.set()
        self._feed.stop()
        self._publishers.wake()
        for gate in (self.answers, self.steps):
            if gate is not None:
                gate.wake()

    def run(self) -> SimulationReport:
        """Play everything, and wait for what was sent to be confirmed.

        Raises:
            MmFusionError: The subscribers did not come in time, or the simulation failed.
        """
        begin_s = time.monotonic()
        self._feed.start()
        try:
            options = self._options
            self._publishers.await_subscribers(
                options.subscribers, options.subscribers_timeout_s, self._stop.is_set
            )
            # Else the drive would begin with the wait for its first frame.
            self._feed.fill()
            begin_s = time.monotonic()
            complete = self._play()
            unacknowledged = self._publishers.unacknowledged() if complete else ()
        except RuntimeError:
            # A signal ends the context, and whatever is being published then fails.
            if self._node.context.ok():
                raise
            complete, unacknowledged = False, ()
        finally:
            if self.steps is not None:
                self.steps.end()
            self._feed.join()
        return SimulationReport(
            drives=self._feed.drives,
            published=dict(self._publishers.published),
            injected=self._feed.injected,
            simulated_s=(self._now_ns - self._begin_ns) / _NS,
            wall_s=time.monotonic() - begin_s,
            late=self._pace.late,
            lost_s=self._pace.lost_s,
            worst_lag_s=self._pace.worst_s,
            unanswered=0 if self.answers is None else self.answers.unanswered,
            unacknowledged=unacknowledged,
            notices=tuple(self._publishers.notices),
            complete=complete,
        )

    def _play(self) -> bool:
        """Publish until the end; False where it was stopped before."""
        message = self._feed.take()
        if message is None or not self._lead_in(message.received_ns):
            return False
        while message is not None:
            if not self._advance(message.received_ns):
                return False
            self._let_pass(message)
            self._publishers.publish(message.topic, message.data)
            message = self._feed.take()
        if self._stop.is_set():
            return False
        if self.answers is not None:
            self._advance(self._now_ns + _TAIL_NS)
            self._await_answers(0)
        return self._advance(self._now_ns + _TAIL_NS)

    def _lead_in(self, begin_ns: int) -> bool:
        """Let the first ticks arrive before anything that is stamped by them."""
        self._begin_ns = self._now_ns = self._next_tick_ns = begin_ns
        for ticks_left in range(_LEAD_TICKS, 0, -1):
            self._publishers.tick(begin_ns - ticks_left * _LEAD_TICK_NS)
            if self._stop.wait(_LEAD_TICK_NS / _NS):
                return False
        return True

    def _advance(self, until_ns: int) -> bool:
        """Let time pass up to a stamp; False where playing is to end."""
        rate_hz = self._options.clock_rate_hz
        while rate_hz > 0 and self._next_tick_ns <= until_ns:
            if not self._pass_time(self._next_tick_ns):
                return False
            self._publishers.tick(self._next_tick_ns)
            self._next_tick_ns += int(_NS / rate_hz)
        return self._pass_time(until_ns)

    def _pass_time(self, until_ns: int) -> bool:
        late = self._pace.late
        goes_on = self._pace.wait(until_ns)
        self._now_ns = max(self._now_ns, until_ns)
        if self._pace.late > late:
            self._node.get_logger().warning(
                f'rendering has fallen behind: {self._pace.factor(until_ns):.2f} times real time '
                f'so far, {self._options.rate:g} asked for; nothing is left out',
                throttle_duration_sec=_WARNING_PERIOD_S,
            )
        return goes_on

    def _let_pass(self, message: DriveMessage) -> None:
        """Hold the first message of a frame until it may pass."""
        delivery = message.source
        if delivery is self._delivery or not isinstance(delivery, Delivery):
            return
        self._delivery = delivery
        if not isinstance(delivery.sample, CameraFrame):
            return
        if self.steps is not None:
            self.steps.wait()
        if self.answers is not None:
            self._await_answers(self._options.in_flight - 1)
            if not delivery.corrupt:
                offset_ns = message.received_ns - delivery.sample.received_ns
                self.answers.send(delivery.sample.stamp_ns + offset_ns, message.received_ns)

    def _await_answers(self, allowed: int) -> None:
        if self.answers is not None and (missing := self.answers.wait(allowed)):
            self._node.get_logger().warning(
                f'{self._options.wait_for}: no answer to {missing} frames within '
                f'{self._options.wait_timeout_s:g} s, going on',
                throttle_duration_sec=_WARNING_PERIOD_S,
            )
