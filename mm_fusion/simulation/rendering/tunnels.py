# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Tunnels: walls, vault, lamps, portals and the hill above."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.mesh import (
    CLASS,
    GROUND_VERTEX,
    Material,
    Mesh,
    quad_triangles,
    solid_quads,
    solid_strip,
    strip_triangles,
)
from mm_fusion.simulation.rendering.occupied import border_m
from mm_fusion.simulation.rendering.ribbons import (
    KERB_HEIGHT_M,
    LAYERS,
    Line,
    Strip,
    add_strip,
    spans_outside,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import Road, RoadNetwork

_WALL_M = 3.4
_CROWN_M = 6.2
_CONCRETE = (0.30, 0.29, 0.27)
_TILES = (0.55, 0.56, 0.52)
_LAMP_SPACING_M = 8.0
_LAMP_LENGTH_M = 2.4
_HILL_M = 9.5
_END_SLOPE = 0.8
_FADE_M = 9.0


def half_width_m(road: Road) -> tuple[float, float]:
    """Give the offsets of the right and the left wall."""
    right, left = road.edges_m
    space = max(border_m(road), 0.9)
    return right - space, left + space


def add_tunnels(
    mesh: Mesh, roads: RoadNetwork, begin_m: float, end_m: float, origin: NDArray[np.float64]
) -> None:
    """Append what lies between two arc lengths of each tunnel."""
    for entry, leave in roads.tunnels:
        begin, end = max(entry, begin_m), min(leave, end_m)
        if end - begin < 0.5:
            continue
        _add_hull(mesh, roads.main, begin, end, origin)
        for arc, way in ((entry, 1), (leave, -1)):
            if begin <= arc <= end:
                _add_portal(mesh, roads.main, arc, way, origin)


def _arch(road: Road) -> NDArray[np.float64]:
    """Give the cross-section (n, 2), left and up, from the right wall over the vault."""
    right, left = half_width_m(road)
    middle, half = (right + left) / 2, (left - right) / 2
    angles = np.linspace(0, math.pi, 11)
    vault = np.stack(
        [middle - half * np.cos(angles), _WALL_M + (_CROWN_M - _WALL_M) * np.sin(angles)], axis=1
    )
    walls = np.array([[right, 0.0], [right, 1.0], [right, 2.6]])
    return np.concatenate([walls, vault, walls[::-1] * (0, 1) + (left, 0)])


def _rows(
    line: Line, section: NDArray[np.float64], origin: NDArray[np.float64]
) -> NDArray[np.float64]:
    flat = line.points[:, None] + section[None, :, :1] * line.lefts[:, None] - origin
    up = np.broadcast_to(section[None, :, 1:], (*flat.shape[:2], 1))
    return np.concatenate([flat, up], axis=2)


def _add_hull(
    mesh: Mesh, road: Road, begin: float, end: float, origin: NDArray[np.float64]
) -> None:
    line = Line.of_course(road.course, begin, end)
    keys = line.stations[:-1]
    arch = _arch(road)
    bands = (
        (arch[:3], _TILES),
        (arch[2:-2], _CONCRETE),
        (arch[-3:], _TILES),
    )
    for section, colour in bands:
        rows = _rows(line, section, origin)
        look = CLASS['building'], Material.CONCRETE, 0
        vertices, triangles = solid_strip(rows, colour, look)
        vertices['lights'][:, 0], vertices['lights'][:, 2] = 0, 255
        mesh.add(vertices, triangles, np.repeat(keys, 2 * (len(section) - 1)))
    _add_lamps(mesh, road, begin, end, origin)


def _add_lamps(
    mesh: Mesh, road: Road, begin: float, end: float, origin: NDArray[np.float64]
) -> None:
    right, left = half_width_m(road)
    middle, half = (right + left) / 2, (left - right) / 2
    first = math.ceil(begin / _LAMP_SPACING_M)
    for index in range(first, math.ceil((end - _LAMP_LENGTH_M) / _LAMP_SPACING_M)):
        arc = index * _LAMP_SPACING_M
        for offset in (middle - 0.45 * half, middle + 0.45 * half):
            arcs = [arc, arc + _LAMP_LENGTH_M, arc + _LAMP_LENGTH_M, arc]
            flat = road.course.beside(arcs, offset + np.array([0.16, 0.16, -0.16, -0.16]))
            up = _WALL_M + (_CROWN_M - _WALL_M) * math.sqrt(1 - 0.45**2) - 0.12
            corners = np.concatenate([flat - origin, np.full((4, 1), up)], axis=1)
            look = CLASS['building'], Material.TUNNEL_LAMP, 0
            mesh.add(solid_quads(corners[None], (0.8, 0.8, 0.7), look), quad_triangles(1), arc)


def _add_portal(mesh: Mesh, road: Road, arc: float, way: int, origin: NDArray[np.float64]) -> None:
    """Append the wall around an opening; way is 1 where the road enters."""
    arch = _arch(road)
    right, left = half_width_m(road)
    middle, half = (left + right) / 2, (left - right) / 2
    spread = (arch - (middle, 0)) / (half, _CROWN_M)
    reach = np.abs(spread).max(axis=1, keepdims=True)
    outer = spread / reach * (half + 4.0, _HILL_M) + (middle, 0)
    pose = road.course.pose_at(arc)
    lefts = np.array([-math.sin(pose[2]), math.cos(pose[2])])

    def placed(section: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = pose[:2] + section[:, :1] * lefts - origin
        return np.concatenate([flat, section[:, 1:]], axis=1)

    here, there = placed(arch), placed(outer)
    quads = np.stack([here[:-1], here[1:], there[1:], there[:-1]], axis=1)
    look = CLASS['building'], Material.CONCRETE, 0
    mesh.add(solid_quads(quads[:, ::-way], _CONCRETE, look), quad_triangles(len(quads)), arc)


def add_tunnel_ground(
    mesh: Mesh, roads: RoadNetwork, begin_m: float, end_m: float, origin: NDArray[np.float64]
) -> None:
    """Append the hills over the tunnels, and the walkways inside."""
    road = roads.main
    right, left = half_width_m(road)
    edges = road.edges_m
    walks = [
        Strip(right, edges[0], KERB_HEIGHT_M, KERB_HEIGHT_M, 'pavement'),
        Strip(edges[0], edges[0] + 0.02, KERB_HEIGHT_M, 0.0, 'kerb'),
        Strip(edges[1] - 0.02, edges[1], 0.0, KERB_HEIGHT_M, 'kerb'),
        Strip(edges[1], left, KERB_HEIGHT_M, KERB_HEIGHT_M, 'pavement'),
    ]
    for entry, leave in roads.tunnels:
        begin, end = max(entry, begin_m), min(leave, end_m)
        if end - begin < 0.5:
            continue
        line = Line.of_course(road.course, begin, end)
        for strip in [] if road.kerb else walks:
            add_strip(mesh, line, strip, None, 'main', origin)
        for strip in _slopes(road):
            add_strip(mesh, line, strip, None, 'main', origin)
        for arc, way in ((entry, -1), (leave, 1)):
            if begin <= arc <= end:
                _add_end_slope(mesh, road, arc, way, origin)


def _slopes(road: Road) -> list[Strip]:
    """Give the sides of the hill."""
    right, left = half_width_m(road)
    shape = ((26.0, 0.0), (11.0, 0.7 * _HILL_M), (1.0, _HILL_M))
    steps = list(itertools.pairwise(shape))
    sides = [Strip(right - a, right - b, up, top, 'terrain') for (a, up), (b, top) in steps]
    return sides + [Strip(left + b, left + a, top, up, 'terrain') for (a, up), (b, top) in steps]


def _add_end_slope(
    mesh: Mesh, road: Road, arc: float, way: int, origin: NDArray[np.float64]
) -> None:
    """Append the slopes beside a portal, from the edge of the hill down towards the drivers."""
    for strip in _slopes(road):
        offsets = np.array([strip.right_m, strip.left_m])
        heights = np.array([strip.right_up_m, strip.left_up_m])
        vertices = np.zeros((2, 2), GROUND_VERTEX)
        foot = arc + way * _END_SLOPE * _HILL_M
        for row, (station, up) in enumerate(((arc, heights), (foot, 0 * heights))):
            vertices['position'][row, :, :2] = road.course.beside([station] * 2, offsets) - origin
            vertices['position'][row, :, 2] = up
            vertices['along'][row, :, 0] = vertices['along'][row, :, 2] = station
        vertices['along'][..., 1] = vertices['along'][..., 3] = offsets
        heading = float(road.course.pose_at(arc)[2])
        lean = 1 / math.hypot(1.0, _END_SLOPE)
        normal = way * lean * math.cos(heading), way * lean * math.sin(heading), _END_SLOPE * lean
        vertices['normal'][..., :3] = np.rint(127 * np.array(normal))
        vertices['traits'][..., 0], vertices['traits'][..., 2] = CLASS['terrain'], LAYERS['main']
        vertices['lights'][..., 0] = 255
        mesh.add(vertices.reshape(-1), strip_triangles(2), arc)


def sky_shares(
    roads: RoadNetwork, places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give how much light of the sky, and of tunnel lamps, reaches places (n, 2): arc, left."""
    sky: NDArray[np.float64] = np.ones(len(places))
    lamps: NDArray[np.float64] = np.zeros(len(places))
    right, left = half_width_m(roads.main)
    inside = (places[:, 1] > right - 0.5) & (places[:, 1] < left + 0.5)
    for begin, end in roads.tunnels:
        depth = np.minimum(places[:, 0] - begin, end - places[:, 0])
        sky = np.where(inside, np.minimum(sky, np.exp(-np.maximum(depth, 0.0) / _FADE_M)), sky)
        lamps = np.where(inside & (depth > 0.0), 1.0, lamps)
    return sky, lamps


def open_spans(roads: RoadNetwork, begin_m: float, end_m: float) -> list[tuple[float, float]]:
    """Give what of a span of the main road lies under the sky."""
    return spans_outside(begin_m, end_m, list(roads.tunnels))
