# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Generated roads: smooth, long enough, and never in each other's way."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.layout import generate_roads
from mm_fusion.simulation.layout.network import speed_limit_mps
from mm_fusion.simulation.scenario import (
    EmergencyVehicle,
    RoadSettings,
    Scenario,
    SurfaceStretch,
)

if TYPE_CHECKING:
    from mm_fusion.simulation.roads import RoadNetwork

KINDS = ('town', 'rural', 'motorway')
SEEDS = range(6)


def _network(kind: str, seed: int, duration_s: float = 60.0) -> RoadNetwork:
    return generate_roads(Scenario(seed=seed, duration_s=duration_s, road=RoadSettings(kind=kind)))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('seed', SEEDS)
def test_the_main_road_never_comes_near_itself(kind: str, seed: int) -> None:
    course = _network(kind, seed, 240.0).main.course
    arcs = np.arange(course.start_m, course.end_m, 6.0)
    places = course.pose_at(arcs)[:, :2]

    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    along = np.abs(arcs[:, None] - arcs[None])

    assert apart[along > 70.0].min() > 35.0
    headings = course.pose_at(arcs)[:, 2]
    assert np.abs(headings - headings[0]).max() < 1.51


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('seed', SEEDS)
def test_the_main_road_is_smooth_and_reaches_beyond_the_drive(kind: str, seed: int) -> None:
    course = _network(kind, seed).main.course
    curvature = course.curvature_at(np.arange(course.start_m, course.end_m, 0.1))

    assert np.abs(np.diff(curvature)).max() < 2e-3
    assert np.abs(curvature).max() <= {'town': 1 / 15, 'rural': 1 / 90, 'motorway': 1 / 700}[kind]
    limit = {'town': 13.9, 'rural': 27.8, 'motorway': 36.1}[kind]
    assert course.start_m <= -300.0
    assert course.end_m >= 60.0 * limit + 300.0
    assert course.pose_at(0.0)[:2] == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize('seed', SEEDS)
def test_side_roads_meet_the_main_road_at_their_junction_only(seed: int) -> None:
    network = _network('town', seed, 240.0)
    main = network.main.course
    places = main.pose_at(np.arange(main.start_m, main.end_m, 4.0))[:, :2]

    assert network.junctions
    assert {side for j in network.junctions for side in j.side_roads} == set(
        range(len(network.side_roads))
    )
    for junction in network.junctions:
        centre = main.pose_at(junction.arc_m)[:2]
        for side in junction.side_roads:
            arm = network.side_roads[side].course
            points = arm.pose_at(np.arange(0.0, arm.end_m, 2.0))[:, :2]
            assert np.linalg.norm(points[0] - centre) < junction.radius_m
            outside = points[np.linalg.norm(points - centre, axis=1) > junction.radius_m + 25.0]
            away = np.linalg.norm(outside[:, None] - places[None], axis=2)
            assert away.min() > 20.0


@pytest.mark.parametrize('seed', SEEDS)
def test_side_roads_of_different_junctions_stay_apart(seed: int) -> None:
    network = _network('town', seed, 240.0)
    roads = [side.course for side in network.side_roads]
    points = [course.pose_at(np.arange(0.0, course.end_m, 4.0))[:, :2] for course in roads]
    owners = {
        side: junction.arc_m for junction in network.junctions for side in junction.side_roads
    }

    for (i, one), (j, other) in combinations(enumerate(points), 2):
        if owners[i] != owners[j]:
            assert np.linalg.norm(one[:, None] - other[None], axis=2).min() > 20.0


def test_the_main_road_turns_at_some_junctions_both_ways() -> None:
    turns = []
    for seed in range(12):
        network = _network('town', seed)
        for junction in network.junctions:
            ends = junction.arc_m + junction.radius_m * np.array([-1.0, 1.0])
            turns.append(float(np.diff(network.main.course.pose_at(ends)[:, 2])[0]))

    assert min(turns) < -1.0
    assert max(turns) > 1.0
    assert any(abs(turn) < 0.1 for turn in turns)


def test_a_motorway_has_two_or_three_lanes_each_way_and_no_junctions() -> None:
    counts = set()
    for seed in SEEDS:
        network = _network('motorway', seed)
        ways = [lane.direction for lane in network.main.lanes]
        assert ways == sorted(ways, reverse=True)
        assert not network.junctions
        counts.add(len(ways))

    assert counts == {4, 6}


def test_lanes_stand_from_right_to_left_and_do_not_overlap() -> None:
    for kind in KINDS:
        lanes = _network(kind, 0).main.lanes
        for right, left in pairwise(lanes):
            assert left.left_m - right.left_m >= (left.width_m + right.width_m) / 2 - 1e-9


def test_the_surface_changes_where_the_scenario_says() -> None:
    stretches = (
        SurfaceStretch(),
        SurfaceStretch(from_m=100.0, friction='wet', blend_m=20.0),
        SurfaceStretch(from_m=200.0, friction='ice', material='concrete', unevenness='severe'),
    )
    surface = generate_roads(Scenario(surface=stretches)).surface

    assert surface.friction_at(-50.0) == pytest.approx([1, 0, 0, 0, 0, 0])
    assert surface.friction_at(110.0) == pytest.approx([0.5, 0.5, 0, 0, 0, 0])
    assert surface.friction_at(150.0) == pytest.approx([0, 1, 0, 0, 0, 0])
    assert surface.friction_at(205.0) == pytest.approx([0, 0.5, 0, 0, 0, 0.5])
    assert surface.material_at(300.0) == pytest.approx([0, 1, 0, 0, 0])
    assert surface.unevenness_at(300.0) == pytest.approx([0, 0, 1])
    for table in (surface.friction, surface.material, surface.unevenness):
        assert table.sum(axis=1) == pytest.approx(1.0)


def test_a_tunnel_lies_where_the_scenario_says_without_junctions() -> None:
    settings = RoadSettings(kind='town', tunnel_from_m=100.0, tunnel_length_m=300.0)
    network = generate_roads(Scenario(road=settings, seed=3))

    assert network.tunnels == ((100.0, 400.0),)
    assert not any(70.0 < junction.arc_m < 430.0 for junction in network.junctions)


def test_a_scenario_with_a_crossing_has_roads_that_cross() -> None:
    crossing = (EmergencyVehicle(approach='crossing'),)
    for kind in ('town', 'rural'):
        scenario = Scenario(road=RoadSettings(kind=kind), emergencies=crossing)
        junctions = generate_roads(scenario).junctions
        assert sum(len(junction.side_roads) == 2 for junction in junctions) >= 3


def test_the_seed_determines_the_roads() -> None:
    first, again, other = (_network('town', seed).main.course for seed in (4, 4, 5))

    assert np.array_equal(first.pose_at(first.arcs), again.pose_at(again.arcs))
    assert not np.array_equal(first.pose_at([50.0, 90.0]), other.pose_at([50.0, 90.0]))


def test_a_given_speed_limit_replaces_that_of_the_kind() -> None:
    assert speed_limit_mps(Scenario(road=RoadSettings(speed_limit_mps=8.3))) == 8.3
    assert speed_limit_mps(Scenario(road=RoadSettings(kind='rural'))) == 27.8
