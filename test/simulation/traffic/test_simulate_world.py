# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole drives: nobody collides, nobody exceeds the grip, everybody stops for red."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.scenario import (
    Horn,
    RoadSettings,
    Scenario,
    SurfaceStretch,
    TrafficSettings,
)
from mm_fusion.simulation.traffic import simulate_world
from mm_fusion.simulation.traffic.dynamics import STEP_S, grip_at
from mm_fusion.simulation.world import PLACED_ANEW_M, Motion, Vehicle, World
from support.worlds import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRIVES = [
    ('town', 'dry', 1),
    ('town', 'dry', 8),
    ('town', 'ice', 1),
    ('rural', 'wet', 2),
    ('rural', 'fresh_snow', 0),
    ('motorway', 'dry', 3),
]


@functools.cache
def _world(kind: str, friction: str, seed: int) -> World:
    scenario = Scenario(
        seed=seed,
        duration_s=35.0,
        road=RoadSettings(kind=kind),
        surface=(SurfaceStretch(), SurfaceStretch(from_m=40.0, friction=friction)),
    )
    return simulate_world(scenario)


def _driving(world: World) -> list[Vehicle]:
    parked = world.scenario.traffic.parked if world.roads.urban else 0
    return [world.ego, *world.vehicles[: len(world.vehicles) - parked]]


def _kept(vehicle: Vehicle) -> NDArray[np.bool_]:
    """Steps (n - 1,) in which a vehicle was not placed anew."""
    return np.asarray(np.hypot(*np.diff(vehicle.states[:, :2], axis=0).T) < PLACED_ANEW_M)


@pytest.mark.parametrize('drive', DRIVES)
def test_nobody_overlaps_anybody(drive: tuple[str, str, int]) -> None:
    assert overlaps(_world(*drive)) == []


@pytest.mark.parametrize('drive', DRIVES)
def test_the_states_are_consistent(drive: tuple[str, str, int]) -> None:
    for vehicle in _driving(_world(*drive)):
        kept = _kept(vehicle)
        states, rises = vehicle.states, np.diff(vehicle.states, axis=0)[kept]
        mean = ((states[1:] + states[:-1]) / 2)[kept]
        speed, heading = mean[:, Motion.SPEED], mean[:, Motion.HEADING]
        assert states[:, Motion.SPEED].min() >= 0.0
        assert rises[:, Motion.SPEED] == pytest.approx(
            STEP_S * mean[:, Motion.ACCELERATION], abs=1e-8
        )
        assert rises[:, Motion.HEADING] == pytest.approx(
            STEP_S * mean[:, Motion.YAW_RATE], abs=1e-9
        )
        assert rises[:, Motion.X] == pytest.approx(STEP_S * speed * np.cos(heading), abs=1e-4)
        assert rises[:, Motion.Y] == pytest.approx(STEP_S * speed * np.sin(heading), abs=1e-4)


@pytest.mark.parametrize('drive', DRIVES)
def test_nobody_exceeds_the_grip(drive: tuple[str, str, int]) -> None:
    world = _world(*drive)
    for vehicle in _driving(world):
        states = vehicle.states[1:][_kept(vehicle)]
        grip = grip_at(world.roads.surface, states[:, Motion.ARC])
        sideways = states[:, Motion.SPEED] * states[:, Motion.YAW_RATE]
        demanded = np.hypot(states[:, Motion.ACCELERATION], sideways)
        assert (demanded < 9.81 * grip * 1.05 + 0.02).all()


@pytest.mark.parametrize('drive', DRIVES)
def test_the_ego_vehicle_keeps_its_lane_and_gets_on(drive: tuple[str, str, int]) -> None:
    world = _world(*drive)
    states, main = world.ego.states, world.roads.main
    pose = main.course.pose_at(states[:, Motion.ARC])
    left = (states[:, Motion.Y] - pose[:, 1]) * np.cos(pose[:, 2]) - (
        states[:, Motion.X] - pose[:, 0]
    ) * np.sin(pose[:, 2])
    centres = np.array([lane.left_m for lane in main.lanes if lane.direction == 1])

    assert np.abs(left[:, None] - centres).min(axis=1).max() < 0.6
    assert np.abs(left - left[0]).max() < 1.0
    assert states[0, Motion.ARC] == pytest.approx(0.0, abs=1e-6)
    low, high = {'town': (2.0, 14.5), 'rural': (8.0, 30.0), 'motorway': (22.0, 41.0)}[drive[0]]
    assert low < states[:, Motion.SPEED].mean() < high
    assert np.diff(states[:, Motion.ARC]).min() > -1e-3


@pytest.mark.parametrize('drive', DRIVES)
def test_the_wanted_number_of_vehicles_is_always_around(drive: tuple[str, str, int]) -> None:
    world = _world(*drive)
    places = np.array([vehicle.states[:, :2] for vehicle in _driving(world)])
    apart = np.linalg.norm(places[1:] - places[0], axis=2)

    assert (apart < 250.0).sum(axis=0).min() >= world.scenario.traffic.vehicles


@pytest.mark.parametrize('drive', DRIVES)
def test_vehicles_are_placed_anew_out_of_sight_only(drive: tuple[str, str, int]) -> None:
    world = _world(*drive)
    placed = 0
    for vehicle in world.vehicles:
        apart = np.hypot(*(vehicle.states[:, :2] - world.ego.states[:, :2]).T)
        for step in np.flatnonzero(~_kept(vehicle)):
            placed += 1
            assert min(apart[step], apart[step + 1]) > 180.0

    assert placed > 0


@pytest.mark.parametrize('drive', [drive for drive in DRIVES if drive[0] == 'town'])
def test_nobody_passes_a_red_light(drive: tuple[str, str, int]) -> None:
    world = _world(*drive)
    passed = 0
    course = world.roads.main.course
    for vehicle in _driving(world):
        states, kept = vehicle.states, _kept(vehicle)
        pose = course.pose_at(states[:, Motion.ARC])
        off = np.abs((states[:, :2] - pose[:, :2]) @ np.array([1.0, 0.0]))
        way = np.sign(np.cos(states[:, Motion.HEADING] - pose[:, 2]))
        along = np.abs(np.cos(states[:, Motion.HEADING] - pose[:, 2])) > 0.9
        nose = way * states[:, Motion.ARC] + vehicle.length_m - vehicle.rear_overhang_m
        for junction in world.roads.junctions:
            line = way * junction.arc_m - junction.radius_m
            over = (nose[:-1] < line[:-1]) & (nose[1:] >= line[1:]) & (way[1:] == way[:-1])
            over &= kept & along[1:] & (off[1:] < 8.0)
            for step in np.flatnonzero(over):
                passed += 1
                light = junction.main_light(float(step) * STEP_S)
                assert not junction.signals or light != 'red', (vehicle.kind, step)

    assert passed > 3


def test_vehicles_stop_at_red_and_go_on() -> None:
    speed = _world('town', 'dry', 8).ego.states[:, Motion.SPEED]
    standing = np.flatnonzero(speed < 0.1)

    assert len(standing)
    assert speed[: standing[0]].max() > 5.0
    assert speed[standing[-1] :].max() > 5.0


def test_drivers_are_slower_and_softer_where_it_is_slippery() -> None:
    dry, ice = (_world('town', friction, 1).ego.states for friction in ('dry', 'ice'))

    assert ice[1000:, Motion.SPEED].mean() < 0.7 * dry[1000:, Motion.SPEED].mean()
    assert ice[1000:, Motion.ACCELERATION].max() < 0.35 * 0.18 * 9.81 + 0.3


def test_the_seed_determines_the_drive() -> None:
    scenario = Scenario(seed=3, duration_s=4.0)
    first, again = simulate_world(scenario), simulate_world(scenario)
    other = simulate_world(Scenario(seed=4, duration_s=4.0))

    for one, two in zip((first.ego, *first.vehicles), (again.ego, *again.vehicles), strict=True):
        assert one.states.tobytes() == two.states.tobytes()
        assert (one.kind, one.colour) == (two.kind, two.colour)
    assert not np.array_equal(first.ego.states, other.ego.states)


def test_the_nearest_moving_vehicle_sounds_its_horn() -> None:
    scenario = Scenario(duration_s=6.0, horns=(Horn(at_s=3.0, duration_s=1.0),))
    world = simulate_world(scenario)
    sounding = [vehicle for vehicle in world.vehicles if vehicle.horn_on.any()]
    at = round(3.0 / STEP_S)

    assert len(sounding) == 1
    assert np.flatnonzero(sounding[0].horn_on)[[0, -1]] * STEP_S == pytest.approx([3.0, 3.98])
    apart = {
        float(np.hypot(*(vehicle.states[at, :2] - world.ego.states[at, :2])))
        for vehicle in _driving(world)[1:]
        if vehicle.states[at, Motion.SPEED] > 0.1
    }
    nearest = sounding[0].states[at, :2] - world.ego.states[at, :2]
    assert float(np.hypot(*nearest)) == min(apart)
    assert not world.ego.horn_on.any()


def test_an_empty_road_and_a_crowded_one_are_driven() -> None:
    alone = simulate_world(Scenario(duration_s=2.0, traffic=TrafficSettings(vehicles=0, parked=0)))
    crowd = simulate_world(
        Scenario(duration_s=2.0, traffic=TrafficSettings(vehicles=80, parked=30))
    )

    assert alone.vehicles == ()
    assert len(crowd.vehicles) >= 110
    assert overlaps(crowd) == []


def test_parked_vehicles_stand_off_the_road() -> None:
    world = _world('town', 'dry', 1)
    parked = world.vehicles[-world.scenario.traffic.parked :]
    edge = world.roads.main.edges_m[1]
    course = world.roads.main.course

    for vehicle in parked:
        states = vehicle.states[0]
        pose = course.pose_at(states[Motion.ARC])
        off = abs(
            (states[1] - pose[1]) * np.cos(pose[2]) - (states[0] - pose[0]) * np.sin(pose[2])
        )
        assert off - vehicle.width_m / 2 > edge
        assert not vehicle.braking.any()
