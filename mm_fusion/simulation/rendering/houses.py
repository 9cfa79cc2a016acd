# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Houses along the streets of a town."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.simulation.rendering.mesh import (
    CLASS,
    Material,
    Mesh,
    quad_triangles,
    solid_box,
    solid_quads,
)
from mm_fusion.simulation.rendering.occupied import border_m

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mm_fusion.simulation.course import Course
    from mm_fusion.simulation.rendering.occupied import Occupied
    from mm_fusion.simulation.roads import Road

BAY_M = 2.8
STOREY_M = 3.1
_PLASTER = np.array(
    [
        [0.62, 0.56, 0.44],
        [0.66, 0.62, 0.54],
        [0.55, 0.42, 0.27],
        [0.58, 0.58, 0.56],
        [0.50, 0.30, 0.20],
        [0.42, 0.44, 0.40],
        [0.68, 0.66, 0.62],
        [0.36, 0.16, 0.11],
        [0.60, 0.50, 0.30],
    ]
)
_TILES = np.array(
    [[0.24, 0.075, 0.04], [0.17, 0.06, 0.04], [0.07, 0.07, 0.075], [0.13, 0.1, 0.08]]
)
_EAVES_M = 0.45


class _House(NamedTuple):
    """A house: the middle of its front, to the right and to the back seen from there, m."""

    front: NDArray[np.float64]
    along: NDArray[np.float64]
    back: NDArray[np.float64]
    width: float
    depth: float
    wall: float
    gabled: bool


def add_houses(
    mesh: Mesh,
    road: Road,
    span_m: tuple[float, float],
    occupied: Occupied,
    origin: NDArray[np.float64],
    rng: np.random.Generator,
    key_m: float | None = None,
) -> None:
    """Append houses on both sides of a road, and occupy their places.

    Args:
        mesh: Of solid vertices.
        road: Whose houses they are.
        span_m: Arc lengths of the road between which they stand.
        occupied: Where nothing may stand.
        origin: Of the section, (2,).
        rng: Draws them.
        key_m: Arc length of the main road for houses on a side road.
    """
    for side, edge in ((-1, road.edges_m[0]), (1, road.edges_m[1])):
        arc = span_m[0] + float(rng.uniform(0.5, 4.0))
        setback = float(rng.uniform(0.6, 2.0))
        while True:
            bays = int(rng.integers(3, 7))
            width = bays * BAY_M + 0.8
            if arc + width > span_m[1]:
                break
            offset = edge + side * (border_m(road) + setback)
            house = _placed(road.course, arc, width, offset, side, rng)
            if _fits(house, occupied):
                _add_house(mesh, house, origin, rng, arc if key_m is None else key_m)
                occupied.take(house.front + house.back * house.depth / 2, 0.42 * width)
                gap = 0.05 if rng.random() < 0.6 else float(rng.uniform(2.5, 9.0))
                arc += width + gap
            else:
                arc += BAY_M
            if rng.random() < 0.3:
                setback = float(rng.uniform(0.6, 4.0))


def _placed(
    course: Course, arc: float, width: float, offset: float, side: int, rng: np.random.Generator
) -> _House:
    ends = course.beside([arc, arc + width], [offset, offset])
    along = side * (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    back = np.array([-along[1], along[0]])
    storeys = int(rng.choice([2, 2, 3, 3, 4, 5]))
    return _House(
        ends.mean(axis=0),
        along,
        back,
        width,
        int(rng.integers(3, 5)) * BAY_M + 0.8,
        storeys * STOREY_M + 0.5,
        bool(storeys < 5 and rng.random() < 0.85),
    )


def _fits(house: _House, occupied: Occupied) -> bool:
    across = np.linspace(-0.5, 0.5, 5)[:, None] * house.width * house.along
    rows = [
        house.front + across + depth * house.back for depth in (0.3, house.depth / 2, house.depth)
    ]
    return bool((occupied.clearance(np.concatenate(rows)) > 0.15).all())


def _add_house(
    mesh: Mesh,
    house: _House,
    origin: NDArray[np.float64],
    rng: np.random.Generator,
    key_m: float,
) -> None:
    half, depth, top = house.width / 2, house.depth, house.wall
    base = house.front - origin

    def at(across: float, back: float, up: float) -> NDArray[np.float64]:
        flat = base + across * house.along + back * house.back
        return np.array([flat[0], flat[1], up])

    def wall(a: tuple[float, float], b: tuple[float, float]) -> list[NDArray[np.float64]]:
        return [at(*a, 0.0), at(*b, 0.0), at(*b, top), at(*a, top)]

    corners = [(-half, 0.0), (half, 0.0), (half, depth), (-half, depth)]
    walls = [wall(corners[k], corners[(k + 1) % 4]) for k in range(4)]
    plaster = _PLASTER[rng.integers(len(_PLASTER))] * rng.uniform(0.85, 1.1)
    salt = float(rng.random())
    parts = [solid_quads(walls, plaster, (CLASS['building'], Material.FACADE, 0), salt=salt)]
    tiles = _TILES[rng.integers(len(_TILES))]
    if house.gabled:
        rise = math.tan(math.radians(rng.uniform(30, 46)))
        parts += _gable(at, house, plaster, tiles, rise)
        spot = at(half * float(rng.uniform(-0.6, 0.6)), 0.62 * depth, 0.0)
        ridge = top + rise * depth / 2
        brick = (0.22, 0.09, 0.06)
        parts.append(
            solid_box(
                (spot[0], spot[1], ridge - 1.6),
                house.along,
                (0.7, 0.5, 2.2),
                brick,
                (CLASS['building'], Material.PLAIN, 255),
            )
        )
    else:
        flat = [[at(*corner, top) for corner in corners]]
        look = CLASS['building'], Material.PLAIN, 255
        parts.append(solid_quads(flat, (0.12, 0.12, 0.12), look))
    vertices = np.concatenate(parts)
    mesh.add(vertices, quad_triangles(len(vertices) // 4), key_m)


def _gable(
    at: Callable[[float, float, float], NDArray[np.float64]],
    house: _House,
    plaster: NDArray[np.float64],
    tiles: NDArray[np.float64],
    rise: float,
) -> list[NDArray[np.void]]:
    """Make a roof with two slopes that rise to a ridge along the street."""
    half, depth, top = house.width / 2, house.depth, house.wall
    wide, low = half + 0.2, top - _EAVES_M * rise
    ridge = top + rise * depth / 2
    slopes = [
        [
            at(-wide, -_EAVES_M, low),
            at(wide, -_EAVES_M, low),
            at(wide, depth / 2, ridge),
            at(-wide, depth / 2, ridge),
        ],
        [
            at(wide, depth + _EAVES_M, low),
            at(-wide, depth + _EAVES_M, low),
            at(-wide, depth / 2, ridge),
            at(wide, depth / 2, ridge),
        ],
    ]
    peak = at(half, depth / 2, ridge), at(-half, depth / 2, ridge)
    ends = [
        [at(half, 0, top), at(half, depth, top), peak[0], peak[0]],
        [at(-half, depth, top), at(-half, 0, top), peak[1], peak[1]],
    ]
    return [
        solid_quads(slopes, tiles, (CLASS['building'], Material.TILES, 255)),
        solid_quads(ends, plaster, (CLASS['building'], Material.PLAIN, 0)),
    ]
