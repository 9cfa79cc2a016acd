# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import BackendError, InferenceError
from mm_fusion.runtime.switching import FIRST_DELAY_S, LONGEST_DELAY_S, SwitchingBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mm_fusion.runtime import Backend

FRAME = ('image_encoder', 'audio_encoder', 'fusion')


class Recorded:
    """A backend that notes what it runs, and fails as told."""

    concurrent = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.reason = f'reason of {name}'
        self.ran: list[str] = []
        self.failure: Exception | None = None
        self.closed = False

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        assert not self.closed
        if self.failure is not None:
            raise self.failure
        self.ran.append(stage)
        return {'ran_on': np.array([self.name])}

    def close(self) -> None:
        self.closed = True


class Bench:
    """A switching backend whose preparations end when the test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.safe = Recorded('safe')
        self.results: list[Backend | Exception] = []
        self.preparations = 0
        self.go_on = threading.Event()
        self.say: Callable[[str], None] = lambda _: None
        self.backend = SwitchingBackend(
            self.safe, self._prepare, wanted='fast', why='asked for', clock=lambda: self.now_s
        )

    def _prepare(self, say: Callable[[str], None], cancelled: threading.Event) -> Backend:
        self.preparations += 1
        self.say = say
        say('fusion, 1 of 4')
        while not self.go_on.wait(0.01):
            if cancelled.is_set():
                raise InferenceError('given up')
        self.go_on.clear()
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    def finish(self, result: Backend | Exception) -> None:
        """Let the preparation that is under way end."""
        self.results.append(result)
        job = self.backend._job
        assert job is not None
        self.go_on.set()
        job.thread.join(10)
        assert not job.thread.is_alive()

    def run(self, stage: str = 'fusion') -> str:
        return str(self.backend.run(stage, {})['ran_on'][0])

    def frame(self) -> list[str]:
        return [self.run(stage) for stage in FRAME]


@pytest.fixture
def bench() -> Any:
    bench = Bench()
    yield bench
    bench.backend.close()


def test_the_safe_one_serves_meanwhile_and_says_so(bench: Bench) -> None:
    assert bench.frame() == ['safe'] * 3
    bench.say('fusion, 1 of 4, for 5 s')
    assert bench.backend.name == 'safe'
    expected = 'asked for; fast is being prepared: fusion, 1 of 4, for 5 s'
    assert bench.backend.reason == expected


def test_it_is_taken_up_between_two_frames(bench: Bench) -> None:
    fast = Recorded('fast')
    assert bench.run('image_encoder') == 'safe'
    bench.finish(fast)
    assert [bench.run('audio_encoder'), bench.run('fusion')] == ['safe', 'safe']
    assert bench.backend.name == 'safe'
    assert bench.frame() == ['fast'] * 3
    assert bench.backend.name == 'fast'
    assert bench.backend.reason == 'asked for; reason of fast'


def test_a_frame_that_failed_is_over(bench: Bench) -> None:
    bench.safe.failure = InferenceError('bad input')
    with pytest.raises(InferenceError):
        bench.run('image_encoder')
    bench.finish(Recorded('fast'))
    assert bench.run('image_encoder') == 'fast'


def test_a_stage_that_fails_is_run_again_on_the_safe_one(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    fast = Recorded('fast')
    bench.finish(fast)
    assert bench.run('image_encoder') == 'fast'
    fast.failure = InferenceError('the device is gone')
    assert [bench.run('audio_encoder'), bench.run('fusion')] == ['safe', 'safe']
    assert fast.closed
    assert bench.backend.name == 'safe'
    expected = 'safe serves: fast failed: the device is gone; it is tried again after 5 s'
    assert bench.backend.reason == f'asked for; {expected}'
    assert expected in caplog.text


def test_where_both_fail_the_input_is_at_fault(bench: Bench) -> None:
    fast = Recorded('fast')
    bench.finish(fast)
    bench.run()
    fast.failure, bench.safe.failure = InferenceError('not finite'), InferenceError('not finite')
    with pytest.raises(InferenceError):
        bench.run('image_encoder')
    fast.failure = None
    assert bench.run('image_encoder') == 'fast'


def test_it_is_tried_again_ever_more_rarely(bench: Bench) -> None:
    delay_s = FIRST_DELAY_S
    for attempt in range(1, 10):
        bench.finish(InferenceError('no memory'))
        assert bench.run() == 'safe'
        bench.now_s += delay_s - 0.1
        assert bench.run() == 'safe'
        assert bench.preparations == attempt
        bench.now_s += 0.2
        assert bench.run() == 'safe'
        assert bench.backend._job is not None
        delay_s = min(2 * delay_s, LONGEST_DELAY_S)
    assert delay_s == LONGEST_DELAY_S
    bench.finish(Recorded('fast'))
    assert bench.run() == 'fast'


def fail_after(bench: Bench, served_s: float) -> str:
    """Let one be prepared, serve for a while and fail; give the reason."""
    fast = Recorded('fast')
    bench.finish(fast)
    bench.run()
    bench.now_s += served_s
    fast.failure = InferenceError('lost')
    bench.run()
    reason = bench.backend.reason
    bench.now_s += LONGEST_DELAY_S
    bench.run()
    return reason


def test_only_one_that_served_for_long_is_trusted_anew(bench: Bench) -> None:
    assert 'again after 5 s' in fail_after(bench, 1.0)
    assert 'again after 10 s' in fail_after(bench, 1.0)
    assert 'again after 5 s' in fail_after(bench, LONGEST_DELAY_S)


@pytest.mark.parametrize(
    ('failure', 'said'),
    [
        (BackendError('friction_logits is off by 1'), 'safe serves: friction_logits is off by 1'),
        (ZeroDivisionError('oh'), 'safe serves: defect: ZeroDivisionError: oh'),
    ],
)
def test_what_is_refused_is_not_tried_again(bench: Bench, failure: Exception, said: str) -> None:
    bench.finish(failure)
    assert bench.run() == 'safe'
    bench.now_s += 10 * LONGEST_DELAY_S
    assert bench.frame() == ['safe'] * 3
    assert bench.preparations == 1
    assert bench.backend.reason == f'asked for; {said}'


def test_waiting_takes_it_up(bench: Bench) -> None:
    bench.results.append(Recorded('fast'))
    bench.go_on.set()
    bench.backend.wait()
    assert bench.backend.name == 'fast'


def test_closing_gives_up_what_is_prepared() -> None:
    bench = Bench()
    bench.backend.close()
    assert bench.safe.closed
    assert bench.preparations == 1


def test_closing_closes_what_was_ready_or_serves() -> None:
    for taken_up in (False, True):
        bench, fast = Bench(), Recorded('fast')
        bench.finish(fast)
        if taken_up:
            bench.run()
        bench.backend.close()
        assert fast.closed
        assert bench.safe.closed
