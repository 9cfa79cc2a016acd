# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Triangles on their way to the graphics memory: two kinds of vertices, and lists of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.samples import PIXEL_CLASSES

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CLASS = {name: index for index, name in enumerate(PIXEL_CLASSES)}

GROUND_VERTEX = np.dtype(
    [
        ('position', 'f4', 3),
        ('along', 'f4', 4),
        ('mark', 'f4', 2),
        ('normal', 'i1', 4),
        ('traits', 'u1', 4),
        ('lights', 'u1', 4),
    ]
)
"""What lies on the ground.

position: m, from the origin of its section. along: arc and left of the main road, station and
offset of its own road (m). mark: offset (or station) and half width of the nearest painted line.
traits: pixel class, kind of mark, layer. lights: share of the sky, light of street lamps, light
of tunnel lamps.
"""

SOLID_VERTEX = np.dtype(
    [
        ('position', 'f4', 3),
        ('spot', 'f4', 2),
        ('normal', 'i1', 4),
        ('colour', 'u1', 4),
        ('traits', 'u1', 4),
        ('lights', 'u1', 4),
    ]
)
"""What stands on it.

spot: place on the surface, m. colour: square root of linear RGB, random number. traits: pixel
class, material, share of snow. lights: as of the ground.
"""


@dataclass(slots=True)
class Mesh:
    """A growing list of triangles of one vertex type.

    Attributes:
        dtype: Of its vertices.
    """

    dtype: np.dtype[np.void]
    _vertices: list[NDArray[np.void]] = field(default_factory=list)
    _indices: list[NDArray[np.uint32]] = field(default_factory=list)
    _keys: list[NDArray[np.float32]] = field(default_factory=list)
    _count: int = 0

    def add(self, vertices: NDArray[np.void], triangles: ArrayLike, arc_m: ArrayLike) -> None:
        """Append vertices (n,) and triangles (m, 3) that index them.

        Args:
            vertices: Of the mesh's type.
            triangles: Counter-clockwise seen from their front.
            arc_m: Where on the main road they lie, one or (m,).
        """
        faces = np.asarray(triangles, np.uint32).reshape(-1, 3)
        self._vertices.append(vertices)
        self._indices.append(faces + np.uint32(self._count))
        self._keys.append(np.broadcast_to(np.asarray(arc_m, np.float32), len(faces)))
        self._count += len(vertices)

    def finish(self) -> tuple[NDArray[np.void], NDArray[np.uint32], NDArray[np.float32]]:
        """Give all vertices (n,), triangles (m, 3) by arc length, and their arc lengths (m,)."""
        if not self._vertices:
            return np.zeros(0, self.dtype), np.zeros((0, 3), np.uint32), np.zeros(0, np.float32)
        keys = np.concatenate(self._keys)
        order = np.argsort(keys, kind='stable')
        return np.concatenate(self._vertices), np.concatenate(self._indices)[order], keys[order]


def strip_triangles(rows: int) -> NDArray[np.uint32]:
    """Give the triangles of a strip whose rows each have a right and a left vertex."""
    base = 2 * np.arange(rows - 1, dtype=np.uint32)[:, None]
    return np.asarray((base + np.array([0, 2, 3, 0, 3, 1], np.uint32)).reshape(-1, 3), np.uint32)


def quad_triangles(count: int) -> NDArray[np.uint32]:
    """Give the triangles of quads of four vertices each, counter-clockwise."""
    base = 4 * np.arange(count, dtype=np.uint32)[:, None]
    return np.asarray((base + np.array([0, 1, 2, 0, 2, 3], np.uint32)).reshape(-1, 3), np.uint32)


def solid_quads(
    corners: ArrayLike,
    colour: ArrayLike,
    traits: tuple[int, int, int],
    spots: ArrayLike | None = None,
    salt: float = 0.0,
) -> NDArray[np.void]:
    """Make the vertices (4 n,) of flat quads.

    Args:
        corners: (n, 4, 3), m, counter-clockwise seen from outside.
        colour: Linear RGB (3,) or (n, 3).
        traits: Pixel class, material, snow of 0..255.
        spots: (n, 4, 2), m; their extent along the first and the last edge where None.
        salt: Random number in [0, 1) that the shader varies them by.
    """
    points = np.asarray(corners, np.float64)
    across, up = points[:, 1] - points[:, 0], points[:, 3] - points[:, 0]
    normals = np.cross(across, up)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    vertices = np.zeros((len(points), 4), SOLID_VERTEX)
    vertices['position'] = points
    if spots is None:
        width, height = np.linalg.norm(across, axis=1), np.linalg.norm(up, axis=1)
        unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
        spots = unit * np.stack([width, height], axis=1)[:, None]
    vertices['spot'] = spots
    vertices['normal'][..., :3] = np.rint(127 * normals)[:, None]
    tint = np.sqrt(np.broadcast_to(np.asarray(colour, np.float64), (len(points), 3)))
    vertices['colour'][..., :3] = np.rint(255 * np.clip(tint, 0, 1))[:, None]
    vertices['colour'][..., 3] = int(255 * salt)
    vertices['traits'][..., :3] = traits
    vertices['lights'][..., 0] = 255
    return vertices.reshape(-1)
