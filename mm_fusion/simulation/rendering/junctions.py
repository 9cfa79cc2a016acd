# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Junctions: their area, the kerbs round their corners, their stop lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.simulation.rendering.mesh import CLASS, GROUND_VERTEX
from mm_fusion.simulation.rendering.ribbons import (
    LAYERS,
    MARKS,
    Line,
    add_stop_line,
    add_strip,
    kerb_strips,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.mesh import Mesh
    from mm_fusion.simulation.rendering.ribbons import Locator
    from mm_fusion.simulation.roads import Junction, RoadNetwork


class _Arm(NamedTuple):
    """A road where it leaves a junction, seen outwards."""

    right: NDArray[np.float64]
    left: NDArray[np.float64]
    heading: float
    along_main: int


def _arms(roads: RoadNetwork, junction: Junction) -> list[_Arm]:
    main, radius = roads.main, junction.radius_m
    right, left = main.edges_m
    arms = []
    for way in (1, -1):
        arc = junction.arc_m + way * radius
        edges = main.course.beside([arc, arc], [right, left])[::way]
        heading = float(main.course.pose_at(arc)[2]) + (0.0 if way > 0 else math.pi)
        arms.append(_Arm(edges[0], edges[1], heading, way))
    for index in junction.side_roads:
        side = roads.side_roads[index]
        arc = min(radius, side.course.end_m)
        edges = side.course.beside([arc, arc], list(side.edges_m))
        arms.append(_Arm(edges[0], edges[1], float(side.course.pose_at(arc)[2]), 0))
    return sorted(arms, key=lambda arm: arm.heading % (2 * math.pi))


def _corner(roads: RoadNetwork, junction: Junction, here: _Arm, there: _Arm) -> Line:
    """Give the edge from the left of one arm to the right of the next, junction on its left."""
    if here.along_main and there.along_main:
        right, left = roads.main.edges_m
        arcs = junction.arc_m + np.linspace(
            here.along_main * junction.radius_m, there.along_main * junction.radius_m, 17
        )
        edge = left if here.along_main > 0 else right
        return Line.through(roads.main.course.beside(arcs, np.full(17, edge)))
    inward = -np.array([math.cos(here.heading), math.sin(here.heading)])
    outward = np.array([math.cos(there.heading), math.sin(there.heading)])
    matrix = np.stack([inward, outward], axis=1)
    control = (here.left + there.right) / 2
    if abs(np.linalg.det(matrix)) > 0.2:
        run, back = np.linalg.solve(matrix, there.right - here.left)
        if run > 0 and back > 0:
            control = here.left + run * inward
    part = np.linspace(0, 1, 11)[:, None]
    curve = (1 - part) ** 2 * here.left + 2 * part * (1 - part) * control + part**2 * there.right
    return Line.through(curve)


def add_junction(
    mesh: Mesh,
    roads: RoadNetwork,
    junction: Junction,
    locate: Locator,
    origin: NDArray[np.float64],
) -> None:
    """Append the area of a junction, the kerbs round its corners and the stop lines."""
    arms = _arms(roads, junction)
    corners = [
        _corner(roads, junction, here, there)
        for here, there in zip(arms, arms[1:] + arms[:1], strict=True)
    ]
    centre = roads.main.course.pose_at(junction.arc_m)[None, :2]
    outline = np.concatenate([centre, *(line.points for line in corners)])
    vertices = np.zeros(len(outline), GROUND_VERTEX)
    vertices['position'][:, :2] = outline - origin
    vertices['along'][:, :2] = locate(outline)
    vertices['normal'][:, 2] = 127
    vertices['traits'][:, :3] = CLASS['road'], MARKS['none'], LAYERS['patch']
    vertices['lights'][:, 0] = 255
    rim = np.arange(1, len(outline))
    fan = np.stack([np.zeros_like(rim), rim, np.roll(rim, -1)], axis=1)
    mesh.add(vertices, fan, junction.arc_m)
    for line in corners if roads.main.kerb else []:
        for strip in kerb_strips(0.0, -1):
            offsets = np.array([strip.right_m, strip.left_m])
            flat = line.points[:, None] + offsets[:, None] * line.lefts[:, None]
            places = locate(flat.reshape(-1, 2)).reshape(-1, 2, 2)
            add_strip(mesh, line, strip, places, 'side', origin, junction.arc_m)
    for lane in roads.main.lanes if junction.signals else ():
        arc = junction.arc_m - lane.direction * (junction.radius_m + 0.6)
        add_stop_line(mesh, roads.main.course, lane, arc, origin)
