# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One run through a scenario, step by step, all vehicles at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.layout.network import speed_limit_mps
from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.traffic import idm
from mm_fusion.simulation.traffic.dynamics import GRAVITY_MPS2, STEP_S, advance, within_grip
from mm_fusion.simulation.traffic.fleet import draw_fleet
from mm_fusion.simulation.traffic.junctions import Junctions
from mm_fusion.simulation.traffic.leaders import leaders
from mm_fusion.simulation.traffic.pace import Pace, follow
from mm_fusion.simulation.traffic.placing import Placer, stretches
from mm_fusion.simulation.traffic.sirens import Sirens
from mm_fusion.simulation.traffic.steering import PREVIEW_S, steer
from mm_fusion.simulation.traffic.tracks import MAIN, Tracks
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import RoadNetwork
    from mm_fusion.simulation.scenario import Scenario
    from mm_fusion.simulation.traffic.sirens import Start

_SPARE = 5
_DECIDE_STEPS = 5
_RENEW_STEPS = 25
_SIDE_PACE_MPS = 9.0
_SLIPPERY_GRIP = 0.75
_SLIPPERY_HEADWAY = 1.6
_COMFORT_GRIP_SHARE = 0.35
_JERK_MPS3 = 3.0
_URGENT_JERK_MPS3 = 25.0
_URGENT_MPS2 = 2.5
_REACTION_S = 0.3
_BRAKES_MPS2 = 8.5
_SIDEWAYS_MPS = 0.9
_TIGHTEST_RADIUS_M = 40.0
_LONGEST_M = (15.0, 8.0, 6.0)
_LIVELY_MPS = 2.0


class Drive:
    """A drive with all that move.

    Args:
        scenario: Its seed determines everything that is drawn.
        roads: Of the scenario.
        starts: How its emergency vehicles come onto the road; without starts they do not.
        until_s: End of a trial, s; the drive up to there is the same as that of a whole one.

    Attributes:
        fleet: All vehicles: ego, others, emergency vehicles.
        tracks: What they follow.
        junctions: Where they stop.
        pace: How fast the main road is driven.
        steps: Number of states.
        record: float64 (steps, n, 7), columns as in ``Motion``.
    """

    def __init__(
        self,
        scenario: Scenario,
        roads: RoadNetwork,
        starts: tuple[Start, ...] = (),
        until_s: float = math.inf,
    ) -> None:
        course = roads.main.course
        self.steps = round(min(scenario.duration_s, until_s) / STEP_S) + 1
        self._count = scenario.traffic.vehicles + (_SPARE if scenario.traffic.vehicles else 0)
        turns = bool((np.abs(course.curvature_at(course.arcs)) > 1 / _TIGHTEST_RADIUS_M).any())
        longest = _LONGEST_M[turns + (turns and bool(scenario.emergencies))]
        self.fleet = draw_fleet(scenario, self._count, longest)
        self.tracks = Tracks(roads)
        self.junctions = Junctions(roads.junctions)
        self._through = np.zeros(len(self.tracks.sides) + 1, bool)
        for side in self.tracks.sides:
            self._through[side.track] = side.through
        self.pace = Pace(roads, speed_limit_mps(scenario))
        lanes = stretches(roads.main)
        self._placer = Placer(
            self.tracks,
            self.pace,
            self.junctions,
            lanes,
            (course.start_m, course.end_m),
            generator(scenario.seed, 'placing'),
        )
        self._sirens = Sirens(
            scenario.emergencies, starts, lanes, roads.main.edges_m[1], self.fleet, self.junctions
        )
        self.record = np.zeros((self.steps, len(self.fleet), len(Motion)))

    def run(self) -> Drive:
        """Drive from the start to the end, and fill the record."""
        fleet = self.fleet
        self._placer.start_ego(fleet)
        self._sirens.set_off(self._placer, 0)
        self._placer.start(fleet, self._count)
        for step in range(self.steps):
            if step % _RENEW_STEPS == _RENEW_STEPS - 1:
                self._placer.renew(fleet, self._count)
            self._sirens.set_off(self._placer, step)
            if step % _DECIDE_STEPS == 0:
                self._sirens.decide(step)
                self.junctions.decide(fleet, self._through, step * STEP_S)
            pose = self._locate()
            self.record[step] = fleet.states
            self._move(step, pose)
        return self

    def _locate(self) -> NDArray[np.float64]:
        """Find the places of the vehicles on their tracks, and give the poses of these there."""
        fleet = self.fleet
        pose = self.tracks.at(fleet.track, fleet.arc, fleet.direction)
        cos, sin = np.cos(pose[:, 2]), np.sin(pose[:, 2])
        dx, dy = (fleet.states[:, :2] - pose[:, :2]).T
        on = fleet.active
        fleet.left[on] = (cos * dy - sin * dx)[on]
        along = (cos * dx + sin * dy) / (1 - pose[:, 3] * fleet.left)
        fleet.arc[on] += (fleet.direction * along)[on]
        arcs = fleet.arc
        if len(self.junctions):
            arcs = np.where(fleet.track == MAIN, arcs, self.junctions.arc[fleet.junction])
        fleet.states[:, Motion.ARC] = arcs
        return pose

    def _move(self, step: int, pose: NDArray[np.float64]) -> None:
        fleet = self.fleet
        speed = fleet.speed.copy()
        grip = self.pace.grip(fleet.states[:, Motion.ARC])
        wanted = self._wanted(step, speed, grip, pose[:, 3])
        before = fleet.states[:, Motion.ACCELERATION]
        jerk = _JERK_MPS3 + 8.0 * np.maximum(-wanted - _URGENT_MPS2, 0.0)
        most = STEP_S * np.minimum(jerk, _URGENT_JERK_MPS3)
        command = before + np.clip((wanted - before) * STEP_S / _REACTION_S, -most, most)
        curvature = self._steered(step, speed, pose)
        command, curvature = within_grip(
            np.where(fleet.active, command, 0.0), curvature, speed, grip
        )
        after = advance(fleet.states, command, curvature)
        way = STEP_S / 2 * (speed + after[:, Motion.SPEED])
        turned = fleet.states[:, Motion.HEADING] - pose[:, 2]
        fleet.arc += fleet.direction * way * np.cos(turned) / (1 - pose[:, 3] * fleet.left)
        fleet.states = after

    def _wanted(
        self,
        step: int,
        speed: NDArray[np.float64],
        grip: NDArray[np.float64],
        curvature: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Give the accelerations (n,) that the drivers want, m/s²."""
        fleet = self.fleet
        driving = _careful(fleet.driving, grip)
        usual, slope = self.pace.speed(fleet.arc, fleet.direction, fleet.hurry)
        factor = fleet.pace * fleet.lane_pace
        on_main = fleet.track == MAIN
        usual = np.where(on_main, usual * factor, _SIDE_PACE_MPS + 100.0 * fleet.hurry)
        slope = np.where(on_main & (usual < fleet.top), slope * factor * fleet.calm, 0.0)
        usual = np.minimum(usual, fleet.top) * fleet.calm
        free = idm.free(driving, speed, usual)
        gap, closing = leaders(fleet, curvature)
        wanted = free + idm.interaction(driving, speed, gap, closing)
        stop = np.minimum(
            self.junctions.stop_gap(fleet, step * STEP_S, grip, usual), self._side_gap()
        )
        wanted = np.minimum(wanted, free + idm.interaction(driving, speed, stop, speed))
        wanted = np.minimum(wanted, follow(speed, usual, slope))
        lively = (speed > _LIVELY_MPS) & (wanted > -1.0)
        wanted = wanted + np.where(lively, fleet.liveliness[step], 0.0)
        return np.asarray(np.maximum(wanted, -_BRAKES_MPS2))

    def _side_gap(self) -> NDArray[np.float64]:
        """Give the way to where vehicles on side roads have to stop, infinite for others."""
        fleet = self.fleet
        nose = fleet.direction * fleet.arc + fleet.front
        line = np.where(fleet.crossing | (nose > fleet.line), np.inf, fleet.line - nose)
        return np.asarray(np.minimum(line, fleet.end - nose))

    def _steered(
        self, step: int, speed: NDArray[np.float64], pose: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Turn the wheels towards the lane, and give the curvatures (n,) that are driven."""
        fleet = self.fleet
        most = _SIDEWAYS_MPS * STEP_S
        fleet.lane += np.clip(fleet.goal - fleet.lane, -most, most)
        heading = fleet.states[:, Motion.HEADING]
        turned = (heading - pose[:, 2] + np.pi) % (2 * np.pi) - np.pi
        ahead = fleet.arc + fleet.direction * speed * PREVIEW_S
        curvature = self.tracks.at(fleet.track, ahead, fleet.direction)[:, 3]
        line = fleet.lane + fleet.wander[step]
        fleet.steering = steer(
            fleet.steering,
            fleet.wheelbase,
            speed,
            fleet.left - line,
            turned,
            curvature / (1 - curvature * line),
            (fleet.goal != fleet.home) | (fleet.hurry == 1),
        )
        return np.asarray(np.tan(fleet.steering) / fleet.wheelbase)


def _careful(driving: idm.Driving, grip: NDArray[np.float64]) -> idm.Driving:
    """Adapt drivers to the grip: more distance, softer pedals."""
    most = _COMFORT_GRIP_SHARE * GRAVITY_MPS2 * grip
    slippery = np.maximum(_SLIPPERY_GRIP - grip, 0.0)
    return idm.Driving(
        headway_s=driving.headway_s * (1 + _SLIPPERY_HEADWAY * slippery),
        acceleration=np.minimum(driving.acceleration, most),
        braking=np.minimum(driving.braking, most),
        gap_m=driving.gap_m,
    )
