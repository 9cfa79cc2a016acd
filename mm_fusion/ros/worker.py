# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The inference thread: waits for a snapshot, predicts from it, hands the output on."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from mm_fusion.errors import InferenceError
from mm_fusion.ros.latencies import ALIGN, PUBLISH

if TYPE_CHECKING:
    from collections.abc import Callable

    from mm_fusion.ros.latencies import Latencies
    from mm_fusion.types.predictions import FusionOutput

_LONGEST_WAIT_S = 0.25
_CLOCK_POLL_S = 0.005
"""Simulation time runs at any speed, so a deadline in it is polled for."""
_SHORTEST_WAIT_S = 0.0005


class Steppable(Protocol):
    """The part of the pipeline that the thread uses."""

    @property
    def next_deadline_ns(self) -> int | None:
        """Time at which ``step`` has something at the latest."""

    def step(self, now_ns: int, *, live: bool = False) -> FusionOutput | None:
        """Predict from one snapshot."""


class ThreadClock(Protocol):
    """The clock that the thread lives by."""

    def now_ns(self) -> int:
        """Time now; 0 where simulation time has not begun."""

    @property
    def simulated(self) -> bool:
        """Whether it is simulation time."""


@dataclass(frozen=True, slots=True, eq=False)
class RunReport:
    """What the thread has done since it started.

    Attributes:
        outputs: Number of outputs that say something.
        newest: The newest output.
        stamp_to_publish_s: From its stamp until it had been handed on.
        failures: Number of failed inferences.
        last_failure: The newest of them.
        failing: Whether the newest inference failed.
    """

    outputs: int = 0
    newest: FusionOutput | None = None
    stamp_to_publish_s: float = 0.0
    failures: int = 0
    last_failure: str = ''
    failing: bool = False


class InferenceThread:
    """Run the pipeline in one thread, so that callbacks never wait for a network.

    Args:
        pipeline: Stepped by this thread alone.
        clock: Gives the time that the samples are received by.
        latencies: Told how long each stage took, from alignment to publication.
        hand_on: Called in the thread with each output.
        warn: Called in the thread with each failed inference.
        give_up: Called in the thread with an error that is none of the pipeline's own; the
            thread has then ended.
    """

    def __init__(
        self,
        pipeline: Steppable,
        clock: ThreadClock,
        latencies: Latencies,
        *,
        hand_on: Callable[[FusionOutput], None],
        warn: Callable[[InferenceError], None],
        give_up: Callable[[Exception], None],
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._latencies = latencies
        self._hand_on = hand_on
        self._warn = warn
        self._give_up = give_up
        self._condition = threading.Condition()
        self._woken = False
        self._stopping = False
        self._report = RunReport()
        self._thread = threading.Thread(target=self._run, name='inference', daemon=True)

    @property
    def report(self) -> RunReport:
        """What the thread has done so far."""
        return self._report

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Say that a sample has been pushed."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    def stop(self) -> None:
        """End the thread, after the inference that is under way."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while self._wait():
                self._step()
        except Exception as error:  # noqa: BLE001 - a thread must not end in silence
            self._give_up(error)

    def _wait(self) -> bool:
        """Wait for a sample or the next deadline; False where the thread is to end."""
        timeout_s = self._timeout_s()
        with self._condition:
            self._condition.wait_for(lambda: self._woken or self._stopping, timeout_s)
            self._woken = False
            return not self._stopping

    def _timeout_s(self) -> float:
        longest = _CLOCK_POLL_S if self._clock.simulated else _LONGEST_WAIT_S
        deadline_ns = self._pipeline.next_deadline_ns
        if deadline_ns is None:
            return _LONGEST_WAIT_S
        left_s = (deadline_ns - self._clock.now_ns()) / 1e9
        return min(max(left_s, _SHORTEST_WAIT_S), longest)

    def _step(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns == 0:
            return
        try:
            output = self._pipeline.step(now_ns, live=True)
            if output is not None:
                self._publish(output, now_ns)
        except InferenceError as error:
            self._report = replace(
                self._report,
                failures=self._report.failures + 1,
                last_failure=str(error),
                failing=True,
            )
            self._warn(error)
        else:
            if output is not None:
                self._record(output)

    def _publish(self, output: FusionOutput, taken_ns: int) -> None:
        start = time.perf_counter()
        self._hand_on(output)
        self._latencies.add(PUBLISH, time.perf_counter() - start)
        if output.received_ns is not None:
            self._latencies.add(ALIGN, (taken_ns - output.received_ns) / 1e9)
        for stage, duration_s in output.latencies_s.items():
            self._latencies.add(stage, duration_s)

    def _record(self, output: FusionOutput) -> None:
        stamp_to_publish_s = (self._clock.now_ns() - output.stamp_ns) / 1e9
        self._latencies.stamp_to_publish.add(stamp_to_publish_s)
        says_something = output.road is not None or output.trajectory is not None
        self._report = replace(
            self._report,
            outputs=self._report.outputs + says_something,
            newest=output,
            stamp_to_publish_s=stamp_to_publish_s,
            failing=False,
        )
