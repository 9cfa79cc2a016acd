# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Trees and bushes: painted pictures of them, and where they stand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from mm_fusion.simulation.rendering.mesh import TREE_VERTEX, Mesh, quad_triangles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.occupied import Occupied
    from mm_fusion.simulation.roads import RoadNetwork

PIXELS = 128
_OVERSAMPLING = 2
_LEAVES = 2600


class _Species(NamedTuple):
    """How a plant is painted; places in units of its picture, sizes in metres."""

    crown: tuple[float, float, float]
    green: tuple[float, float, float]
    trunk: float
    height_m: tuple[float, float]
    slender: float
    conifer: bool = False


SPECIES = (
    _Species((0.62, 0.46, 0.37), (0.085, 0.135, 0.032), 0.34, (9.0, 15.0), 0.62),
    _Species((0.60, 0.42, 0.39), (0.062, 0.110, 0.030), 0.30, (10.0, 17.0), 0.52),
    _Species((0.56, 0.36, 0.43), (0.115, 0.150, 0.040), 0.22, (7.0, 11.0), 0.60),
    _Species((0.52, 0.38, 0.46), (0.030, 0.066, 0.030), 0.08, (11.0, 21.0), 0.40, conifer=True),
    _Species((0.52, 0.34, 0.46), (0.040, 0.076, 0.030), 0.10, (8.0, 16.0), 0.46, conifer=True),
    _Species((0.46, 0.48, 0.44), (0.078, 0.118, 0.034), 0.0, (1.6, 3.4), 1.5),
)
"""crown: height of its middle, half width and half height; trunk: height of its lowest leaves."""

_TREES, _BUSH = 5, 5


def paint_plants(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint all species, uint8 (species, pixels, pixels, 4), the first row lowest.

    Colour is the square root of linear RGB; opacity is that of leaves.
    """
    return np.stack([_painted(species, rng) for species in SPECIES])


def _painted(species: _Species, rng: np.random.Generator) -> NDArray[np.uint8]:
    size = PIXELS * _OVERSAMPLING
    image = np.zeros((size, size, 4), np.float32)
    image[..., :3] = species.green
    if species.trunk > 0:
        _paint_trunk(image, species, rng)
    across, up, depth, lump = _leaves(species, rng)
    middle, _, half = species.crown
    # Leaves are darker inside the crown and below, lighter where they face the sky.
    light = 0.45 + 0.4 * (up - middle + half) / (2 * half) + 0.25 * depth + lump
    order = np.argsort(depth, kind='stable')
    for k in order:
        colour = np.array(species.green) * max(light[k], 0.15) * rng.uniform(0.75, 1.25)
        colour[0] *= rng.uniform(0.85, 1.25)
        centre = int((0.5 + across[k]) * size), int(up[k] * size)
        axes = int(rng.uniform(0.010, 0.022) * size), int(rng.uniform(0.006, 0.013) * size)
        tilt = float(rng.uniform(-50, 50)) + 20 * float(np.sign(across[k])) * species.conifer
        fill = (*(float(value) for value in colour), 1.0)
        cv2.ellipse(image, centre, axes, tilt, 0, 360, fill, -1)
    small = cv2.resize(image, (PIXELS, PIXELS), interpolation=cv2.INTER_AREA)
    small[..., :3] = np.sqrt(np.clip(small[..., :3], 0, 1))
    return np.asarray(np.rint(255 * np.clip(small, 0, 1)), np.uint8)


def _paint_trunk(image: NDArray[np.float32], species: _Species, rng: np.random.Generator) -> None:
    size = len(image)
    top = species.crown[0] + 0.1
    bark = (0.055, 0.042, 0.030, 1.0)
    foot, middle = (size // 2, 0), (size // 2, int(top * size))
    cv2.line(image, foot, middle, bark, max(int(0.028 * size), 1))
    if species.conifer:
        return
    for _ in range(7):
        start = (size // 2, int(rng.uniform(species.trunk * 0.9, top) * size))
        angle = float(rng.uniform(0.5, 1.2)) * (1 if rng.random() < 0.5 else -1)
        end = (
            int(start[0] + 0.3 * size * math.sin(angle)),
            int(start[1] + 0.3 * size * math.cos(angle)),
        )
        cv2.line(image, start, end, bark, max(int(0.010 * size), 1))


def _leaves(
    species: _Species, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give places of leaves: across, up and depth towards the viewer; and lightness of clumps."""
    middle, wide, half = species.crown
    if species.conifer:
        up = 1 - rng.random(_LEAVES) ** 0.6
        tiers = 0.75 + 0.25 * np.sin(up * 34.0 + rng.uniform(0, 6))
        reach = wide * (1 - up) ** 0.85 * tiers + 0.012
        across = reach * np.sin(rng.uniform(-1, 1, _LEAVES) * math.pi / 2)
        depth = np.sqrt(np.maximum(1 - (across / reach) ** 2, 0)) * rng.uniform(-0.3, 1, _LEAVES)
        height = species.trunk + (0.985 - species.trunk) * up - 0.06 * np.abs(across)
        return across, height, depth, 0.25 * (tiers - 0.9)
    count = 34
    angles, reach = rng.uniform(0, 2 * math.pi, count), np.sqrt(rng.random(count))
    lumps = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (reach * 0.74)[:, None]
    fronts = rng.uniform(-0.8, 1, count) * np.sqrt(1 - reach**2)
    which = rng.integers(count, size=_LEAVES)
    spread = rng.normal(0, 0.13, (_LEAVES, 2))
    places = lumps[which] + spread
    across = np.clip(places[:, 0] * wide, -0.48, 0.48)
    height = np.clip(middle + places[:, 1] * half, max(species.trunk - 0.05, 0.01), 0.985)
    depth = fronts[which] + spread[:, 1]
    return across, height, depth, 1.3 * spread[:, 1]


class Plants:
    """Puts trees and bushes beside the main road.

    Args:
        mesh: Of tree vertices.
        roads: All roads.
        occupied: Where nothing may stand.
        origin: Of the section, (2,), map frame.
        rng: Draws them.
    """

    def __init__(
        self,
        mesh: Mesh,
        roads: RoadNetwork,
        occupied: Occupied,
        origin: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> None:
        self._mesh, self._roads, self._occupied = mesh, roads, occupied
        self._origin, self._rng = origin, rng

    def avenue(self, begin_m: float, end_m: float) -> None:
        """Plant street trees at the outer edge of the pavements of a town."""
        for side in (0, 1):
            edge = self._roads.main.edges_m[side] + (1.95 if side else -1.95)
            arc = begin_m + float(self._rng.uniform(2.0, 12.0))
            while arc < end_m:
                if self._rng.random() < 0.55:
                    place = self._roads.main.course.beside(arc, edge)
                    if not self._in_junction(arc):
                        self._plant(place, arc, int(self._rng.integers(3)), 0.55)
                arc += float(self._rng.uniform(9.0, 16.0))

    def scatter(self, begin_m: float, end_m: float, near_m: float, count: int) -> None:
        """Plant groves, bushes and single trees on the land up to 100 m from the road."""
        course = self._roads.main.course
        groves = max(count // 7, 1)
        arcs = self._rng.uniform(begin_m, end_m, groves)
        lefts = self._rng.choice([-1.0, 1.0], groves) * (
            near_m + 85.0 * self._rng.random(groves) ** 1.4
        )
        for arc, left in zip(arcs, lefts, strict=True):
            species = int(self._rng.integers(_TREES))
            for _ in range(int(self._rng.integers(2, 13))):
                along = float(np.clip(arc + self._rng.normal(0, 7.0), begin_m, end_m))
                aside = left + float(self._rng.normal(0, 5.0))
                place = course.beside(along, aside)
                low = self._rng.random() < 0.3
                self._try(place, along, _BUSH if low else species, 1.2 if low else 2.6)

    def hedge(self, begin_m: float, end_m: float, near_m: float) -> None:
        """Plant bushes in rows beside the road."""
        arc = begin_m
        while arc < end_m:
            length = float(self._rng.uniform(8.0, 40.0))
            if self._rng.random() < 0.4:
                left = float(self._rng.choice([-1.0, 1.0])) * (near_m + self._rng.uniform(0, 3))
                for along in np.arange(arc, min(arc + length, end_m), 1.9):
                    place = self._roads.main.course.beside(along, left + self._rng.normal(0, 0.3))
                    self._try(place, float(along), _BUSH, 0.8)
            arc += length

    def _in_junction(self, arc: float) -> bool:
        around = any(abs(arc - j.arc_m) < j.radius_m + 6.0 for j in self._roads.junctions)
        return around or self._roads.in_tunnel(arc)

    def _try(self, place: NDArray[np.float64], arc: float, species: int, margin: float) -> None:
        left = np.hypot(*(place - self._roads.main.course.pose_at(arc)[:2]))
        if self._roads.in_tunnel(arc) and left < 45.0:
            return
        if self._occupied.clearance(place[None])[0] > margin:
            self._plant(place, arc, species, 1.0)

    def _plant(self, place: NDArray[np.float64], arc: float, species: int, size: float) -> None:
        kind = SPECIES[species]
        height = size * float(self._rng.uniform(*kind.height_m))
        half = height * kind.slender * float(self._rng.uniform(0.9, 1.1)) / 2
        # The picture is wider than the crown that is painted on it.
        half /= 2 * kind.crown[1]
        mirrored = float(self._rng.choice([-1.0, 1.0]))
        vertices = np.zeros(4, TREE_VERTEX)
        vertices['position'][:, :2] = place - self._origin
        vertices['corner'] = [[-1, 0], [1, 0], [1, 1], [-1, 1]]
        vertices['size'] = half, height
        vertices['traits'][:, 0] = 2 * species + (mirrored > 0)
        vertices['traits'][:, 1] = int(self._rng.integers(170, 256))
        vertices['traits'][:, 2] = 255
        vertices['lights'][:, 0] = 255
        self._mesh.add(vertices, quad_triangles(1), arc)
