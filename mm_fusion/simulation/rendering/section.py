# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One section of the drive: everything that does not move there, as triangles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.simulation.rendering.ground import add_ground
from mm_fusion.simulation.rendering.houses import add_houses
from mm_fusion.simulation.rendering.mesh import (
    GROUND_VERTEX,
    SOLID_VERTEX,
    TREE_VERTEX,
    Mesh,
    Triangles,
)
from mm_fusion.simulation.rendering.occupied import Occupied
from mm_fusion.simulation.rendering.plants import Plants
from mm_fusion.simulation.rendering.ribbons import Locator
from mm_fusion.simulation.rendering.roadside import (
    LAMP_HEIGHT_M,
    add_delineators,
    add_guard_rails,
    add_signals,
    add_street_lamps,
    street_lamps,
)
from mm_fusion.simulation.rendering.tunnels import (
    add_tunnel_ground,
    add_tunnels,
    open_spans,
    sky_shares,
)
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import World

SECTION_M = 250.0
_HALF_MARK_M = {'town': 0.06, 'rural': 0.06, 'motorway': 0.08}
_LAMP_REACH_M = 45.0
_FRESH_SNOW = 3
_ABOVE_M = 7.0


class Section(NamedTuple):
    """What a section is made of; positions are relative to its origin, (2,), in the map frame."""

    origin: NDArray[np.float64]
    ground: Triangles
    solids: Triangles
    trees: Triangles


class _Meshes(NamedTuple):
    origin: NDArray[np.float64]
    ground: Mesh
    solids: Mesh
    trees: Mesh


def make_section(world: World, index: int) -> Section:
    """Make what stands and lies along ``SECTION_M`` of the main road.

    It depends on the scenario and the index alone.
    """
    roads = world.roads
    course = roads.main.course
    begin = max(index * SECTION_M, course.start_m)
    end = min((index + 1) * SECTION_M, course.end_m)
    origin = course.pose_at((begin + end) / 2)[:2]
    kind = world.scenario.road.kind
    meshes = _Meshes(origin, Mesh(GROUND_VERTEX), Mesh(SOLID_VERTEX), Mesh(TREE_VERTEX))
    add_ground(meshes.ground, roads, begin, end, _HALF_MARK_M[kind], origin)
    add_tunnel_ground(meshes.ground, roads, begin, end, origin)
    _furnish(meshes, world, begin, end)
    _build(meshes, world, begin, end, generator(world.scenario.seed, 'scenery', str(index)))
    section = Section(origin, *(mesh.finish() for mesh in meshes[1:]))
    _light(section, world, begin, end)
    return section


def _furnish(section: _Meshes, world: World, begin: float, end: float) -> None:
    """Add what belongs to the road."""
    roads, solids, origin = world.roads, section.solids, section.origin
    add_street_lamps(solids, street_lamps(roads, begin, end), origin)
    add_tunnels(solids, roads, begin, end, origin)
    if not roads.urban:
        add_delineators(solids, roads, begin, end, origin)
    if world.scenario.road.kind == 'motorway':
        for span in open_spans(roads, begin, end):
            add_guard_rails(solids, roads.main, *span, origin)
    for junction in roads.junctions:
        if begin <= junction.arc_m < end:
            add_signals(solids, roads, junction, origin)


def _build(
    section: _Meshes, world: World, begin: float, end: float, rng: np.random.Generator
) -> None:
    """Add houses and plants."""
    roads = world.roads
    occupied = Occupied(roads, section.origin, SECTION_M / 2 + 160.0)
    plants = Plants(section.trees, roads, occupied, section.origin, rng)
    if not roads.urban:
        near = 14.0 if world.scenario.road.kind == 'rural' else 27.0
        plants.hedge(begin, end, near - 6.0)
        plants.scatter(begin, end, near, 150)
        return
    for span in open_spans(roads, begin, end):
        add_houses(section.solids, roads.main, span, occupied, section.origin, rng)
    for junction in roads.junctions:
        if begin <= junction.arc_m < end:
            for k in junction.side_roads:
                road = roads.side_roads[k]
                span = junction.radius_m + 16.0, min(road.course.end_m, 95.0)
                add_houses(
                    section.solids, road, span, occupied, section.origin, rng, junction.arc_m
                )
    plants.avenue(begin, end)
    plants.scatter(begin, end, 16.0, 50)


def _light(section: Section, world: World, begin: float, end: float) -> None:
    """Give the vertices their shares of sky, lamps and snow."""
    roads = world.roads
    locate = Locator(roads.main.course, begin - 60.0, end + 60.0)
    posts = street_lamps(roads, begin - _LAMP_REACH_M, end + _LAMP_REACH_M)
    lamps = np.array([post.foot + 1.7 * post.facing for post in posts]).reshape(-1, 2)
    for part in (section.ground, section.solids, section.trees):
        vertices = part.vertices
        flat = vertices['position'][:, :2] + section.origin
        height = vertices['position'][:, 2].astype(np.float64)
        places = locate(flat)
        sky, tunnel = sky_shares(roads, places)
        above = height > _ABOVE_M
        vertices['lights'][:, 0] = np.where(above, 255, np.rint(255 * sky))
        vertices['lights'][:, 1] = np.rint(255 * _street_light(flat, height, lamps))
        vertices['lights'][:, 2] = np.where(above, 0, np.rint(255 * tunnel))
        if part is not section.ground:
            snow = roads.surface.friction_at(places[:, 0])[:, _FRESH_SNOW]
            vertices['traits'][:, 2] = np.rint(snow * vertices['traits'][:, 2])


def _street_light(
    flat: NDArray[np.float64], height: NDArray[np.float64], lamps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the light of street lamps (n,), 1 below one, by the inverse square of the distance."""
    if not len(lamps):
        return np.zeros(len(flat))
    away = ((flat[:, None] - lamps) ** 2).sum(axis=2)
    up = np.maximum(LAMP_HEIGHT_M - height, 1.5)[:, None]
    share = LAMP_HEIGHT_M**2 / (away + up**2) * (up / np.sqrt(away + up**2)) ** 0.5
    near = away < _LAMP_REACH_M**2
    return np.asarray(np.minimum(np.where(near, share, 0.0).sum(axis=1), 1.0))


def section_index(arc_m: float) -> int:
    """Give the index of the section that an arc length lies in."""
    return math.floor(arc_m / SECTION_M)
