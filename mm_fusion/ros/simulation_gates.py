# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a simulated drive waits for: the wall clock, an answer, or a step."""

from __future__ import annotations

import threading
import time
from collections import deque

_NS = 1_000_000_000
_SLACK_S = 0.1
"""A drive that is later than this goes on from there, rather than to catch up in a burst."""


class WallClock:
    """Paces a drive by the wall clock; one that falls behind is slowed down and counted.

    Args:
        rate: Speed; 1 is real time, infinity does not wait at all.
        stop: Ends every wait.

    Attributes:
        lost_s: Wall time by which the drive has fallen behind.
        late: Times that it had to be slowed down.
        worst_s: Furthest that anything was behind its time.
    """

    def __init__(self, rate: float, stop: threading.Event) -> None:
        self.lost_s = self.worst_s = 0.0
        self.late = 0
        self._rate = rate
        self._stop = stop
        self._start_ns: int | None = None
        self._start_s = self._base_s = 0.0

    def wait(self, stamp_ns: int) -> bool:
        """Wait until a time of the drive; False where it is to end.

        The first time that is waited for is now.
        """
        now_s = time.monotonic()
        if self._start_ns is None:
            self._start_ns, self._start_s, self._base_s = stamp_ns, now_s, now_s
        due_s = self._base_s + (stamp_ns - self._start_ns) / (_NS * self._rate)
        if due_s > now_s:
            return not self._stop.wait(due_s - now_s)
        if self._rate < float('inf'):
            behind_s = now_s - due_s
            self.worst_s = max(self.worst_s, behind_s)
            if behind_s > _SLACK_S:
                self._base_s += behind_s
                self.lost_s += behind_s
                self.late += 1
        return not self._stop.is_set()

    def factor(self, stamp_ns: int) -> float:
        """Give the time of the drive up to a stamp over the wall time that it took."""
        if self._start_ns is None:
            return 0.0
        passed_s = max(time.monotonic() - self._start_s, 1e-9)
        return (stamp_ns - self._start_ns) / _NS / passed_s


class AnswerGate:
    """Lets a frame pass when the frames before it are answered.

    Args:
        timeout_s: Longest wait, after which what is missing is given up and counted.
        stop: Ends every wait.

    Attributes:
        unanswered: Frames that were given up.
    """

    def __init__(self, timeout_s: float, stop: threading.Event) -> None:
        self.unanswered = 0
        self._timeout_s = timeout_s
        self._stop = stop
        self._sent: deque[int] = deque()
        self._newest_ns = 0
        self._changed = threading.Condition()

    def wait(self, allowed: int) -> int:
        """Wait until few enough frames are without answer.

        Args:
            allowed: Frames that may be.

        Returns:
            The number of frames that were given up.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._stop.is_set() or len(self._sent) <= allowed, self._timeout_s
            )
            if self._stop.is_set() or len(self._sent) <= allowed:
                return 0
            given_up = len(self._sent)
            self._sent.clear()
            self.unanswered += given_up
            return given_up

    def send(self, stamp_ns: int, received_ns: int) -> None:
        """Note a frame that has passed.

        One that is no newer than those before it, or comes from the future, has no answer of its
        own: it is what a fault has made of a frame.
        """
        with self._changed:
            if self._newest_ns < stamp_ns <= received_ns:
                self._newest_ns = stamp_ns
                self._sent.append(stamp_ns)

    def answer(self, stamp_ns: int) -> None:
        """Take an answer, which is one to all older frames as well."""
        with self._changed:
            while self._sent and self._sent[0] <= stamp_ns:
                self._sent.popleft()
            self._changed.notify_all()

    def wake(self) -> None:
        """Make whoever waits look whether to stop."""
        with self._changed:
            self._changed.notify_all()


class StepGate:
    """Lets one frame pass for each step that is asked for.

    Args:
        stop: Ends every wait.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._granted = self._passed = 0
        self._waiting = self._ended = False
        self._changed = threading.Condition()

    def wait(self) -> None:
        """Wait until the next frame may pass."""
        with self._changed:
            self._waiting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stop.is_set() or self._granted > self._passed)
            self._waiting = False
            self._passed += 1

    def step(self, timeout_s: float) -> bool:
        """Let one frame pass, and wait until the drive stands before the next one, or has ended.

        Returns:
            False where the drive had ended before, or is not there in time.
        """
        with self._changed:
            if self._ended:
                return False
            self._granted += 1
            goal = self._granted
            self._changed.notify_all()
            arrived = self._changed.wait_for(
                lambda: self._ended or (self._waiting and self._passed == goal), timeout_s
            )
            return bool(arrived)

    def end(self) -> None:
        """Say that the drive has ended."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Make whoever waits look whether to stop."""
        with self._changed:
            self._changed.notify_all()
