# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where vehicles appear: around the ego vehicle, and later only out of its sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.traffic.fleet import EGO, MODELS
from mm_fusion.simulation.traffic.junctions import LINE_M
from mm_fusion.simulation.traffic.tracks import MAIN
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import Road
    from mm_fusion.simulation.traffic.fleet import Fleet
    from mm_fusion.simulation.traffic.junctions import Junctions
    from mm_fusion.simulation.traffic.pace import Pace
    from mm_fusion.simulation.traffic.tracks import SideTrack, Tracks

SIGHT_M = 185.0
"""Vehicles appear and vanish further away from the ego vehicle than this."""

REACH_M = 240.0
"""Vehicles further away are placed anew."""

_SPOTS_M = np.arange(15.0, 345.0, 6.0)
_NEARBY_M = (0.0, 6.0, -6.0, 12.0, -12.0, 18.0, -18.0, 24.0, 30.0, 36.0, 42.0, 48.0)
_LOST_M = 400.0
_SIREN_M = 100.0
_SIDE_SHARE = 0.22
_STAND_M = 2.2
_ROOM_M = 12.0
_END_M = 40.0
_RESERVE_M = 20.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A lane of the main road as its drivers see it.

    Attributes:
        direction: 1 along the main road, -1 against it.
        left_m: Offset of its middle to the left of the course, as driven; negative.
        pace: Factor on the usual speed.
        heavy: Whether trucks drive there.
    """

    direction: int
    left_m: float
    pace: float
    heavy: bool


def stretches(road: Road) -> tuple[Stretch, ...]:
    """List the lanes of the main road: along it and then against it, each from right to left."""
    found = []
    for direction in (1, -1):
        offsets = sorted(
            lane.left_m * direction for lane in road.lanes if lane.direction == direction
        )
        for index, left in enumerate(offsets):
            pace = 1.0 if len(offsets) == 1 else 0.78 + 0.12 * index
            found.append(Stretch(direction, left, pace, index == 0))
    return tuple(found)


class Placer:
    """Puts vehicles on the road.

    Args:
        tracks: Lines to follow.
        pace: Speeds on the main road.
        junctions: Their stop lines.
        lanes: Of the main road.
        ends_m: First and last arc length of the main road.
        rng: Draws where.
    """

    def __init__(
        self,
        tracks: Tracks,
        pace: Pace,
        junctions: Junctions,
        lanes: tuple[Stretch, ...],
        ends_m: tuple[float, float],
        rng: np.random.Generator,
    ) -> None:
        self._tracks, self._pace, self._junctions = tracks, pace, junctions
        self._lanes, self._ends, self._rng = lanes, ends_m, rng

    def reserve(self, fleet: Fleet, one: int) -> None:
        """Let a vehicle wait beyond the end of the main road."""
        end = self._tracks.at(np.array([MAIN]), np.array([self._ends[1]]), np.ones(1))[0]
        beyond = _RESERVE_M * (one + 1)
        fleet.states[one] = 0.0
        fleet.states[one, Motion.X] = end[0] + beyond * np.cos(end[2])
        fleet.states[one, Motion.Y] = end[1] + beyond * np.sin(end[2])
        fleet.states[one, Motion.HEADING] = end[2]
        fleet.states[one, Motion.ARC] = fleet.arc[one] = self._ends[1]
        fleet.active[one] = False

    def put(
        self,
        fleet: Fleet,
        one: int,
        track: int,
        arc: float,
        direction: int,
        left: float,
        speed: float,
    ) -> None:
        """Put a vehicle on a track, in the middle of a lane."""
        pose = self._tracks.at(np.array([track]), np.array([arc]), np.array([float(direction)]))[0]
        curvature = pose[3] / (1 - pose[3] * left)
        fleet.states[one] = 0.0
        fleet.states[one, Motion.X] = pose[0] - left * np.sin(pose[2])
        fleet.states[one, Motion.Y] = pose[1] + left * np.cos(pose[2])
        fleet.states[one, Motion.HEADING] = pose[2]
        fleet.states[one, Motion.SPEED] = speed
        fleet.states[one, Motion.YAW_RATE] = speed * curvature
        fleet.steering[one] = np.arctan(fleet.wheelbase[one] * curvature)
        fleet.track[one], fleet.arc[one], fleet.direction[one] = track, arc, direction
        fleet.left[one] = fleet.home[one] = fleet.goal[one] = fleet.lane[one] = left
        fleet.calm[one], fleet.junction[one] = 1.0, -1
        fleet.line[one] = fleet.end[one] = np.inf
        fleet.crossing[one], fleet.active[one] = False, True

    def put_beside(
        self, fleet: Fleet, one: int, side: SideTrack, arc: float, direction: int, speed: float
    ) -> None:
        """Put a vehicle on a side road, on its way to the junction."""
        self.put(fleet, one, side.track, arc, direction, -side.lane_m, speed)
        fleet.junction[one] = side.junction
        fleet.line[one] = -float(self._junctions.radius[side.junction]) - LINE_M
        fleet.end[one] = side.ends_m[1] if direction > 0 else -side.ends_m[0]

    def squeeze_in(self, fleet: Fleet, one: int, arc: float, lane: Stretch) -> bool:
        """Put a vehicle with a siren on the main road near a place, if there is room."""
        seen = abs(fleet.arc[EGO] - arc) < SIGHT_M
        behind = np.sign(fleet.arc[EGO] - arc)
        return any(
            self._drive_in(fleet, one, arc - behind * off, lane)
            for off in _NEARBY_M
            if seen or off >= 0.0
        )

    def start_ego(self, fleet: Fleet) -> None:
        """Put the ego vehicle at arc length 0; all others wait."""
        forward = [lane for lane in self._lanes if lane.direction == 1]
        own = forward[min(1, len(forward) - 1)]
        fleet.lane_pace[EGO] = own.pace if len(forward) == 1 else 0.95
        self._drive_in(fleet, EGO, 0.0, own)
        for one in range(1, len(fleet)):
            self.reserve(fleet, one)

    def start(self, fleet: Fleet, count: int) -> None:
        """Put others around the ego vehicle; those that find no room wait."""
        for one in range(1, count + 1):
            self._place(fleet, one, 0.0)

    def renew(self, fleet: Fleet, count: int) -> None:
        """Place vehicles anew that are far from the ego vehicle."""
        away = self._away(fleet.states[:, Motion.X], fleet.states[:, Motion.Y], fleet)
        for one in np.flatnonzero(away[: count + 1] > REACH_M):
            driving = bool(fleet.active[one])
            if not self._place(fleet, int(one), SIGHT_M):
                fleet.active[one] = driving
                if driving and away[one] > _LOST_M:
                    self.reserve(fleet, int(one))

    def _away(
        self, x: NDArray[np.float64], y: NDArray[np.float64], fleet: Fleet
    ) -> NDArray[np.float64]:
        ego = fleet.states[EGO]
        return np.asarray(np.hypot(x - ego[Motion.X], y - ego[Motion.Y]))

    def _place(self, fleet: Fleet, one: int, nearest: float) -> bool:
        """Find a free spot between a distance and the reach, and put a vehicle there."""
        fleet.active[one] = False
        if self._rng.random() < _SIDE_SHARE and self._beside(fleet, one, nearest):
            return True
        heavy = MODELS[fleet.kinds[one]].top_mps < 40.0
        for index in self._rng.permutation(len(self._lanes)):
            lane = self._lanes[index]
            if heavy and not lane.heavy:
                continue
            if self._on_main(fleet, one, lane, nearest):
                return True
        return False

    def _on_main(self, fleet: Fleet, one: int, lane: Stretch, nearest: float) -> bool:
        spots = self._rng.permutation(np.concatenate([-_SPOTS_M, _SPOTS_M]))
        arcs = fleet.arc[EGO] + spots + self._rng.uniform(-3.0, 3.0)
        arcs = arcs[(arcs > self._ends[0] + _END_M) & (arcs < self._ends[1] - _END_M)]
        place = self._tracks.at(np.full(len(arcs), MAIN), arcs, np.ones(len(arcs)))
        away = self._away(place[:, 0], place[:, 1], fleet)
        for arc in arcs[(away > nearest) & (away < REACH_M - 5.0)]:
            if self._drive_in(fleet, one, float(arc), lane, _SIREN_M if nearest else 0.0):
                return True
        return False

    def _drive_in(
        self, fleet: Fleet, one: int, arc: float, lane: Stretch, away: float = 0.0
    ) -> bool:
        """Put a vehicle on a lane of the main road, at the speed of those around, if it fits.

        ``away`` is the distance to keep from vehicles with a siren.
        """
        if self._crowded(fleet, one, arc, lane, away):
            return False
        fleet.lane_pace[one] = lane.pace if one != EGO else fleet.lane_pace[EGO]
        at, way = np.array([arc]), np.array([float(lane.direction)])
        usual = float(self._pace.speed(at, way, fleet.hurry[[one]])[0][0])
        speed = min(usual * fleet.pace[one] * fleet.lane_pace[one], fleet.top[one])
        brake = 0.25 * 9.81 * float(self._pace.grip(at)[0])
        ahead = (fleet.arc - arc) * lane.direction
        mates = fleet.active & (fleet.track == MAIN) & (fleet.direction == lane.direction)
        mates &= np.abs(fleet.home - lane.left_m) < 2.0
        before, behind = mates & (ahead >= 0.0), mates & (ahead < 0.0)
        gaps = ahead - fleet.front[one] - fleet.rear
        if before.any():
            leader = int(np.flatnonzero(before)[np.argmin(gaps[before])])
            if gaps[leader] < _ROOM_M:
                return False
            slack = gaps[leader] - _ROOM_M / 2
            speed = min(speed, slack / 1.2, np.sqrt(fleet.speed[leader] ** 2 + brake * slack))
        trailing = -ahead - fleet.front - fleet.rear[one]
        needed = (
            _ROOM_M / 2 + 0.8 * fleet.speed + np.maximum(fleet.speed**2 - speed**2, 0.0) / brake
        )
        if bool((behind & (trailing < needed)).any()):
            return False
        self.put(fleet, one, MAIN, arc, lane.direction, lane.left_m, 0.0)
        if len(self._junctions):
            _, line = self._junctions.next_line(fleet)
            speed = min(speed, np.sqrt(brake * max(float(line[one]), 0.0)))
        self.put(fleet, one, MAIN, arc, lane.direction, lane.left_m, float(speed))
        return True

    def _crowded(self, fleet: Fleet, one: int, arc: float, lane: Stretch, away: float) -> bool:
        """Tell whether a place is on a junction, or near a vehicle with a siren."""
        way = lane.direction * (self._junctions.arc - arc)
        room = self._junctions.radius + LINE_M + _STAND_M
        on_junction = (way + room > -fleet.rear[one]) & (way - room < fleet.front[one])
        sirens = fleet.active & (fleet.hurry == 1) & (np.arange(len(fleet)) != one)
        near_siren = sirens & (np.abs(fleet.arc - arc) < away)
        return bool(on_junction.any() or near_siren.any())

    def _beside(self, fleet: Fleet, one: int, nearest: float) -> bool:
        """Let a vehicle wait at a side road."""
        sides = self._tracks.sides
        for index in self._rng.permutation(len(sides)):
            side = sides[index]
            if self._junctions.reserved[side.junction]:
                continue
            direction = -1 if not side.through or self._rng.random() < 0.5 else 1
            stand = float(self._junctions.radius[side.junction]) + LINE_M + _STAND_M
            arc = -direction * (stand + float(fleet.front[one]))
            if self._taken(fleet, one, side, arc, direction):
                continue
            pose = self._tracks.at(np.array([side.track]), np.array([arc]), np.ones(1))
            away = float(self._away(pose[:, 0], pose[:, 1], fleet)[0])
            if nearest < away < REACH_M - 5.0:
                self.put_beside(fleet, one, side, arc, direction, 0.0)
                return True
        return False

    def _taken(self, fleet: Fleet, one: int, side: SideTrack, arc: float, direction: int) -> bool:
        if not side.ends_m[0] < arc - 6.0 < arc + 6.0 < side.ends_m[1]:
            return True
        there = fleet.active & (fleet.track == side.track) & (fleet.direction == direction)
        return bool((there & (np.abs(fleet.arc - arc) < fleet.length[one] + _ROOM_M)).any())
