# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands along roads: street lamps, delineators, guard rails and traffic lights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.simulation.rendering.ground import medians
from mm_fusion.simulation.rendering.mesh import (
    CLASS,
    Material,
    Mesh,
    quad_triangles,
    solid_box,
    solid_quads,
    solid_strip,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mm_fusion.simulation.course import Course
    from mm_fusion.simulation.roads import Junction, Road, RoadNetwork

LAMP_HEIGHT_M = 7.6
LAMP_SPACING_M = 28.0
_LAMP_REACH_M = 1.7
_LAMP_ASIDE_M = 0.75
_DELINEATOR_SPACING_M = 50.0
_RAIL_STEP_M = 4.0
_GALVANISED = (0.30, 0.31, 0.32)
_DARK = (0.03, 0.035, 0.035)
_WHITE = (0.72, 0.72, 0.70)
_POLE = CLASS['pole'], Material.METAL, 0
HEAD_UP_M = (2.75, 2.45, 2.15)
"""Heights of red, yellow and green on a post."""


class Post(NamedTuple):
    """A street lamp or the post of a traffic light: its foot and what it faces, map frame."""

    arc_m: float
    foot: NDArray[np.float64]
    facing: NDArray[np.float64]


def street_lamps(roads: RoadNetwork, begin_m: float, end_m: float) -> list[Post]:
    """List the street lamps of the main road between two arc lengths; they face the road."""
    if not roads.urban:
        return []
    main = roads.main
    lamps = []
    first, last = math.ceil(begin_m / LAMP_SPACING_M), math.ceil(end_m / LAMP_SPACING_M)
    for index in range(first, last):
        arc = index * LAMP_SPACING_M
        side = 1 if index % 2 else -1
        edge = main.edges_m[1] if side > 0 else main.edges_m[0]
        inside = any(abs(arc - j.arc_m) < j.radius_m + 1.0 for j in roads.junctions)
        if not inside and not roads.in_tunnel(arc):
            foot = main.course.beside(arc, edge + side * _LAMP_ASIDE_M)
            heading = float(main.course.pose_at(arc)[2])
            facing = -side * np.array([-math.sin(heading), math.cos(heading)])
            lamps.append(Post(arc, foot, facing))
    return lamps


def add_street_lamps(mesh: Mesh, lamps: list[Post], origin: NDArray[np.float64]) -> None:
    """Append the poles, arms and heads of street lamps."""
    for lamp in lamps:
        x, y = lamp.foot - origin
        parts = [_pole((x, y), 0.085, 0.05, LAMP_HEIGHT_M, _GALVANISED)]
        arm = lamp.foot - origin + lamp.facing * _LAMP_REACH_M / 2
        size = _LAMP_REACH_M, 0.06, 0.06
        parts.append(
            solid_box((*arm, LAMP_HEIGHT_M - 0.06), lamp.facing, size, _GALVANISED, _POLE)
        )
        head = lamp.foot - origin + lamp.facing * _LAMP_REACH_M
        size = 0.75, 0.24, 0.10
        parts.append(
            solid_box((*head, LAMP_HEIGHT_M - 0.08), lamp.facing, size, _GALVANISED, _POLE)
        )
        parts.append(_lamp_glass(head, lamp.facing))
        _add(mesh, parts, lamp.arc_m)


def _lamp_glass(head: NDArray[np.float64], facing: NDArray[np.float64]) -> NDArray[np.void]:
    across = np.array([-facing[1], facing[0]])
    flat = [head + a * 0.33 * facing + b * 0.1 * across for a, b in _DOWNWARD]
    corners = [[(*point, LAMP_HEIGHT_M - 0.085) for point in flat]]
    look = CLASS['pole'], Material.STREET_LAMP, 0
    return solid_quads(corners, (0.6, 0.6, 0.55), look)


_DOWNWARD = ((-1, -1), (-1, 1), (1, 1), (1, -1))


def _pole(
    foot: tuple[float, float],
    radius: float,
    radius_above: float,
    height: float,
    colour: tuple[float, float, float],
) -> NDArray[np.void]:
    """Make a tapered pole with six faces."""
    angles = np.arange(7) * (math.pi / 3)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    low = np.concatenate([foot + radius * ring, np.zeros((7, 1))], axis=1)
    high = np.concatenate([foot + radius_above * ring, np.full((7, 1), height)], axis=1)
    return solid_quads(np.stack([low[:-1], low[1:], high[1:], high[:-1]], axis=1), colour, _POLE)


def add_delineators(
    mesh: Mesh, roads: RoadNetwork, begin_m: float, end_m: float, origin: NDArray[np.float64]
) -> None:
    """Append the white posts beside a country road or motorway."""
    main = roads.main
    first = math.ceil(begin_m / _DELINEATOR_SPACING_M)
    for index in range(first, math.ceil(end_m / _DELINEATOR_SPACING_M)):
        arc = index * _DELINEATOR_SPACING_M
        if roads.in_tunnel(arc) or any(
            abs(arc - j.arc_m) < j.radius_m + 2.0 for j in roads.junctions
        ):
            continue
        heading = float(main.course.pose_at(arc)[2])
        ahead = np.array([math.cos(heading), math.sin(heading)])
        for side, edge in ((-1, main.edges_m[0]), (1, main.edges_m[1])):
            x, y = main.course.beside(arc, edge + side * 0.6) - origin
            look = CLASS['pole'], Material.PLAIN, 0
            glint = CLASS['pole'], Material.REFLECTOR, 0
            _add(
                mesh,
                [
                    solid_box((x, y, 0.0), ahead, (0.10, 0.12, 0.72), _WHITE, look),
                    solid_box((x, y, 0.72), ahead, (0.10, 0.12, 0.22), _DARK, look),
                    solid_box((x, y, 0.94), ahead, (0.10, 0.12, 0.08), _WHITE, look),
                    solid_box((x, y, 0.75), ahead, (0.115, 0.05, 0.16), _WHITE, glint),
                ],
                arc,
            )


def add_guard_rails(
    mesh: Mesh, road: Road, begin_m: float, end_m: float, origin: NDArray[np.float64]
) -> None:
    """Append steel rails outside a motorway and along its median."""
    right, left = road.edges_m
    offsets = [(right - 0.9, 1), (left + 0.9, -1)]
    for gap_right, gap_left in medians(road):
        middle = (gap_right + gap_left) / 2
        offsets += [(middle - 0.35, -1), (middle + 0.35, 1)]
    for offset, facing in offsets:
        _add_rail(mesh, road.course, begin_m, end_m, (offset, facing), origin)


def _add_rail(
    mesh: Mesh,
    course: Course,
    begin_m: float,
    end_m: float,
    place: tuple[float, int],
    origin: NDArray[np.float64],
) -> None:
    """Append one rail with its posts; it faces left (1) or right (-1) of the course."""
    offset, facing = place
    count = max(math.ceil((end_m - begin_m) / _RAIL_STEP_M), 1) + 1
    arcs = np.linspace(begin_m, end_m, count)
    profile = [(0.0, 0.46), (0.08 * facing, 0.54), (0.0, 0.61), (0.08 * facing, 0.68), (0.0, 0.76)]
    rows = np.stack(
        [
            np.concatenate(
                [
                    course.beside(arcs, np.full(count, offset + out)) - origin,
                    np.full((count, 1), up),
                ],
                axis=1,
            )
            for out, up in profile
        ],
        axis=1,
    )
    for front in (1, -1):
        sheet = rows if front == facing else rows[:, ::-1]
        vertices, triangles = solid_strip(sheet, _GALVANISED, _POLE)
        keys = np.repeat(arcs[:-1], 2 * (len(profile) - 1))
        mesh.add(vertices, triangles, keys)
    for k in range(count - 1):
        pose = course.pose_at(arcs[k])
        ahead = np.array([math.cos(pose[2]), math.sin(pose[2])])
        foot = course.beside(arcs[k], offset - 0.07 * facing) - origin
        box = solid_box((*foot, 0.0), ahead, (0.06, 0.12, 0.7), _GALVANISED, _POLE)
        mesh.add(box, quad_triangles(5), float(arcs[k]))


def signal_posts(roads: RoadNetwork, junction: Junction) -> Iterator[tuple[Post, bool]]:
    """List the posts of a junction's traffic lights, and whether they are for the main road."""
    if not junction.signals:
        return
    ways = [(roads.main, junction.arc_m - way * junction.radius_m, way) for way in (1, -1)]
    ways += [(roads.side_roads[k], junction.radius_m, -1) for k in junction.side_roads]
    for road, station, way in ways:
        if not road.course.start_m <= station <= road.course.end_m:
            continue
        edge = road.edges_m[0] if way > 0 else road.edges_m[1]
        heading = float(road.course.pose_at(station)[2])
        ahead = way * np.array([math.cos(heading), math.sin(heading)])
        foot = road.course.beside(station, edge - way * 0.6)
        yield Post(junction.arc_m, foot, -ahead), road is roads.main


def add_signals(
    mesh: Mesh, roads: RoadNetwork, junction: Junction, origin: NDArray[np.float64]
) -> None:
    """Append posts and housings of traffic lights; their light is drawn each frame."""
    for post, _ in signal_posts(roads, junction):
        x, y = post.foot - origin
        head = post.foot - origin + 0.14 * post.facing
        plain = CLASS['pole'], Material.PLAIN, 0
        parts = [
            _pole((x, y), 0.07, 0.06, 3.15, _GALVANISED),
            solid_box((*head, 1.98), post.facing, (0.22, 0.32, 0.98), _DARK, plain),
        ]
        _add(mesh, parts, post.arc_m)


def _add(mesh: Mesh, parts: list[NDArray[np.void]], arc_m: float) -> None:
    vertices = np.concatenate(parts)
    mesh.add(vertices, quad_triangles(len(vertices) // 4), arc_m)
