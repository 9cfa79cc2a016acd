# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts that vehicles are put together from: lofted bodies, boxes and wheels; finished bodies.

Axes as in base_link: x ahead of the rear axle, y to the left, z up from the ground, in metres.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

Place: TypeAlias = 'tuple[float, float, float]'

BODY_VERTEX = np.dtype([('position', 'f4', 3), ('normal', 'i1', 4), ('colour', 'u1', 4)])
"""colour: square root of linear RGB, and the finish; paint takes its colour from the vehicle."""

_CREASE = math.cos(math.radians(38))
_SPOKES = 14


class Finish(enum.IntEnum):
    """What a face of a vehicle is made of, as the shader knows it."""

    PAINT = 0
    MATT = 1
    GLASS = 2
    HEADLAMP = 3
    TAIL_LAMP = 4
    BLUE_LAMP = 5
    METAL = 6
    GLOSS = 7


class Look(NamedTuple):
    """Finish of a face and its linear colour."""

    finish: Finish
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)


PAINT = Look(Finish.PAINT)
GLASS = Look(Finish.GLASS, (0.012, 0.015, 0.017))
PLASTIC = Look(Finish.MATT, (0.018, 0.018, 0.019))
SHADE = Look(Finish.MATT, (0.006, 0.006, 0.006))
RUBBER = Look(Finish.MATT, (0.014, 0.014, 0.015))
RIM = Look(Finish.METAL, (0.34, 0.35, 0.37))
HEADLAMP = Look(Finish.HEADLAMP, (0.55, 0.57, 0.6))
TAIL_LAMP = Look(Finish.TAIL_LAMP, (0.22, 0.006, 0.008))
BLUE_LAMP = Look(Finish.BLUE_LAMP, (0.02, 0.07, 0.45))
PLATE = Look(Finish.MATT, (0.75, 0.75, 0.7))
WHITE = Look(Finish.GLOSS, (0.72, 0.72, 0.71))
RED = Look(Finish.GLOSS, (0.50, 0.014, 0.012))
SILVER = Look(Finish.METAL, (0.46, 0.48, 0.50))
BLUE = Look(Finish.GLOSS, (0.012, 0.06, 0.36))
YELLOW = Look(Finish.GLOSS, (0.62, 0.60, 0.03))
CANVAS = Look(Finish.MATT, (0.55, 0.56, 0.56))


class Station(NamedTuple):
    """A cross-section of a lofted body; a straight wall from the sill to the roof has no belt."""

    x: float
    half_width: float
    sill: float
    belt: float
    half_roof: float
    roof: float


class Parts:
    """Flat quads with their looks, on their way to a mesh."""

    def __init__(self) -> None:
        self._corners: list[NDArray[np.float64]] = []
        self._looks: list[Look] = []
        self._groups: list[int] = []
        self._group = 0

    def quads(self, corners: ArrayLike, looks: Look | Sequence[Look]) -> None:
        """Add quads (n, 4, 3), counter-clockwise seen from outside; they are smooth together."""
        points = np.asarray(corners, np.float64).reshape(-1, 4, 3)
        self._corners.append(points)
        self._looks += [looks] * len(points) if isinstance(looks, Look) else list(looks)
        self._groups += [self._group] * len(points)
        self._group += 1

    def box(self, low: Sequence[float], high: Sequence[float], look: Look) -> None:
        """Add a box between two corners."""
        grid = np.array([low, high], np.float64)
        unit = np.array(
            [
                [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]],
                [[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1]],
                [[1, 1, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]],
                [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]],
                [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]],
            ]
        )
        self.quads(grid[unit, np.arange(3)], look)

    def both_sides(self, low: Sequence[float], high: Sequence[float], look: Look) -> None:
        """Add a box and its mirror image on the other side."""
        self.box(low, high, look)
        self.box((low[0], -high[1], low[2]), (high[0], -low[1], high[2]), look)

    def loft(self, stations: Sequence[Station], look_of: Callable[[int, int], Look]) -> None:
        """Add a closed body through cross-sections from rear to front.

        Args:
            stations: With increasing x.
            look_of: Look by span of stations and by ring segment: 0 sill, 1 flank, 2 shoulder,
                3 window, 4 edge of the roof, 5 roof; the ends have the spans -1 and n - 1.
        """
        rings = np.stack([_ring(station) for station in stations])
        segments = rings.shape[1] - 1
        corners, looks = [], []
        for span in range(len(stations) - 1):
            for segment in range(segments):
                here, there = rings[span], rings[span + 1]
                corners.append(
                    [here[segment], there[segment], there[segment + 1], here[segment + 1]]
                )
                looks.append(look_of(span, min(segment, segments - 1 - segment)))
        self.quads(np.array(corners)[:, ::-1], looks)
        for ring, span in ((rings[0][::-1], -1), (rings[-1], len(stations) - 1)):
            half = (segments + 1) // 2
            caps = [
                [ring[k], ring[k + 1], ring[segments - k - 1], ring[segments - k]]
                for k in range(half)
            ]
            self.quads(np.array(caps), [look_of(span, k) for k in range(half)])

    def wheels(self, axles: Sequence[float], half_track: float, radius: float) -> None:
        """Add a pair of wheels on each axle, in dark arches."""
        angles = np.linspace(0, 2 * math.pi, _SPOKES + 1)
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        for axle in axles:
            for side in (-1, 1):
                centre = np.array([axle, side * half_track, radius])
                self._disc(centre + (0, side * 0.004, 0.02), circle * 1.17 * radius, side, SHADE)
                face = centre + np.array([0, side * 0.03, 0])
                self._tread(face, circle * radius, side)
                self._disc(face, circle * radius, side, RUBBER)
                self._disc(face + (0, side * 0.004, 0), circle * 0.64 * radius, side, RIM)
                self._disc(face + (0, side * 0.007, 0), circle * 0.22 * radius, side, PLASTIC)

    def _disc(
        self, centre: NDArray[np.float64], circle: NDArray[np.float64], side: int, look: Look
    ) -> None:
        rim = centre + np.stack([circle[:, 0], 0 * circle[:, 0], circle[:, 1]], axis=1)
        rim[:, 2] = np.maximum(rim[:, 2], 0.0)
        count = len(rim) - 1
        half = count // 2
        quads = [[rim[k], rim[k + 1], rim[count - k - 1], rim[count - k]] for k in range(half)]
        self.quads(np.array(quads)[:, ::-side], look)

    def _tread(self, face: NDArray[np.float64], circle: NDArray[np.float64], side: int) -> None:
        outer = face + np.stack([circle[:, 0], 0 * circle[:, 0], circle[:, 1]], axis=1)
        inner = outer - np.array([0, side * 0.2, 0])
        quads = np.stack([outer[:-1], outer[1:], inner[1:], inner[:-1]], axis=1)
        self.quads(quads[:, ::side], RUBBER)

    def finish(self) -> tuple[NDArray[np.void], NDArray[np.uint32]]:
        """Give vertices of type ``BODY_VERTEX`` (n,) and triangles (m, 3)."""
        corners = np.concatenate(self._corners)
        normals = _smooth(corners, np.array(self._groups))
        vertices = np.zeros((len(corners), 4), BODY_VERTEX)
        vertices['position'] = corners
        vertices['normal'][..., :3] = np.rint(127 * normals)
        colours = np.sqrt([look.colour for look in self._looks])
        vertices['colour'][..., :3] = np.rint(255 * colours)[:, None]
        vertices['colour'][..., 3] = np.array([look.finish for look in self._looks])[:, None]
        merged, places = np.unique(vertices.reshape(-1), return_inverse=True)
        quads = places.reshape(-1, 4)
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        area = (triangles[:, 0] != triangles[:, 1]) & (triangles[:, 1] != triangles[:, 2])
        area &= triangles[:, 2] != triangles[:, 0]
        return merged, triangles[area].astype(np.uint32)


def _ring(station: Station) -> NDArray[np.float64]:
    """Give the points (13, 3) of a cross-section, from the left sill over the roof."""
    _, wide, sill, belt, roof_wide, roof = station
    low = sill + 0.35 * (belt - sill)
    eaves = roof - min(0.07, 0.3 * (roof - belt))
    half = [
        (0.90 * wide, sill),
        (wide, low),
        (wide, belt - 0.10 * (belt - sill)),
        (0.965 * wide, belt),
        (roof_wide + 0.02, eaves),
        (0.86 * roof_wide, roof - 0.015),
        (0.0, roof),
    ]
    left = np.array([(station.x, y, z) for y, z in half])
    right = left[-2::-1] * (1, -1, 1)
    return np.concatenate([left, right])


def _smooth(corners: NDArray[np.float64], groups: NDArray[np.int_]) -> NDArray[np.float64]:
    """Give normals (n, 4, 3): the mean over faces of a group that meet without a crease."""
    diagonals = corners[:, 2:] - corners[:, :2]
    faces = np.cross(diagonals[:, 0], diagonals[:, 1])
    areas = np.linalg.norm(faces, axis=1, keepdims=True)
    units = faces / np.maximum(areas, 1e-9)
    keys = np.concatenate(
        [np.rint(corners * 1e4), np.broadcast_to(groups[:, None, None], (*corners.shape[:2], 1))],
        axis=2,
    ).reshape(-1, 4)
    _, places = np.unique(keys, axis=0, return_inverse=True)
    places = places.reshape(-1)
    normals = np.empty((len(corners), 4, 3))
    by_place: dict[int, list[int]] = {}
    for index, place in enumerate(places.tolist()):
        by_place.setdefault(place, []).append(index // 4)
    for index, place in enumerate(places.tolist()):
        face, around = index // 4, np.array(by_place[place])
        near = around[units[around] @ units[face] >= _CREASE]
        total = faces[near].sum(axis=0) if len(near) else faces[face]
        normals[face, index % 4] = total / max(float(np.linalg.norm(total)), 1e-9)
    return normals


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The mesh of a kind of vehicle at its nominal size.

    Attributes:
        vertices: Of type ``BODY_VERTEX`` (n,).
        triangles: uint32 (m, 3).
        size: Nominal length, width and height, m.
        rear_m: Nominal distance from the rear end to the rear axle.
        head_lamps: float64 (2, 3), centres, m.
        tail_lamps: float64 (2, 3), centres, m.
        blue_lamps: float64 (2, 3), left and right on the roof, m; meant where there are any.
    """

    vertices: NDArray[np.void]
    triangles: NDArray[np.uint32]
    size: tuple[float, float, float]
    rear_m: float
    head_lamps: NDArray[np.float64]
    tail_lamps: NDArray[np.float64]
    blue_lamps: NDArray[np.float64]


def finished_body(
    parts: Parts, width: float, head: Place, tail: Place, blue: Place = (0.0, 0.0, 0.0)
) -> Body:
    """Finish a body; the lamps are given on the left, and are on the right too."""
    vertices, triangles = parts.finish()
    low, high = vertices['position'].min(axis=0), vertices['position'].max(axis=0)
    sides = np.array([[1, 1, 1], [1, -1, 1]])
    return Body(
        vertices,
        triangles,
        (float(high[0] - low[0]), width, float(high[2])),
        -float(low[0]),
        np.array(head) * sides,
        np.array(tail) * sides,
        np.array(blue) * sides,
    )
