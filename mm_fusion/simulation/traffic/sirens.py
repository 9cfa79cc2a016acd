# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles with a siren: when and where they start, how they pass, and how others give way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.errors import ScenarioError
from mm_fusion.simulation.traffic.dynamics import STEP_S
from mm_fusion.simulation.traffic.fleet import EGO
from mm_fusion.simulation.traffic.placing import SIGHT_M
from mm_fusion.simulation.traffic.tracks import MAIN
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.simulation.scenario import EmergencyVehicle
    from mm_fusion.simulation.traffic.fleet import Fleet
    from mm_fusion.simulation.traffic.junctions import Junctions
    from mm_fusion.simulation.traffic.placing import Placer, Stretch
    from mm_fusion.simulation.traffic.tracks import SideTrack, Tracks

_EXPECTED_SHARE = 0.85
_LEAD_S = 12.0
_CLOSE_M = 30.0
_END_M = 30.0
_ARM_END_M = 6.0
_NOTICE_M = 110.0
_PASSED_M = 18.0
_CALM = 0.5
_LOOK_M = 120.0
_SIDE_GAP_M = 0.25
_EDGE_M = 0.45


@dataclass(frozen=True, slots=True)
class Start:
    """How an emergency vehicle comes onto the road.

    Attributes:
        step: When it sets off.
        arc_m: Where, on its track.
        direction: 1 along the track, -1 against it.
        side: The way that it crosses the main road by, where it does; it waits there before.
    """

    step: int
    arc_m: float
    direction: int
    side: SideTrack | None = None


def first_starts(
    emergencies: Sequence[EmergencyVehicle],
    tracks: Tracks,
    junctions: Junctions,
    ends_m: tuple[float, float],
    ego: NDArray[np.float64],
) -> tuple[Start, ...]:
    """Guess starts from a drive (steps, 7) of the ego vehicle without any emergency vehicle.

    Raises:
        ScenarioError: One shall cross, but nothing crosses the road.
    """
    return tuple(
        _crossing(emergency, tracks, junctions, ego)
        if emergency.approach == 'crossing'
        else _along(emergency, ends_m, ego)
        for emergency in emergencies
    )


def _along(
    emergency: EmergencyVehicle, ends_m: tuple[float, float], ego: NDArray[np.float64]
) -> Start:
    """Start out of sight, as late as possible; or at the start of the drive, also nearer."""
    way = -1 if emergency.approach == 'oncoming' else 1
    steps = np.arange(len(ego))
    meeting = min(round(emergency.meets_at_s / STEP_S), len(ego) - 1)
    expected = way * emergency.speed_mps * _EXPECTED_SHARE
    arcs = ego[meeting, Motion.ARC] - expected * (emergency.meets_at_s - steps * STEP_S)
    apart = -way * (arcs - ego[:, Motion.ARC])
    inside = (arcs > ends_m[0] + _END_M) & (arcs < ends_m[1] - _END_M)
    hidden = apart > SIGHT_M + 2 * _CLOSE_M
    usable = inside & (hidden | ((steps == 0) & (apart > _CLOSE_M)))
    good = np.flatnonzero(usable & (steps * STEP_S < emergency.meets_at_s - _LEAD_S))
    if len(good):
        return Start(int(good[-1]), float(arcs[good[-1]]), way)
    if usable.any():
        step = int(np.flatnonzero(usable)[0])
        return Start(step, float(arcs[step]), way)
    return Start(0, float(ego[0, Motion.ARC]) - way * _CLOSE_M, way)


def _crossing(
    emergency: EmergencyVehicle, tracks: Tracks, junctions: Junctions, ego: NDArray[np.float64]
) -> Start:
    """Start at the end of the side road of the next junction that the ego vehicle comes to."""
    sides = [side for side in tracks.sides if side.through]
    if not sides:
        raise ScenarioError(
            'emergencies: found approach: crossing on a road that no other crosses, expected '
            'oncoming or from_behind'
        )
    meeting = min(round(emergency.meets_at_s / STEP_S), len(ego) - 1)
    gaps = np.array(
        [
            junctions.arc[side.junction]
            - junctions.radius[side.junction]
            - ego[meeting, Motion.ARC]
            for side in sides
        ]
    )
    ahead = np.where(gaps > 5.0, gaps, np.inf)
    side = sides[int(np.argmin(ahead if np.isfinite(ahead).any() else np.abs(gaps)))]
    direction = 1 if -side.ends_m[0] > side.ends_m[1] else -1
    arc = side.ends_m[0] + _ARM_END_M if direction > 0 else side.ends_m[1] - _ARM_END_M
    travel = abs(arc) / (_EXPECTED_SHARE * emergency.speed_mps) + 4.0
    return Start(max(round((emergency.meets_at_s - travel) / STEP_S), 0), arc, direction, side)


def lateness(
    emergencies: Sequence[EmergencyVehicle], starts: Sequence[Start], record: NDArray[np.float64]
) -> list[float]:
    """Tell how much later than wanted each emergency vehicle was nearest to the ego vehicle, s.

    Args:
        emergencies: Of the scenario.
        starts: Theirs.
        record: float64 (steps, n, 7); they are its last columns. One that shall meet after the
            end of the drive is not late.
    """
    late = []
    for index, (emergency, start) in enumerate(zip(emergencies, starts, strict=True)):
        one = record.shape[1] - len(starts) + index
        apart = np.hypot(*(record[:, one, :2] - record[:, EGO, :2]).T)
        nearest = start.step + int(np.argmin(apart[start.step :]))
        inside = emergency.meets_at_s < (len(record) - 1) * STEP_S
        late.append(nearest * STEP_S - emergency.meets_at_s if inside else 0.0)
    return late


def corrected(
    emergencies: Sequence[EmergencyVehicle],
    starts: Sequence[Start],
    late: Sequence[float],
    record: NDArray[np.float64],
) -> tuple[Start, ...]:
    """Move starts so that the vehicles come as much earlier as they were late."""
    moved = []
    for emergency, start, seconds in zip(emergencies, starts, late, strict=True):
        if start.side is not None:
            step = start.step - round(seconds / STEP_S)
            moved.append(replace(start, step=min(max(step, 0), len(record) - 1)))
            continue
        arc = start.arc_m + start.direction * _EXPECTED_SHARE * emergency.speed_mps * seconds
        apart = start.direction * (record[start.step, EGO, Motion.ARC] - arc)
        nearest = _CLOSE_M if start.step == 0 else SIGHT_M + _CLOSE_M
        arc -= start.direction * max(nearest - apart, 0.0)
        moved.append(replace(start, arc_m=float(arc)))
    return tuple(moved)


class Sirens:
    """Emergency vehicles during a drive.

    Args:
        emergencies: Of the scenario; their vehicles are the last of the fleet.
        starts: Theirs.
        lanes: Of the main road.
        edge_m: From the course of the main road to the edge of what is paved.
        fleet: All vehicles.
        junctions: Those that are crossed are kept free of others.
    """

    def __init__(
        self,
        emergencies: Sequence[EmergencyVehicle],
        starts: Sequence[Start],
        lanes: tuple[Stretch, ...],
        edge_m: float,
        fleet: Fleet,
        junctions: Junctions,
    ) -> None:
        self._starts, self._lanes, self._edge = starts, lanes, edge_m
        self._fleet, self._junctions = fleet, junctions
        self._first = len(fleet) - len(starts)
        self._one_each_way = len(lanes) == 2
        for index, (emergency, start) in enumerate(zip(emergencies, starts, strict=False)):
            fleet.top[self._first + index] = emergency.speed_mps
            if start.side is not None:
                junctions.reserved[start.side.junction] = True

    def set_off(self, placer: Placer, step: int) -> None:
        """Put those on the road that start at a step."""
        fleet = self._fleet
        for one, start in enumerate(self._starts, self._first):
            if start.side is not None and step == 0:
                placer.put_beside(fleet, one, start.side, start.arc_m, start.direction, 0.0)
            elif start.side is None and step == start.step:
                own = [lane for lane in self._lanes if lane.direction == start.direction][-1]
                placer.put(fleet, one, MAIN, start.arc_m, start.direction, own.left_m, 8.0)

    def decide(self, step: int) -> None:
        """Choose where each drives, and let others keep aside and slow down."""
        fleet = self._fleet
        fleet.goal[:], fleet.calm[:] = fleet.home, 1.0
        for one, start in enumerate(self._starts, self._first):
            if start.side is not None:
                way = start.direction * fleet.arc[one] - fleet.rear[one]
                past = way > self._junctions.radius[start.side.junction]
                self._junctions.closed[start.side.junction] = step >= start.step and not past
                fleet.calm[one] = 1.0 if step >= start.step else 0.0
            elif fleet.active[one]:
                self._give_way(one)
                self._choose(one)

    def _give_way(self, one: int) -> None:
        fleet = self._fleet
        ahead = fleet.direction[one] * (fleet.arc - fleet.arc[one])
        near = (ahead > -_PASSED_M) & (ahead < _NOTICE_M) & (fleet.track == MAIN) & fleet.active
        near &= (fleet.hurry == 0) & (
            self._one_each_way | (fleet.direction == fleet.direction[one])
        )
        room = self._edge - _EDGE_M / 3 - fleet.width / 2
        if self._one_each_way:
            aside = -room
        else:
            innermost = max(lane.left_m for lane in self._lanes)
            half = (3.75 - fleet.width) / 2
            left = fleet.home > innermost - 0.5
            aside = fleet.home + np.where(left, half + _EDGE_M, -half)
        fleet.goal[near] = aside[near]
        fleet.calm[near] = _CALM if self._one_each_way else 0.8

    def _choose(self, one: int) -> None:
        """Take the offset with the longest free way ahead."""
        fleet = self._fleet
        own = fleet.home[one]
        if self._one_each_way:
            options = np.array([own, 0.0, -own])
        else:
            options = np.array([own, own - 3.75 / 2])
        way = fleet.direction[one]
        ahead = way * (fleet.arc - fleet.arc[one])
        others = fleet.active & (fleet.track == MAIN) & (ahead > -10.0) & (ahead < _LOOK_M)
        others[one] = False
        same = fleet.direction == way
        moving = fleet.speed > 1.0
        lateral = np.where(moving, fleet.goal, fleet.left) * np.where(same, 1.0, -1.0)
        clear = (fleet.width + fleet.width[one]) / 2 + _SIDE_GAP_M
        free = []
        for option in options:
            meets = others & (np.abs(lateral - option) < clear)
            free.append(float(np.where(meets, np.maximum(ahead, 0.0), _LOOK_M).min()))
        fleet.goal[one] = options[int(np.argmax(free))]
