# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Emergency vehicles meet the ego vehicle in time, and everybody makes way."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import ScenarioError
from mm_fusion.simulation.scenario import EmergencyVehicle, RoadSettings, Scenario
from mm_fusion.simulation.traffic import simulate_world
from mm_fusion.simulation.traffic.dynamics import STEP_S
from mm_fusion.simulation.world import Motion, World
from support.worlds import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRIVES = [
    ('oncoming', 'town', 4, 16.0),
    ('from_behind', 'town', 9, 16.0),
    ('crossing', 'town', 1, 16.0),
    ('oncoming', 'rural', 1, 25.0),
    ('from_behind', 'motorway', 1, 45.0),
]


@functools.cache
def _world(approach: str, kind: str, seed: int, speed_mps: float) -> World:
    emergency = EmergencyVehicle(
        approach=approach, meets_at_s=18.0, speed_mps=speed_mps, on_before_s=8.0, off_after_s=4.0
    )
    return simulate_world(
        Scenario(
            seed=seed, duration_s=26.0, road=RoadSettings(kind=kind), emergencies=(emergency,)
        )
    )


def _apart(world: World) -> NDArray[np.float64]:
    (siren,) = (vehicle for vehicle in world.vehicles if vehicle.siren)
    return np.asarray(np.hypot(*(siren.states[:, :2] - world.ego.states[:, :2]).T))


@pytest.mark.parametrize('drive', DRIVES)
def test_it_is_nearest_at_the_wanted_time(drive: tuple[str, str, int, float]) -> None:
    apart = _apart(_world(*drive))

    assert apart.argmin() * STEP_S == pytest.approx(18.0, abs=2.0)
    assert apart.min() < (50.0 if drive[0] == 'crossing' else 8.0)


@pytest.mark.parametrize('approach', ['oncoming', 'from_behind', 'crossing'])
def test_a_drive_may_end_before_the_meeting(approach: str) -> None:
    emergency = EmergencyVehicle(approach=approach, meets_at_s=60.0)

    world = simulate_world(Scenario(duration_s=3.0, emergencies=(emergency,)))

    assert world.steps == 151


@pytest.mark.parametrize('drive', DRIVES)
def test_it_touches_nobody(drive: tuple[str, str, int, float]) -> None:
    assert overlaps(_world(*drive)) == []


def test_its_siren_is_on_around_the_meeting() -> None:
    world = _world(*DRIVES[0])
    (siren,) = (vehicle for vehicle in world.vehicles if vehicle.siren)
    on = np.flatnonzero(siren.siren_on) * STEP_S

    assert (siren.kind, siren.siren) == ('ambulance', 'wail')
    assert (on[0], on[-1]) == (pytest.approx(10.0), pytest.approx(22.0))
    assert not any(v.siren_on.any() for v in (world.ego, *world.vehicles) if v is not siren)


@pytest.mark.parametrize('drive', DRIVES[:2])
def test_the_ego_vehicle_keeps_right_and_slows_down(drive: tuple[str, str, int, float]) -> None:
    world = _world(*drive)
    states = world.ego.states
    pose = world.roads.main.course.pose_at(states[:, Motion.ARC])
    left = (states[:, 1] - pose[:, 1]) * np.cos(pose[:, 2]) - (states[:, 0] - pose[:, 0]) * np.sin(
        pose[:, 2]
    )
    meeting = int(_apart(world).argmin())

    assert left[meeting] < -2.5
    assert left[0] == pytest.approx(-1.75, abs=0.3)
    assert states[meeting, Motion.SPEED] < 8.0


def test_on_a_motorway_nothing_can_cross() -> None:
    scenario = Scenario(
        duration_s=8.0,
        road=RoadSettings(kind='motorway'),
        emergencies=(EmergencyVehicle(approach='crossing', meets_at_s=5.0),),
    )

    with pytest.raises(ScenarioError, match='no other crosses'):
        simulate_world(scenario)
