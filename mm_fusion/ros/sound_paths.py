# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where something that moves was, between the messages that say so."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

_NS = 1_000_000_000
_KEPT_NS = 2 * _NS


@dataclass(frozen=True, slots=True)
class State:
    """Where something is at a time."""

    stamp_ns: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float


class Path:
    """The last states of something that moves, in order of time."""

    def __init__(self) -> None:
        self._states: deque[State] = deque()

    @property
    def newest(self) -> State:
        """The last state."""
        return self._states[-1]

    @property
    def oldest_ns(self) -> int:
        """Time of the first state that is kept."""
        return self._states[0].stamp_ns

    def add(self, state: State) -> None:
        """Append a state; one that is not newer than the last is left out.

        One that is far older begins the path anew: the last was left over from a time before it
        was set back.
        """
        if self._states and self.newest.stamp_ns - state.stamp_ns > _KEPT_NS:
            self._states.clear()
        if self._states and state.stamp_ns <= self.newest.stamp_ns:
            return
        self._states.append(state)
        while self.newest.stamp_ns - self._states[0].stamp_ns > _KEPT_NS:
            self._states.popleft()

    def speed_to(self, stamp_ns: int, x_m: float, y_m: float) -> float:
        """Give the speed from the newest state to a later place; 0 where there is none."""
        if not self._states or stamp_ns <= self.newest.stamp_ns:
            return 0.0
        way = math.hypot(x_m - self.newest.x_m, y_m - self.newest.y_m)
        return way / ((stamp_ns - self.newest.stamp_ns) / _NS)

    def at(self, stamp_ns: int) -> State:
        """Give the state at a time: linear between states, straight on after the newest."""
        states = self._states
        index = bisect_right(states, stamp_ns, key=lambda state: state.stamp_ns)
        if index == 0:
            return states[0]
        a = states[index - 1]
        if index == len(states):
            way = a.speed_mps * (stamp_ns - a.stamp_ns) / _NS
            return State(
                stamp_ns,
                a.x_m + way * math.cos(a.heading_rad),
                a.y_m + way * math.sin(a.heading_rad),
                a.heading_rad,
                a.speed_mps,
            )
        b = states[index]
        part = (stamp_ns - a.stamp_ns) / (b.stamp_ns - a.stamp_ns)
        turn = math.remainder(b.heading_rad - a.heading_rad, 2 * math.pi)
        return State(
            stamp_ns,
            a.x_m + part * (b.x_m - a.x_m),
            a.y_m + part * (b.y_m - a.y_m),
            a.heading_rad + part * turn,
            a.speed_mps + part * (b.speed_mps - a.speed_mps),
        )

    def acceleration_at(self, stamp_ns: int) -> float:
        """Give the change of the speed between the states around a time, m/s²."""
        index = bisect_right(self._states, stamp_ns, key=lambda state: state.stamp_ns)
        index = min(max(index, 1), len(self._states) - 1)
        if index == 0:
            return 0.0
        a, b = self._states[index - 1], self._states[index]
        return (b.speed_mps - a.speed_mps) * _NS / (b.stamp_ns - a.stamp_ns)
