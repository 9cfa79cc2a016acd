# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a simulated drive waits for; no ROS, and a clock that the test moves."""

from __future__ import annotations

import threading

import pytest

from mm_fusion.ros.simulation_gates import AnswerGate, StepGate, WallClock

MS = 1_000_000
START_NS = 1_767_225_600 * 10**9


class Time(threading.Event):
    """A wall clock that stands, but for waits and what the test adds."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 100.0
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.now_s += timeout
        return self.is_set()


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr('time.monotonic', lambda: made.now_s)
    return made


@pytest.mark.parametrize('rate', [0.5, 1.0, 4.0])
def test_the_wall_clock_paces_by_its_rate(wall: Time, rate: float) -> None:
    clock = WallClock(rate, wall)

    for step in range(5):
        assert clock.wait(START_NS + step * 200 * MS)

    assert wall.now_s == pytest.approx(100.0 + 0.8 / rate)
    assert wall.waits == pytest.approx([0.2 / rate] * 4)
    assert clock.factor(START_NS + 800 * MS) == pytest.approx(rate)
    assert (clock.late, clock.lost_s, clock.worst_s) == (0, 0.0, 0.0)


def test_a_small_lag_is_caught_up(wall: Time) -> None:
    clock = WallClock(1.0, wall)
    clock.wait(START_NS)
    wall.now_s += 0.15

    clock.wait(START_NS + 100 * MS)
    clock.wait(START_NS + 200 * MS)

    assert wall.now_s == pytest.approx(100.2)
    assert (clock.late, clock.lost_s) == (0, 0.0)
    assert clock.worst_s == pytest.approx(0.05)


def test_a_large_lag_slows_the_drive_down_for_good(wall: Time) -> None:
    clock = WallClock(1.0, wall)
    clock.wait(START_NS)
    wall.now_s += 1.0

    clock.wait(START_NS + 100 * MS)
    clock.wait(START_NS + 200 * MS)

    # No burst: the next one comes its 100 ms later.
    assert wall.now_s == pytest.approx(101.1)
    assert clock.late == 1
    assert clock.lost_s == clock.worst_s == pytest.approx(0.9)
    assert clock.factor(START_NS + 200 * MS) == pytest.approx(0.2 / 1.1)


def test_without_a_rate_nothing_waits_and_nothing_is_late(wall: Time) -> None:
    clock = WallClock(float('inf'), wall)
    clock.wait(START_NS)
    wall.now_s += 10.0

    assert clock.wait(START_NS + 100_000 * MS)

    assert wall.waits == []
    assert clock.late == 0


@pytest.mark.parametrize('rate', [1.0, float('inf')])
def test_a_stop_ends_the_waits(wall: Time, rate: float) -> None:
    clock = WallClock(rate, wall)
    clock.wait(START_NS)
    wall.set()

    assert not clock.wait(START_NS + 100 * MS)


def gate() -> AnswerGate:
    return AnswerGate(0.01, threading.Event())


def send(made: AnswerGate, *stamps_ms: int) -> None:
    for stamp in stamps_ms:
        made.send(START_NS + stamp * MS, START_NS + (stamp + 20) * MS)


def test_an_answer_answers_all_older_frames() -> None:
    made = gate()
    send(made, 0, 100, 200)

    made.answer(START_NS + 100 * MS)

    assert made.wait(1) == 0
    assert made.wait(0) == 1
    assert made.unanswered == 1


def test_what_is_given_up_is_not_waited_for_again() -> None:
    made = gate()
    send(made, 0, 100)

    assert made.wait(0) == 2
    assert made.wait(0) == 0
    assert made.unanswered == 2


@pytest.mark.parametrize(
    ('stamp_ms', 'received_ms'), [(100, 250), (0, 250), (300, 250)], ids=['same', 'old', 'future']
)
def test_what_a_fault_made_of_a_frame_has_no_answer(stamp_ms: int, received_ms: int) -> None:
    made = gate()
    send(made, 0, 100)
    made.answer(START_NS + 100 * MS)

    made.send(START_NS + stamp_ms * MS, START_NS + received_ms * MS)

    assert made.wait(0) == 0


def test_a_stop_ends_the_wait_for_an_answer_and_gives_nothing_up() -> None:
    stop = threading.Event()
    made = AnswerGate(3600.0, stop)
    send(made, 0)
    waiter = threading.Thread(target=made.wait, args=(0,), daemon=True)
    waiter.start()

    stop.set()
    made.wake()
    waiter.join(30.0)

    assert not waiter.is_alive()
    assert made.unanswered == 0


def test_a_step_returns_when_the_next_frame_waits() -> None:
    made = StepGate(threading.Event())
    passed: list[int] = []

    def drive() -> None:
        for frame in range(2):
            made.wait()
            passed.append(frame)
        made.end()

    thread = threading.Thread(target=drive, daemon=True)
    thread.start()

    assert made.step(30.0)
    assert passed == [0]
    assert made.step(30.0)
    assert passed == [0, 1]
    assert not made.step(30.0)
    thread.join()


def test_a_step_that_nobody_takes_fails_in_time() -> None:
    assert not StepGate(threading.Event()).step(0.01)
