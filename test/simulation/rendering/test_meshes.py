# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Roads as strips, and what stands beside them: nothing stands on a road."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.course import Course
from mm_fusion.simulation.layout import generate_roads
from mm_fusion.simulation.rendering.ground import medians
from mm_fusion.simulation.rendering.mesh import CLASS, solid_box, solid_strip
from mm_fusion.simulation.rendering.plants import SPECIES, paint_plants
from mm_fusion.simulation.rendering.ribbons import (
    Line,
    Locator,
    carriageway,
    kerb_strips,
    spans_outside,
)
from mm_fusion.simulation.rendering.roadside import signal_posts, street_lamps
from mm_fusion.simulation.rendering.section import make_section
from mm_fusion.simulation.rendering.shadows import shadow_matrix
from mm_fusion.simulation.rendering.tunnels import sky_shares
from mm_fusion.simulation.scenario import RoadSettings, Scenario
from mm_fusion.simulation.world import World
from support.scenes import straight_world

if TYPE_CHECKING:
    from mm_fusion.simulation.rendering.section import Section
    from mm_fusion.simulation.roads import Road

SPAN = st.tuples(st.floats(0, 90), st.floats(0.1, 10)).map(lambda s: (s[0], s[0] + s[1]))


def world_of(kind: str, **road: float) -> World:
    scenario = Scenario(seed=2, duration_s=10.0, road=RoadSettings(kind=kind, **road))
    base = straight_world()
    return World(scenario, generate_roads(scenario), base.ego, (), base.steps)


@pytest.fixture(scope='module')
def town() -> World:
    return world_of('town')


@pytest.fixture(scope='module')
def section(town: World) -> Section:
    return make_section(town, 0)


@given(st.lists(SPAN, max_size=5))
def test_spans_are_what_holes_leave(holes: list[tuple[float, float]]) -> None:
    holes = sorted(holes)
    spans = spans_outside(0.0, 100.0, holes)

    inside = np.linspace(0.05, 99.95, 400)
    covered = [any(a <= x <= b for a, b in spans) for x in inside]
    in_hole = [any(a <= x <= b for a, b in holes) for x in inside]
    # Slivers of less than 5 cm are dropped.
    near = [any(min(abs(x - a), abs(x - b)) < 0.06 for a, b in holes) for x in inside]
    assert all(c != h for c, h, n in zip(covered, in_hole, near, strict=True) if not n)


def test_a_line_along_a_course_is_finer_where_it_bends() -> None:
    bend = Course(((0.0, 0.0), (50.0, 0.0), (50.1, 0.1), (80.0, 0.1)), 0.0, 80.0, 0.0)
    line = Line.of_course(bend, 3.0, 77.0)
    steps = np.diff(line.stations)

    assert line.stations[[0, -1]].tolist() == [3.0, 77.0]
    assert (steps > 0).all()
    assert steps[line.stations[:-1] < 40].max() > 4.0
    assert steps[line.stations[:-1] > 52].max() < 1.2
    assert np.hypot(*line.lefts.T) == pytest.approx(1.0)


def strips_of(road: Road) -> list[tuple[float, float]]:
    strips = carriageway(road, 0.06, marked=True)
    return [(strip.right_m, strip.left_m) for strip in strips]


def test_the_carriageway_is_covered_without_gaps(town: World) -> None:
    for road in (town.roads.main, straight_world().roads.main):
        strips = strips_of(road)

        assert (strips[0][0], strips[-1][1]) == road.edges_m
        assert [left for _, left in strips[:-1]] == [right for right, _ in strips[1:]]


def test_each_line_lies_in_its_own_strip() -> None:
    road = straight_world().roads.main
    for strip in carriageway(road, 0.06, marked=True):
        assert strip.right_m < strip.mark[0] < strip.left_m


@pytest.mark.parametrize('side', [-1, 1])
def test_kerbs_rise_outside_the_edge(side: int) -> None:
    strips = kerb_strips(4.0 * side, side)

    assert all(strip.right_m < strip.left_m for strip in strips)
    assert min(min(abs(s.right_m), abs(s.left_m)) for s in strips) == 4.0
    assert {strip.kind for strip in strips} == {'kerb', 'pavement'}


def test_the_locator_finds_arc_and_left() -> None:
    course = Course(((0.0, 0.0), (30.0, 0.02), (200.0, 0.02)), 0.0, 200.0, 1.0)
    arcs, lefts = np.array([12.0, 50.0, 120.0]), np.array([3.0, -7.0, 10.0])

    found = Locator(course, 0.0, 200.0)(course.beside(arcs, lefts))

    assert found[:, 0] == pytest.approx(arcs, abs=0.1)
    assert found[:, 1] == pytest.approx(lefts, abs=0.02)


def test_a_motorway_has_a_median_between_its_halves() -> None:
    main = world_of('motorway').roads.main
    ((right, left),) = medians(main)

    assert right == pytest.approx(-left)
    assert not any(right < lane.left_m < left for lane in main.lanes)


def test_nothing_stands_on_a_road(town: World, section: Section) -> None:
    walls = section.solids.vertices['position'].astype(np.float64)
    standing = walls[walls[:, 2] < 2.0, :2]
    feet = section.trees.vertices['position'][:, :2].astype(np.float64)
    points = np.concatenate([standing, feet]) + section.origin

    for road in (town.roads.main, *town.roads.side_roads):
        course = road.course
        places = Locator(course, course.start_m, course.end_m)(points)
        right, left = road.edges_m
        within = (places[:, 0] > course.start_m + 1) & (places[:, 0] < course.end_m - 1)
        on_road = within & (places[:, 1] > right + 0.05) & (places[:, 1] < left - 0.05)
        assert not on_road.any()


def test_a_town_has_houses_trees_and_lamps(section: Section) -> None:
    classes = section.solids.vertices['traits'][:, 0]

    assert (classes == CLASS['building']).sum() > 500
    assert (classes == CLASS['pole']).sum() > 200
    assert len(section.trees.vertices) > 40


def test_a_section_is_the_same_each_time(town: World, section: Section) -> None:
    again = make_section(town, 0)

    for part in ('ground', 'solids', 'trees'):
        one, other = getattr(section, part), getattr(again, part)
        assert one.vertices.tobytes() == other.vertices.tobytes()
        assert one.corners.tobytes() == other.corners.tobytes()


def test_triangles_are_in_order_of_arc_length(section: Section) -> None:
    for part in (section.ground, section.solids, section.trees):
        assert (np.diff(part.arcs) >= 0).all()
        assert part.corners.max() < len(part.vertices)


def test_street_lamps_of_neighbouring_spans_are_those_of_the_whole(town: World) -> None:
    whole = [post.arc_m for post in street_lamps(town.roads, 0.0, 400.0)]
    parts = [
        post.arc_m
        for begin, end in ((0.0, 133.3), (133.3, 400.0))
        for post in street_lamps(town.roads, begin, end)
    ]

    assert len(whole) > 8
    assert parts == whole


def test_traffic_lights_face_those_who_come(town: World) -> None:
    junctions = [junction for junction in town.roads.junctions if junction.signals]
    assert junctions
    course = town.roads.main.course
    for junction in junctions:
        posts = [post for post, is_main in signal_posts(town.roads, junction) if is_main]
        before = course.pose_at(junction.arc_m - junction.radius_m)
        ahead = np.array([np.cos(before[2]), np.sin(before[2])])
        facing = [post for post in posts if post.facing @ ahead < -0.99]

        assert len(posts) == 2
        # It stands on the right of the road.
        assert len(facing) >= 1
        away = facing[0].foot - before[:2]
        assert ahead[0] * away[1] - ahead[1] * away[0] < town.roads.main.edges_m[0]


def test_no_sky_reaches_the_inside_of_a_tunnel() -> None:
    roads = world_of('rural', tunnel_from_m=100.0, tunnel_length_m=200.0).roads
    places = np.array([[50.0, 0.0], [200.0, 0.0], [200.0, 40.0]])

    sky, lamps = sky_shares(roads, places)

    assert sky == pytest.approx([1.0, 0.0, 1.0], abs=1e-4)
    assert lamps.tolist() == [0.0, 1.0, 0.0]


def test_a_box_looks_outwards() -> None:
    box = solid_box((0, 0, 0), (0.6, 0.8), (2.0, 1.0, 3.0), (1, 1, 1), (0, 0, 0))
    middle = np.array([0, 0, 1.5])

    away = box['position'] - middle
    assert ((away * box['normal'][:, :3]).sum(axis=1) > 0).all()


def test_a_sheet_looks_to_the_left_of_a_walk_along_it() -> None:
    rows = np.zeros((3, 2, 3))
    rows[..., 0], rows[:, 1, 2] = np.arange(3)[:, None], 2.0

    vertices, _ = solid_strip(rows, (1, 1, 1), (0, 0, 0))

    assert (vertices['normal'][:, :3] == (0, 127, 0)).all()
    assert vertices['spot'].max(axis=0).tolist() == [2.0, 2.0]


def test_plants_are_opaque_inside_and_clear_at_the_rim() -> None:
    pictures = paint_plants(np.random.default_rng(1))

    assert len(pictures) == len(SPECIES)
    for picture, species in zip(pictures, SPECIES, strict=True):
        rows = len(picture)
        assert picture[int(species.crown[0] * rows), rows // 2 - 4 : rows // 2 + 4, 3].mean() > 100
        assert picture[-1, :, 3].mean() < 30
        # Between the foot and the lowest leaves there is a trunk and nothing else.
        below = picture[: int(0.6 * species.trunk * rows), :, 3]
        assert (below.max(axis=1) > 200).all()
        assert (below[:, : rows // 3] == 0).all() or species.conifer


@given(st.floats(0, 3), st.floats(0, 3))
def test_shadows_keep_their_texels_when_the_camera_moves(x: float, y: float) -> None:
    sun = np.array([0.48, 0.36, 0.8])
    ahead = np.array([1.0, 0.0])
    point = np.array([30.0, 5.0, 1.0])
    places = []
    for eye in (np.array([0.0, 0.0, 1.4]), np.array([x, y, 1.4])):
        clip = shadow_matrix(eye, ahead, sun) @ np.append(point - eye, 1.0)
        places.append(clip[:2] * 512)

    shift = places[1] - places[0]
    assert shift == pytest.approx(np.rint(shift), abs=1e-6)
