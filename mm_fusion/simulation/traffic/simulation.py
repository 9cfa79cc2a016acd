# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From a scenario to the whole course of its drive."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from mm_fusion.simulation.layout import generate_roads
from mm_fusion.simulation.traffic.drive import Drive
from mm_fusion.simulation.traffic.dynamics import STEP_S
from mm_fusion.simulation.traffic.fleet import EGO, MODELS, paints
from mm_fusion.simulation.traffic.parking import parked_vehicles
from mm_fusion.simulation.traffic.sirens import lateness, next_advance, plan_starts
from mm_fusion.simulation.world import Motion, Vehicle, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import RoadNetwork
    from mm_fusion.simulation.scenario import Scenario
    from mm_fusion.simulation.world import Siren

_PASSES = 6
_AFTER_S = 6.0
_MEETING_S = 0.5
_BRAKING_MPS2 = -0.4
_STANDING_MPS = 0.1


def simulate_world(scenario: Scenario) -> World:
    """Simulate everything that moves, from the start of the drive to its end.

    Drives with emergency vehicles are simulated several times, until each is nearest to the ego
    vehicle when the scenario wants it, as far as roads and traffic allow.

    Raises:
        ScenarioError: An emergency vehicle shall cross, but nothing crosses the road.
    """
    roads = generate_roads(scenario)
    drive = _meeting(scenario, roads) if scenario.emergencies else Drive(scenario, roads).run()
    return _world(scenario, roads, drive)


def _meeting(scenario: Scenario, roads: RoadNetwork) -> Drive:
    """Repeat the drive with corrected starts, and give the one with the best meetings."""
    emergencies = scenario.emergencies
    ends = (roads.main.course.start_m, roads.main.course.end_m)
    until = max(emergency.meets_at_s for emergency in emergencies) + _AFTER_S
    alone = Drive(scenario, roads, until_s=until).run()
    advances = [0.0] * len(emergencies)
    tried: list[list[tuple[float, float]]] = [[] for _ in emergencies]
    best, least = plan_starts(emergencies, advances, alone, ends), np.inf
    for _ in range(_PASSES):
        starts = plan_starts(emergencies, advances, alone, ends)
        late = lateness(emergencies, starts, Drive(scenario, roads, starts, until).run().record)
        worst = max(map(abs, late))
        if worst < least:
            best, least = starts, worst
        if worst < _MEETING_S:
            break
        for index, emergency in enumerate(emergencies):
            tried[index].append((advances[index], late[index]))
            advances[index] = next_advance(tried[index], emergency)
    return Drive(scenario, roads, best).run()


def _world(scenario: Scenario, roads: RoadNetwork, drive: Drive) -> World:
    fleet = drive.fleet
    record = np.ascontiguousarray(drive.record.transpose(1, 0, 2))
    moving = len(fleet) - len(scenario.emergencies)
    times = STEP_S * np.arange(drive.steps, dtype=np.float64)
    horns = _horns(scenario, record[:moving], times)
    colours = paints(fleet.kinds, scenario.seed)
    vehicles = []
    for one, kind in enumerate(fleet.kinds):
        siren_on: NDArray[np.bool_] = np.zeros(drive.steps, bool)
        siren: Siren | None = None
        if one >= moving:
            emergency = scenario.emergencies[one - moving]
            siren = cast('Siren', emergency.siren)
            since = times - emergency.meets_at_s
            siren_on = (since >= -emergency.on_before_s) & (since <= emergency.off_after_s)
        model = MODELS[kind]
        states = record[one]
        braking = states[:, Motion.ACCELERATION] < _BRAKING_MPS2
        braking |= states[:, Motion.SPEED] < _STANDING_MPS
        vehicles.append(
            Vehicle(
                kind=kind,
                length_m=model.length_m,
                width_m=model.width_m,
                height_m=model.height_m,
                rear_overhang_m=model.rear_m,
                colour=colours[one],
                siren=siren,
                states=states,
                siren_on=siren_on,
                horn_on=horns[one] if one < moving else np.zeros(drive.steps, bool),
                braking=braking,
            )
        )
    parked = parked_vehicles(scenario, roads, record[EGO])
    return World(scenario, roads, vehicles[EGO], (*vehicles[1:], *parked), drive.steps)


def _horns(
    scenario: Scenario, record: NDArray[np.float64], times: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Let the moving vehicle nearest to the ego vehicle sound each horn, bool (n, steps)."""
    on = np.zeros(record.shape[:2], bool)
    for horn in scenario.horns:
        if horn.at_s > times[-1] or len(record) < 2:
            continue
        states = record[:, round(horn.at_s / STEP_S)]
        apart = np.hypot(*(states[:, :2] - states[EGO, :2]).T)
        apart[states[:, Motion.SPEED] < _STANDING_MPS] += 1e6
        apart[EGO] = np.inf
        on[np.argmin(apart)] |= (times >= horn.at_s) & (times < horn.at_s + horn.duration_s)
    return on
