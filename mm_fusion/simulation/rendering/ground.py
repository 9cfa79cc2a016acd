# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The ground of one section of the drive: roads, junctions and the land around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.junctions import add_junction
from mm_fusion.simulation.rendering.mesh import CLASS, GROUND_VERTEX, Mesh
from mm_fusion.simulation.rendering.ribbons import (
    LAYERS,
    Line,
    Locator,
    Strip,
    add_side_road,
    add_strip,
    carriageway,
    kerb_strips,
    spans_outside,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import Junction, Road, RoadNetwork

_LAND_M = 110.0
_CELL_M = 11.0
_VERGE_M = 0.5
MEDIAN_M = 1.0
"""A gap between lanes from this width on is a median, not paved."""


def add_ground(
    mesh: Mesh,
    roads: RoadNetwork,
    begin_m: float,
    end_m: float,
    half_mark_m: float,
    origin: NDArray[np.float64],
) -> None:
    """Append the ground between two arc lengths of the main road.

    Args:
        mesh: Of ground vertices.
        roads: All roads.
        begin_m: First arc length, on the road.
        end_m: Last arc length, on the road.
        half_mark_m: Half the width of painted lines.
        origin: Of the section, (2,), map frame.
    """
    main = roads.main
    near = [j for j in roads.junctions if begin_m - j.radius_m < j.arc_m < end_m + j.radius_m]
    holes = [(j.arc_m - j.radius_m, j.arc_m + j.radius_m) for j in near]
    for junction in near:
        if begin_m <= junction.arc_m < end_m:
            _add_meeting(mesh, roads, junction, half_mark_m, origin)
    for begin, end in spans_outside(begin_m, end_m, holes):
        line = Line.of_course(main.course, begin, end)
        for strip in carriageway(main, half_mark_m, marked=True):
            add_strip(mesh, line, strip, None, 'main', origin)
        for strip in _beside(main):
            add_strip(mesh, line, strip, None, 'main', origin)
    for begin, end in holes:
        inner = max(begin, begin_m), min(end, end_m)
        if inner[1] - inner[0] > 0.05:
            line = Line.of_course(main.course, *inner)
            for strip in carriageway(main, half_mark_m, marked=False):
                add_strip(mesh, line, strip, None, 'main', origin)
    _add_land(mesh, roads, begin_m, end_m, origin)


def medians(road: Road) -> list[tuple[float, float]]:
    """Give the gaps (right, left) between lanes that are not paved."""
    return [
        (here.left_m + here.width_m / 2 + _VERGE_M, there.left_m - there.width_m / 2 - _VERGE_M)
        for here, there in zip(road.lanes[:-1], road.lanes[1:], strict=True)
        if there.left_m - here.left_m - (here.width_m + there.width_m) / 2 > MEDIAN_M
    ]


def _beside(road: Road) -> list[Strip]:
    """Give what borders the carriageway: kerbs and pavements; a median lies upon it."""
    right, left = road.edges_m
    if road.kerb:
        return kerb_strips(right, -1) + kerb_strips(left, 1)
    return [Strip(a, b, 0.02, 0.02, 'terrain') for a, b in medians(road)]


def _add_meeting(
    mesh: Mesh,
    roads: RoadNetwork,
    junction: Junction,
    half_mark_m: float,
    origin: NDArray[np.float64],
) -> None:
    reach = junction.radius_m + 40.0
    locate = Locator(roads.main.course, junction.arc_m - reach, junction.arc_m + reach)
    add_junction(mesh, roads, junction, locate, origin)
    for index in junction.side_roads:
        add_side_road(mesh, roads.side_roads[index], junction, half_mark_m, origin)


def _add_land(
    mesh: Mesh, roads: RoadNetwork, begin_m: float, end_m: float, origin: NDArray[np.float64]
) -> None:
    """Append a lattice of the land whose nearest place of the main road lies in the section."""
    course = roads.main.course
    track = course.pose_at(np.arange(begin_m, end_m + 10.0, 10.0))[:, :2]
    low = np.floor((track.min(axis=0) - _LAND_M) / _CELL_M).astype(int)
    high = np.ceil((track.max(axis=0) + _LAND_M) / _CELL_M).astype(int)
    columns, rows = high - low + 1
    grid_y, grid_x = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1] * _CELL_M
    points = np.stack([grid_x.ravel(), grid_y.ravel()], axis=1)
    reach = 2 * _LAND_M
    places = Locator(course, begin_m - reach, end_m + reach)(points)
    vertices = np.zeros(len(points), GROUND_VERTEX)
    vertices['position'][:, :2] = points - origin
    vertices['along'] = np.tile(places, 2)
    vertices['normal'][:, 2] = 127
    vertices['traits'][:, 0], vertices['traits'][:, 2] = CLASS['terrain'], LAYERS['terrain']
    vertices['lights'][:, 0] = 255
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    arcs = places[corner, 0]
    kept = (arcs >= begin_m) & (arcs < end_m) & (np.abs(places[corner, 1]) < _LAND_M)
    corner = corner[kept]
    cells = np.stack(
        [corner, corner + 1, corner + columns + 1, corner, corner + columns + 1, corner + columns],
        axis=1,
    )
    mesh.add(vertices, cells.reshape(-1, 3), np.repeat(arcs[kept], 2))
