# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Junctions: who has to stop at the line, and who may cross from a side road."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.roads import CYCLE_S, MAIN_GREEN_S, SIDE_GREEN_S, YELLOW_S
from mm_fusion.simulation.traffic.dynamics import GRAVITY_MPS2
from mm_fusion.simulation.traffic.tracks import MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import Junction
    from mm_fusion.simulation.traffic.fleet import Fleet

LINE_M = 1.0
"""Distance of the stop line from the edge of a junction."""

_FIRM_MPS2 = 3.0
_FIRM_GRIP_SHARE = 0.45
_PICK_UP_MPS2 = 1.0
_TIME_GAP_S = 8.0
_SIREN_GAP_S = 12.0
_ROOM_M = 2.0
_CLOSE_M = 6.0
_SIREN_CLOSE_M = 45.0


class Junctions:
    """The state of all junctions during a drive.

    Attributes:
        arc: (m,), arc lengths on the main road.
        radius: (m,), m.
        blocked: (m,), whether the main road has to wait for someone who crosses.
        closed: (m,), whether a vehicle with a siren is about to cross.
        reserved: (m,), whether one will cross during the drive.
    """

    def __init__(self, junctions: Sequence[Junction]) -> None:
        self.arc = np.array([junction.arc_m for junction in junctions])
        self.radius = np.array([junction.radius_m for junction in junctions])
        self.blocked = np.zeros(len(junctions), bool)
        self.closed = np.zeros(len(junctions), bool)
        self.reserved = np.zeros(len(junctions), bool)
        self._signals = np.array([junction.signals for junction in junctions], bool)
        self._offset = np.array([junction.signal_offset_s for junction in junctions])
        # Stop lines as met along the road and against it, by increasing way.
        reach = self.radius + LINE_M
        self._lines = (self.arc - reach, -(self.arc + reach)[::-1])

    def __len__(self) -> int:
        """Give the number of junctions."""
        return len(self.arc)

    def next_line(self, fleet: Fleet) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Find the junction whose stop line comes next on the main road, and the way to it, m."""
        nose = fleet.direction * fleet.arc + fleet.front
        found = np.zeros(len(fleet), np.int64)
        gap = np.full(len(fleet), np.inf)
        for sign, lines in zip((1.0, -1.0), self._lines, strict=True):
            index = np.searchsorted(lines, nose)
            usable = (fleet.direction == sign) & (index < len(lines)) & (fleet.track == MAIN)
            index = np.minimum(index, len(lines) - 1)
            found[usable] = index[usable] if sign > 0 else len(lines) - 1 - index[usable]
            gap[usable] = (lines[index] - nose)[usable]
        return found, gap

    def stop_gap(
        self, fleet: Fleet, time_s: float, grip: NDArray[np.float64], pace: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give the way to the line that a vehicle has to stop at, (n,), infinite where to none.

        Drivers stop for red, and for a green or yellow that will end before they are there,
        unless they could only stop by braking hard. They look ahead further where it is slippery.

        Args:
            fleet: All vehicles.
            time_s: Since the start of the drive.
            grip: (n,), friction coefficients.
            pace: (n,), speed that they drive when nothing is in the way, m/s.
        """
        if not len(self):
            return np.full(len(fleet), np.inf)
        index, gap = self.next_line(fleet)
        speed = fleet.speed
        firm = np.minimum(_FIRM_MPS2, _FIRM_GRIP_SHARE * GRAVITY_MPS2 * grip)
        needed = speed**2 / (2 * np.maximum(gap, 0.1))
        phase = (time_s + self._offset[index]) % CYCLE_S
        last = MAIN_GREEN_S[1] + YELLOW_S
        red = self._signals[index] & (phase >= last)
        until_red = np.where(phase < last, last - phase, np.inf)
        picked_up = (np.sqrt(speed**2 + 2 * _PICK_UP_MPS2 * gap) - speed) / _PICK_UP_MPS2
        arrival = np.maximum(picked_up, gap / np.maximum(np.maximum(speed, pace), 0.1)) + 0.4
        seen = np.maximum(YELLOW_S, speed / firm + 1.0)
        late = self._signals[index] & (until_red < seen) & (arrival > until_red)
        held = (self.blocked | self.closed)[index]
        stops = red | ((late | held) & (needed < firm))
        return np.where(stops & (fleet.hurry == 0), gap, np.inf)

    def decide(self, fleet: Fleet, through: NDArray[np.bool_], time_s: float) -> None:
        """Let vehicles go that wait at side roads, and block the junctions that are crossed.

        Args:
            fleet: All vehicles.
            through: (k,), by track: whether it crosses the main road.
            time_s: Since the start of the drive.
        """
        beside = fleet.junction >= 0
        nose = fleet.direction * fleet.arc + fleet.front
        fleet.crossing &= beside & (nose - fleet.length < -fleet.line)
        waits = (
            beside
            & through[fleet.track]
            & (fleet.line - nose < np.where(fleet.hurry, _SIREN_CLOSE_M, _CLOSE_M))
            & (nose < fleet.line)
        )
        for one in np.flatnonzero(waits):
            junction = int(fleet.junction[one])
            if fleet.hurry[one]:
                fleet.crossing[one] = not self._occupied(fleet, junction)
            elif not fleet.crossing[one]:
                fleet.crossing[one] = self._may_cross(fleet, junction, time_s)
        self.blocked[:] = False
        self.blocked[fleet.junction[fleet.crossing]] = True

    def _may_cross(self, fleet: Fleet, junction: int, time_s: float) -> bool:
        """Tell whether a vehicle that waits at a side road may go."""
        main = fleet.active & (fleet.track == MAIN)
        way = fleet.direction * (self.arc[junction] - fleet.arc)
        room = float(self.radius[junction]) + _ROOM_M
        nose, tail = way - fleet.front, way + fleet.rear
        if self.closed[junction] or bool((main & (nose < room) & (tail > -room)).any()):
            return False
        arrival = (nose - room) / np.maximum(fleet.speed, 0.1)
        coming = main & (nose >= room)
        if bool((coming & (fleet.hurry == 1) & (arrival < _SIREN_GAP_S)).any()):
            return False
        if self._signals[junction]:
            phase = (time_s + self._offset[junction]) % CYCLE_S
            return bool(SIDE_GREEN_S[0] + 1.0 <= phase < SIDE_GREEN_S[1] - 3.0)
        return not (coming & (arrival < _TIME_GAP_S) & (fleet.speed > 0.5)).any()

    def _occupied(self, fleet: Fleet, junction: int) -> bool:
        """Tell whether a vehicle of the main road is on the junction."""
        way = fleet.direction * (self.arc[junction] - fleet.arc)
        room = float(self.radius[junction])
        inside = (way - fleet.front < room) & (way + fleet.rear > -room)
        return bool((inside & fleet.active & (fleet.track == MAIN)).any())
