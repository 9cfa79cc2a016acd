# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles with a siren: when and where they start, how they pass, and how others give way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.errors import ScenarioError
from mm_fusion.simulation.traffic.dynamics import STEP_S
from mm_fusion.simulation.traffic.fleet import EGO, MODELS
from mm_fusion.simulation.traffic.leaders import EVADES_M, EVADES_MPS
from mm_fusion.simulation.traffic.placing import SIGHT_M
from mm_fusion.simulation.traffic.tracks import MAIN
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.simulation.scenario import EmergencyVehicle
    from mm_fusion.simulation.traffic.drive import Drive
    from mm_fusion.simulation.traffic.fleet import Fleet
    from mm_fusion.simulation.traffic.junctions import Junctions
    from mm_fusion.simulation.traffic.placing import Placer, Stretch
    from mm_fusion.simulation.traffic.tracks import SideTrack

_EXPECTED_SHARE = 0.85
_SPREAD = 1.25
_GAINS = {'oncoming': 1.5, 'from_behind': 0.5, 'crossing': 1.0}
"""Way that moves a meeting by a second, in seconds of the way of the emergency vehicle."""

_LEAD_S = 12.0
_CLOSED_S = 11.0
_HELD_S = 5.0
_CLOSE_M = 30.0
_END_M = 30.0
_ARM_END_M = 6.0
_WAITS_M = 30.0
_NOTICE_M = 110.0
_PASSED_M = 18.0
_PREFERENCE_M = 20.0
_CLEAR_S = 2.0
_PAST_QUEUE_M = 0.8
_BESIDE_M = 9.0
_CALM = 0.5
_CALMING = 0.02
_CALM_MOTORWAY = 0.8
_SIDE_GAP_M = 0.4
_VERGE_M = 0.15
_MEDIAN_M = 0.45
_MOTORWAY_LANE_M = 3.75


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


def plan_starts(
    emergencies: Sequence[EmergencyVehicle],
    advances_s: Sequence[float],
    alone: Drive,
    ends_m: tuple[float, float],
) -> tuple[Start, ...]:
    """Plan starts from a drive without any emergency vehicle.

    Args:
        emergencies: Of the scenario.
        advances_s: How much time each one needs for its way beyond what is expected.
        alone: That drive.
        ends_m: First and last arc length of the main road.

    Raises:
        ScenarioError: One shall cross, but nothing crosses the road.
    """
    return tuple(
        _crossing(emergency, advance, alone)
        if emergency.approach == 'crossing'
        else _along(emergency, advance, alone, ends_m)
        for emergency, advance in zip(emergencies, advances_s, strict=True)
    )


def _along(
    emergency: EmergencyVehicle, advance_s: float, alone: Drive, ends_m: tuple[float, float]
) -> Start:
    """Start out of sight, as late as possible; or at the start of the drive, also nearer."""
    way = -1 if emergency.approach == 'oncoming' else 1
    ego = alone.record[:, EGO, Motion.ARC]
    arcs = np.arange(ends_m[0], ends_m[1], dtype=np.float64)
    each = np.ones(len(arcs))
    usual, _ = alone.pace.speed(arcs, way * each, each.astype(np.int64))
    needed = way * np.cumsum(1.0 / np.minimum(usual, _EXPECTED_SHARE * emergency.speed_mps))
    steps = np.arange(len(ego))
    meeting = min(round(emergency.meets_at_s / STEP_S), len(ego) - 1)
    left = emergency.meets_at_s - steps * STEP_S - advance_s
    reached = np.interp(ego[meeting], arcs, needed)
    order = slice(None, None, way)
    places = np.interp(reached - left, needed[order], arcs[order])
    apart = -way * (places - ego)
    inside = (places > ends_m[0] + _END_M) & (places < ends_m[1] - _END_M)
    hidden = apart > SIGHT_M + 2 * _CLOSE_M
    usable = inside & (hidden | ((steps == 0) & (apart > _CLOSE_M)))
    good = np.flatnonzero(usable & (steps * STEP_S < emergency.meets_at_s - _LEAD_S))
    if len(good):
        return Start(int(good[-1]), float(places[good[-1]]), way)
    if usable.any():
        step = int(np.flatnonzero(usable)[0])
        return Start(step, float(places[step]), way)
    return Start(0, float(ego[0]) - way * _CLOSE_M, way)


def _crossing(emergency: EmergencyVehicle, advance_s: float, alone: Drive) -> Start:
    """Start at the end of the side road of the next junction that the ego vehicle comes to."""
    junctions = alone.junctions
    sides = [side for side in alone.tracks.sides if side.through]
    if not sides:
        raise ScenarioError(
            'emergencies: found approach: crossing on a road that no other crosses, expected '
            'oncoming or from_behind'
        )
    nose = alone.record[:, EGO, Motion.ARC] + MODELS['car'].length_m
    lines = np.array([junctions.arc[s.junction] - junctions.radius[s.junction] for s in sides])
    arrivals = np.searchsorted(np.maximum.accumulate(nose), lines) * STEP_S
    wait = arrivals - emergency.meets_at_s
    wait = np.where(wait < -_HELD_S, np.inf, wait) + np.maximum(lines - nose[-1], 0.0)
    side = sides[int(np.argmin(wait))]
    direction = 1 if -side.ends_m[0] > side.ends_m[1] else -1
    arc = side.ends_m[0] + _ARM_END_M if direction > 0 else side.ends_m[1] - _ARM_END_M
    travel = abs(arc) / (_EXPECTED_SHARE * emergency.speed_mps) + 4.0
    begin = emergency.meets_at_s - travel - advance_s
    nearer = max(abs(arc) + _EXPECTED_SHARE * emergency.speed_mps * min(begin, 0.0), _WAITS_M)
    arc = -direction * min(nearer, abs(arc))
    return Start(max(round(begin / STEP_S), 0), arc, direction, side)


def lateness(
    emergencies: Sequence[EmergencyVehicle], starts: Sequence[Start], record: NDArray[np.float64]
) -> list[float]:
    """Tell how much later than wanted each emergency vehicle was nearest to the ego vehicle, s.

    Along the main road it is nearest when it passes; if it never did, it comes after the end.

    Args:
        emergencies: Of the scenario.
        starts: Theirs.
        record: float64 (steps, n, 7); they are its last columns. One that shall meet after the
            end of the record is not late.
    """
    late = []
    for index, (emergency, start) in enumerate(zip(emergencies, starts, strict=True)):
        if emergency.meets_at_s >= (len(record) - 1) * STEP_S:
            late.append(0.0)
            continue
        states = record[start.step :, record.shape[1] - len(starts) + index]
        ego = record[start.step :, EGO]
        if start.side is None:
            ahead = start.direction * (ego[:, Motion.ARC] - states[:, Motion.ARC]) > 0.0
            comes = np.flatnonzero(ahead)
            passed = np.flatnonzero(~ahead[comes[0] :]) if len(comes) else comes
            nearest = int(comes[0] + passed[0]) if len(passed) else len(ego)
        else:
            apart = np.hypot(*(states[:, :2] - ego[:, :2]).T)
            nearest = int(np.argmin(apart)) if len(apart) else 0
        late.append((start.step + nearest) * STEP_S - emergency.meets_at_s)
    return late


def next_advance(tried: Sequence[tuple[float, float]], emergency: EmergencyVehicle) -> float:
    """Give the time for its way to try next: between the best trials, or beyond the last.

    Args:
        tried: (advance, lateness) of the trials up to now, s.
        emergency: Whose.
    """
    early = [advance for advance, late in tried if late <= 0.0]
    late = [advance for advance, late in tried if late > 0.0]
    if early and late:
        return (min(early) + max(late)) / 2
    return tried[-1][0] + _GAINS[emergency.approach] * tried[-1][1]


class Sirens:
    """Emergency vehicles during a drive.

    On a road with one lane each way they drive in its middle, and all others keep to the edge; on
    a motorway, between the innermost lanes of their side.

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
        first = len(fleet) - len(emergencies)
        self._coming = [
            (first + index, emergency, start)
            for index, (emergency, start) in enumerate(zip(emergencies, starts, strict=False))
        ]
        self._lanes, self._edge = lanes, edge_m
        self._fleet, self._junctions = fleet, junctions
        self._one_each_way = len(lanes) == 2
        self._offsets: dict[int, float] = {}
        for one, emergency, start in self._coming:
            fleet.top[one] = emergency.speed_mps
            if start.side is not None:
                junctions.reserved[start.side.junction] = True

    def set_off(self, placer: Placer, step: int) -> None:
        """Put those on the road whose start has come, as soon as there is room."""
        fleet = self._fleet
        for one, _, start in self._coming:
            if fleet.active[one] or step < (start.step if start.side is None else 0):
                continue
            if start.side is not None:
                placer.put_beside(fleet, one, start.side, start.arc_m, start.direction, 0.0)
                continue
            own = [lane for lane in self._lanes if lane.direction == start.direction][-1]
            placer.squeeze_in(fleet, one, start.arc_m, own)

    def decide(self, step: int) -> None:
        """Choose where each drives, and let others keep aside and slow down."""
        fleet = self._fleet
        if not self._coming:
            return
        calmer = np.maximum(fleet.calm - _CALMING, 0.0)
        fleet.goal[:], fleet.calm[:] = fleet.home, 1.0
        for one, emergency, start in self._coming:
            left_s = emergency.meets_at_s - step * STEP_S
            if start.side is not None:
                way = start.direction * fleet.arc[one] - fleet.rear[one]
                past = way > self._junctions.radius[start.side.junction]
                soon = step >= start.step or left_s < _CLOSED_S
                self._junctions.closed[start.side.junction] = soon and not past
                fleet.calm[one] = 1.0 if step >= start.step else 0.0
            elif fleet.active[one]:
                self._hurry(one, emergency.speed_mps, left_s)
                self._give_way(one)
                self._choose(one)
        others = fleet.hurry == 0
        fleet.calm[others] = np.maximum(fleet.calm, calmer)[others]

    def _hurry(self, one: int, speed_mps: float, left_s: float) -> None:
        """Drive a little faster or slower, so as to meet the ego vehicle in time."""
        fleet = self._fleet
        way = fleet.direction[one]
        gap = way * (fleet.arc[EGO] - fleet.arc[one])
        fleet.top[one] = speed_mps
        if left_s > 1.0 and gap > _CLOSE_M:
            needed = gap / left_s + way * fleet.speed[EGO]
            fleet.top[one] = np.clip(needed, speed_mps / _SPREAD, speed_mps * _SPREAD)

    def _give_way(self, one: int) -> None:
        fleet = self._fleet
        ahead = fleet.direction[one] * (fleet.arc - fleet.arc[one])
        near = (ahead > -_PASSED_M) & (ahead < _NOTICE_M) & (fleet.track == MAIN) & fleet.active
        near &= fleet.hurry == 0
        if self._one_each_way:
            fleet.goal[near] = (fleet.width / 2 + _VERGE_M - self._edge)[near]
            fleet.calm[near] = _CALM
            return
        near &= fleet.direction == fleet.direction[one]
        half = (_MOTORWAY_LANE_M - fleet.width) / 2
        innermost = max(lane.left_m for lane in self._lanes)
        left = fleet.home > innermost - 0.5
        fleet.goal[near] += np.where(left, half + _MEDIAN_M, -half - _MEDIAN_M)[near]
        fleet.calm[near] = _CALM_MOTORWAY

    def _choose(self, one: int) -> None:
        """Take the middle, unless the own or the other lane is free for longer."""
        fleet = self._fleet
        if not self._one_each_way:
            fleet.goal[one] = fleet.home[one] - _MOTORWAY_LANE_M / 2
            return
        lane = self._lanes[0].left_m
        way = fleet.direction[one]
        ahead = way * (fleet.arc - fleet.arc[one])
        others = fleet.active & (fleet.track == MAIN) & (ahead > -_PASSED_M) & (ahead < _NOTICE_M)
        others[one] = False
        same = fleet.direction == way
        moves = (fleet.speed > EVADES_MPS) & (ahead > EVADES_M)
        place = np.where(moves, fleet.goal, fleet.left) * np.where(same, 1.0, -1.0)
        clear = (fleet.width + fleet.width[one]) / 2 + _SIDE_GAP_M
        free = []
        options = (0.0, _PAST_QUEUE_M, -_PAST_QUEUE_M, -lane, lane)
        for option in options:
            meets = others & (np.abs(place - option) < clear)
            free.append(
                float(
                    np.where(
                        meets, np.where(ahead < _BESIDE_M, -_NOTICE_M, ahead), _NOTICE_M
                    ).min()
                )
            )
        free[0] += _PREFERENCE_M
        best = int(np.argmax(free))
        if free[best] > _CLEAR_S * fleet.speed[one]:
            self._offsets[one] = options[best]
        fleet.goal[one] = self._offsets.get(one, 0.0)
