# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where roads run, so that nothing is put upon them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.ribbons import KERB_WIDTH_M, PAVEMENT_WIDTH_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import Road, RoadNetwork

_STEP_M = 2.0


class Occupied:
    """The roads, and whatever was put beside them, in one part of the map.

    Args:
        roads: All roads.
        middle: Of that part, (2,), map frame.
        radius_m: Of that part.
    """

    def __init__(self, roads: RoadNetwork, middle: NDArray[np.float64], radius_m: float) -> None:
        points, reaches = [], []
        for road in (roads.main, *roads.side_roads):
            course = road.course
            arcs = np.arange(course.start_m, course.end_m + _STEP_M, _STEP_M)
            track = course.pose_at(np.minimum(arcs, course.end_m))
            near = np.hypot(*(track[:, :2] - middle).T) < radius_m + 30.0
            right, left = road.edges_m
            half = (left - right) / 2 + border_m(road)
            points.append(course.beside(arcs[near], np.full(near.sum(), (left + right) / 2)))
            reaches.append(np.full(near.sum(), half))
        for junction in roads.junctions:
            centre = roads.main.course.pose_at(junction.arc_m)[None, :2]
            if np.hypot(*(centre[0] - middle)) < radius_m + 30.0:
                points.append(centre)
                reaches.append(np.array([junction.radius_m + border_m(roads.main)]))
        self._points = np.concatenate(points)
        self._reaches = np.concatenate(reaches)

    def clearance(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give how far places (n, 2) are from the edges of what is there, float64 (n,), m."""
        away = np.hypot(*(places[:, None] - self._points).transpose(2, 0, 1))
        return np.asarray((away - self._reaches).min(axis=1))

    def take(self, place: NDArray[np.float64], reach_m: float) -> None:
        """Occupy a disc around a place (2,)."""
        self._points = np.concatenate([self._points, place[None]])
        self._reaches = np.append(self._reaches, reach_m)


def border_m(road: Road) -> float:
    """Give the width of kerb and pavement on each side of a road."""
    return KERB_WIDTH_M + PAVEMENT_WIDTH_M if road.kerb else 0.0
