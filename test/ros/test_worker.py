# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest

from mm_fusion.errors import InferenceError
from mm_fusion.ros.latencies import Latencies
from mm_fusion.ros.worker import InferenceThread
from mm_fusion.types.predictions import EgoMotion, FusionOutput, TrajectoryPrediction

if TYPE_CHECKING:
    from collections.abc import Iterator

_Item = TypeVar('_Item')

TIMEOUT_S = 10.0
MOTION = TrajectoryPrediction((), 'ego_filter', EgoMotion(1.0, 0.0, 0.0))


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time_ns = 1_000_000_000
        self.simulated = True

    def now_ns(self) -> int:
        return self.time_ns


class Pipeline:
    """A pipeline that gives what the test lays out."""

    def __init__(self) -> None:
        self.next_deadline_ns: int | None = None
        self.waiting: list[FusionOutput | Exception] = []
        self.steps = 0
        self.stepped = threading.Semaphore(0)
        self.live: list[bool] = []

    def step(self, now_ns: int, *, live: bool = False) -> FusionOutput | None:
        self.steps += 1
        self.stepped.release()
        self.live.append(live)
        if self.next_deadline_ns is not None and now_ns < self.next_deadline_ns:
            return None
        self.next_deadline_ns = None
        if not self.waiting:
            return None
        item = self.waiting.pop(0)
        if isinstance(item, Exception):
            raise item
        return item


class Bench:
    """A thread under test, with what it calls back."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.pipeline = Pipeline()
        self.latencies = Latencies()
        self.outputs: list[FusionOutput] = []
        self.warnings: list[InferenceError] = []
        self.errors: list[Exception] = []
        self.happened = threading.Semaphore(0)
        self.thread = InferenceThread(
            self.pipeline,
            self.clock,
            self.latencies,
            hand_on=partial(self._keep, self.outputs),
            warn=partial(self._keep, self.warnings),
            give_up=partial(self._keep, self.errors),
        )

    def _keep(self, store: list[_Item], item: _Item) -> None:
        store.append(item)
        self.happened.release()

    def wait(self) -> None:
        assert self.happened.acquire(timeout=TIMEOUT_S), 'nothing happened'


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.thread.start()
    yield made
    made.thread.stop()


def output(
    stamp_ns: int = 900_000_000,
    latency_s: float = 0.01,
    trajectory: TrajectoryPrediction | None = MOTION,
) -> FusionOutput:
    return FusionOutput(
        stamp_ns=stamp_ns,
        road=None,
        trajectory=trajectory,
        modalities={},
        weights={},
        latencies_s={'fusion': latency_s},
        epoch=0,
    )


def give(bench: Bench, *items: FusionOutput | Exception) -> None:
    for item in items:
        bench.pipeline.waiting.append(item)
        bench.thread.wake()
        bench.wait()


def stopped(bench: Bench) -> Bench:
    bench.thread.stop()
    return bench


def test_a_push_gives_an_output_at_once_and_only_the_newest_counts(bench: Bench) -> None:
    give(bench, output())
    report = stopped(bench).thread.report
    assert bench.outputs == [report.newest]
    assert report.outputs == 1
    assert report.stamp_to_publish_s == pytest.approx(0.1)
    assert all(bench.pipeline.live)


def test_a_deadline_in_simulation_time_is_noticed_without_a_push(bench: Bench) -> None:
    bench.pipeline.waiting.append(output())
    bench.pipeline.next_deadline_ns = 1000 * 10**9
    bench.thread.wake()
    for _ in range(3):
        assert bench.pipeline.stepped.acquire(timeout=TIMEOUT_S), 'simulation time is not polled'
    assert not bench.outputs
    bench.clock.time_ns = 1000 * 10**9
    bench.wait()
    assert len(bench.outputs) == 1


def test_before_simulation_time_begins_nothing_is_stepped() -> None:
    bench = Bench()
    bench.clock.time_ns = 0
    bench.pipeline.waiting.append(output())
    bench.pipeline.next_deadline_ns = 0
    bench.thread.start()
    bench.thread.wake()
    bench.thread.stop()
    assert bench.pipeline.steps == 0


def test_failed_inference_is_counted_and_the_next_success_clears_it(bench: Bench) -> None:
    give(bench, InferenceError('first'), InferenceError('second'))
    # The report is complete before the callback that the semaphore waits for.
    report = bench.thread.report
    assert (report.failures, report.last_failure, report.failing) == (2, 'second', True)
    give(bench, output())
    report = stopped(bench).thread.report
    assert (report.failures, report.failing, report.outputs) == (2, False, 1)
    assert [str(error) for error in bench.warnings] == ['first', 'second']


def test_a_defect_ends_the_thread_and_is_handed_over(bench: Bench) -> None:
    give(bench, ZeroDivisionError('defect'))
    assert [str(error) for error in bench.errors] == ['defect']
    steps = bench.pipeline.steps
    bench.thread.wake()
    bench.thread.stop()
    assert bench.pipeline.steps == steps


def test_latencies_are_a_recent_mean(bench: Bench) -> None:
    give(bench, output(latency_s=1.0), output(latency_s=2.0))
    stages = stopped(bench).latencies.stages
    assert stages['fusion'].mean == pytest.approx(1.1)


def test_the_wait_of_the_frame_and_its_publication_are_measured(bench: Bench) -> None:
    give(bench, replace(output(), received_ns=970_000_000), output())
    latencies = stopped(bench).latencies
    assert list(latencies.stages) == ['align', 'fusion', 'publish']
    assert latencies.stages['align'].mean == pytest.approx(0.03)
    assert len(latencies.stages['align']) == 1, 'a snapshot of the timer has no frame that waits'
    assert len(latencies.stages['publish']) == 2
    assert latencies.stamp_to_publish.quantiles()[0] == pytest.approx(0.1)


def test_an_output_that_says_nothing_is_not_counted_as_one(bench: Bench) -> None:
    give(bench, output(trajectory=None))
    report = stopped(bench).thread.report
    assert report.outputs == 0
    assert report.newest is not None


def test_a_thread_that_never_started_can_be_stopped() -> None:
    Bench().thread.stop()
