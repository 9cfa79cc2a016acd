# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Roads, kerbs, pavements and junctions as strips along a line."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.simulation.rendering.mesh import CLASS, GROUND_VERTEX, Mesh, strip_triangles

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mm_fusion.simulation.course import Course
    from mm_fusion.simulation.roads import Junction, Lane, Road

KERB_HEIGHT_M = 0.11
KERB_WIDTH_M = 0.16
PAVEMENT_WIDTH_M = 2.4
LAYERS = {'terrain': 0, 'patch': 1, 'side': 2, 'main': 3, 'line': 4}
MARKS = {'none': 0, 'solid': 1, 'dashed': 2, 'across': 3}

_STOP_LINE_M = 0.5
_STOP_PATCH_M = 4.0


class Strip(NamedTuple):
    """A strip between two offsets to the left of a line, with the heights of its two edges."""

    right_m: float
    left_m: float
    right_up_m: float
    left_up_m: float
    kind: str
    mark: tuple[float, float, int] = (0.0, 0.0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line that strips run along.

    Attributes:
        points: float64 (n, 2), map frame.
        lefts: float64 (n, 2), unit vectors to its left.
        stations: float64 (n,), m along it.
    """

    points: NDArray[np.float64]
    lefts: NDArray[np.float64]
    stations: NDArray[np.float64]

    @classmethod
    def of_course(cls, course: Course, begin_m: float, end_m: float) -> Line:
        """Sample a course finely where it is bent."""
        stations = [begin_m]
        while stations[-1] < end_m:
            bend = abs(float(course.curvature_at(min(stations[-1] + 2.0, end_m))))
            stations.append(stations[-1] + min(max(math.sqrt(0.08 / max(bend, 1e-6)), 0.8), 5.0))
        arcs = np.array([*stations[:-1], end_m], np.float64)
        poses = course.pose_at(arcs)
        lefts = np.stack([-np.sin(poses[:, 2]), np.cos(poses[:, 2])], axis=1)
        return cls(poses[:, :2], lefts, arcs)

    @classmethod
    def through(cls, points: NDArray[np.float64]) -> Line:
        """Join points (n, 2)."""
        ahead = np.gradient(points, axis=0)
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        lefts = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
        return cls(points, lefts, np.concatenate([[0.0], np.cumsum(steps)]))


class Locator:
    """Gives arc and left of the main road for places around it.

    Args:
        course: Of the main road.
        begin_m: Arc length from which places are looked for.
        end_m: Arc length up to which.
    """

    def __init__(self, course: Course, begin_m: float, end_m: float) -> None:
        begin = max(begin_m, course.start_m)
        end = min(end_m, course.end_m)
        self._arcs = np.linspace(begin, end, max(int(end - begin), 2))
        self._poses = course.pose_at(self._arcs)

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give (arc, left) float64 (n, 2) of points (n, 2) by the nearest place of the course."""
        away = points[:, None] - self._poses[None, :, :2]
        nearest = (away**2).sum(axis=2).argmin(axis=1)
        x, y = away[np.arange(len(points)), nearest].T
        heading = self._poses[nearest, 2]
        along = np.cos(heading) * x + np.sin(heading) * y
        left = np.cos(heading) * y - np.sin(heading) * x
        return np.stack([self._arcs[nearest] + along, left], axis=1)


def add_strip(
    mesh: Mesh,
    line: Line,
    strip: Strip,
    places: NDArray[np.float64] | None,
    layer: str,
    origin: NDArray[np.float64],
    road_arc_m: float | None = None,
) -> None:
    """Append one strip.

    Args:
        mesh: Of ground vertices.
        line: Along which it runs.
        strip: Its cross-section.
        places: float64 (n, 2, 2), arc and left of its two edges; None: stations and offsets.
        layer: Of ``LAYERS``; a higher one covers a lower one.
        origin: Of the section, (2,).
        road_arc_m: Arc of all of it where it belongs to a side road.
    """
    count = len(line.points)
    offsets = np.array([strip.right_m, strip.left_m])
    heights = np.array([strip.right_up_m, strip.left_up_m])
    vertices = np.zeros((count, 2), GROUND_VERTEX)
    flat = line.points[:, None] + offsets[:, None] * line.lefts[:, None]
    vertices['position'][..., :2] = flat - origin
    vertices['position'][..., 2] = heights
    own = np.stack(np.broadcast_arrays(line.stations[:, None], offsets), axis=-1)
    vertices['along'][..., :2] = own if places is None else places
    vertices['along'][..., 2:] = own
    if road_arc_m is not None:
        vertices['along'][..., 0] = road_arc_m
    vertices['mark'] = strip.mark[:2]
    vertices['normal'][..., :3] = _strip_normals(strip, line.lefts)
    vertices['traits'][..., :3] = CLASS[strip.kind], strip.mark[2], LAYERS[layer]
    vertices['lights'][..., 0] = 255
    keys = vertices['along'][:-1, 0, 0]
    mesh.add(vertices.reshape(-1), strip_triangles(count), np.repeat(keys, 2))


def _strip_normals(strip: Strip, lefts: NDArray[np.float64]) -> NDArray[np.int8]:
    """Give the normals int8 (n, 1, 3) of a strip: upwards, or to the side where it is a face."""
    rise, width = strip.left_up_m - strip.right_up_m, strip.left_m - strip.right_m
    slope = math.atan2(rise, width)
    normals = np.empty((len(lefts), 1, 3))
    normals[:, 0, :2] = -math.sin(slope) * lefts
    normals[:, 0, 2] = math.cos(slope)
    return np.asarray(np.rint(127 * normals), np.int8)


def kerb_strips(edge_m: float, side: int) -> list[Strip]:
    """Give kerb face, kerb and pavement outside an edge; side is 1 on the left, -1 on the right.

    The strips run from right to left, as all do.
    """
    up, kerb = KERB_HEIGHT_M, edge_m + side * KERB_WIDTH_M
    outer = kerb + side * PAVEMENT_WIDTH_M
    face = edge_m + side * 0.015
    strips = [
        (edge_m, face, 0.0, up, 'kerb'),
        (face, kerb, up, up, 'kerb'),
        (kerb, outer, up, up, 'pavement'),
    ]
    return [
        Strip(a, b, p, q, kind) if side > 0 else Strip(b, a, q, p, kind)
        for a, b, p, q, kind in strips
    ]


def carriageway(road: Road, half_mark_m: float, marked: bool) -> list[Strip]:
    """Give the carriageway as strips, each with the painted line that is nearest to it."""
    right, left = road.edges_m
    marks = [mark for mark in road.marks if mark[1] != 'none'] if marked else []
    if not marks:
        return [Strip(right, left, 0.0, 0.0, 'road')]
    bounds = [(a[0] + b[0]) / 2 for a, b in itertools.pairwise(marks)]
    edges = [right, *bounds, left]
    return [
        Strip(a, b, 0.0, 0.0, 'road', (mark[0], half_mark_m, MARKS[mark[1]]))
        for a, b, mark in zip(edges[:-1], edges[1:], marks, strict=True)
    ]


def add_side_road(
    mesh: Mesh, road: Road, junction: Junction, half_mark_m: float, origin: NDArray[np.float64]
) -> None:
    """Append a side road from the edge of its junction on, with its stop line."""
    if road.course.end_m <= junction.radius_m + 1.0:
        return
    line = Line.of_course(road.course, junction.radius_m, road.course.end_m)
    strips = carriageway(road, half_mark_m, marked=True)
    if road.kerb:
        right, left = road.edges_m
        strips += kerb_strips(right, -1) + kerb_strips(left, 1)
    for strip in strips:
        add_strip(mesh, line, strip, None, 'side', origin, junction.arc_m)
    for lane in road.lanes:
        if lane.direction < 0:
            add_stop_line(mesh, road.course, lane, junction.radius_m + 0.6, origin, junction.arc_m)


def add_stop_line(
    mesh: Mesh,
    course: Course,
    lane: Lane,
    station_m: float,
    origin: NDArray[np.float64],
    road_arc_m: float | None = None,
) -> None:
    """Append a stop line across a lane."""
    begin, end = station_m - _STOP_PATCH_M / 2, station_m + _STOP_PATCH_M / 2
    begin, end = max(begin, course.start_m), min(end, course.end_m)
    if end - begin < 1.0:
        return
    half = lane.width_m / 2 - 0.12
    mark = (station_m, _STOP_LINE_M / 2, MARKS['across'])
    strip = Strip(lane.left_m - half, lane.left_m + half, 0.0, 0.0, 'road', mark)
    add_strip(mesh, Line.of_course(course, begin, end), strip, None, 'line', origin, road_arc_m)


def spans_outside(begin_m: float, end_m: float, holes: ArrayLike) -> list[tuple[float, float]]:
    """Give what (from, to) spans (n, 2), in order, leave of a span."""
    left, spans = begin_m, []
    for hole_begin, hole_end in np.asarray(holes, np.float64).reshape(-1, 2):
        if hole_begin > left:
            spans.append((left, min(float(hole_begin), end_m)))
        left = max(left, float(hole_end))
        if left >= end_m:
            break
    if left < end_m:
        spans.append((left, end_m))
    return [(a, b) for a, b in spans if b - a > 0.05]
