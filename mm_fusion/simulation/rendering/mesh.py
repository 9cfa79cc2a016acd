# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Triangles on their way to the graphics memory: two kinds of vertices, and lists of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

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

TREE_VERTEX = np.dtype(
    [
        ('position', 'f4', 3),
        ('corner', 'f4', 2),
        ('size', 'f4', 2),
        ('traits', 'u1', 4),
        ('lights', 'u1', 4),
    ]
)
"""A corner of a picture of a plant that always faces the camera.

position: of its foot, m. corner: -1 to 1 across, 0 to 1 up. size: half width and height, m.
traits: twice the layer of its picture, plus 1 where that is not mirrored; brightness; share of
snow.
"""


class Material(enum.IntEnum):
    """What solid things are made of, as the shader knows it."""

    PLAIN = 0
    FACADE = 1
    TILES = 2
    STREET_LAMP = 3
    TUNNEL_LAMP = 4
    CONCRETE = 5
    METAL = 6
    REFLECTOR = 7


class Triangles(NamedTuple):
    """Vertices (n,), triangles uint32 (m, 3) that index them, their arc lengths float32 (m,)."""

    vertices: NDArray[np.void]
    corners: NDArray[np.uint32]
    arcs: NDArray[np.float32]


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

    def finish(self) -> Triangles:
        """Give all of it, in order of arc length."""
        if not self._vertices:
            nothing = np.zeros((0, 3), np.uint32)
            return Triangles(np.zeros(0, self.dtype), nothing, np.zeros(0, np.float32))
        arcs = np.concatenate(self._keys)
        order = np.argsort(arcs, kind='stable')
        return Triangles(
            np.concatenate(self._vertices), np.concatenate(self._indices)[order], arcs[order]
        )


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


_BOX = np.array(
    [
        [[1, -1, 0], [1, 1, 0], [1, 1, 1], [1, -1, 1]],
        [[-1, 1, 0], [-1, -1, 0], [-1, -1, 1], [-1, 1, 1]],
        [[1, 1, 0], [-1, 1, 0], [-1, 1, 1], [1, 1, 1]],
        [[-1, -1, 0], [1, -1, 0], [1, -1, 1], [-1, -1, 1]],
        [[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]],
    ],
    np.float64,
)


def solid_box(
    foot: ArrayLike,
    along: ArrayLike,
    size: tuple[float, float, float],
    colour: ArrayLike,
    traits: tuple[int, int, int],
) -> NDArray[np.void]:
    """Make the vertices (20,) of a box without underside.

    Args:
        foot: (3,), middle of its underside, m.
        along: (2,), unit vector of its length in the plane.
        size: Length, width and height, m.
        colour: Linear RGB (3,).
        traits: As for :func:`solid_quads`.
    """
    ahead = np.asarray(along, np.float64)
    local = _BOX * (size[0] / 2, size[1] / 2, size[2])
    corners = np.empty_like(local)
    corners[..., :2] = local[..., :1] * ahead + local[..., 1:2] * (-ahead[1], ahead[0])
    corners[..., 2] = local[..., 2]
    return solid_quads(corners + np.asarray(foot, np.float64), colour, traits)


def solid_strip(
    rows: NDArray[np.float64],
    colour: ArrayLike,
    traits: tuple[int, int, int],
) -> tuple[NDArray[np.void], NDArray[np.uint32]]:
    """Make vertices and triangles of a sheet through rows of points.

    Args:
        rows: (n, k, 3), n rows along the sheet and k points across it; its front is on the left
            of a walk along the rows where the points go upwards.
        colour: Linear RGB (3,).
        traits: As for :func:`solid_quads`.
    """
    count, across = rows.shape[:2]
    corners = np.stack([rows[:-1, :-1], rows[:-1, 1:], rows[1:, 1:], rows[1:, :-1]], axis=2)
    quads = solid_quads(corners.reshape(-1, 4, 3), colour, traits)
    run = np.arange(count, dtype=np.float64)
    run[1:] = np.cumsum(np.linalg.norm(np.diff(rows[:, 0], axis=0), axis=1))
    run[0] = 0.0
    rise = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(rows[0], axis=0), axis=1))])
    spots = np.stack(np.broadcast_arrays(run[:, None], rise[None]), axis=-1)
    faces = np.stack([spots[:-1, :-1], spots[:-1, 1:], spots[1:, 1:], spots[1:, :-1]], axis=2)
    quads['spot'] = faces.reshape(-1, 2)
    return quads, quad_triangles((count - 1) * (across - 1))
