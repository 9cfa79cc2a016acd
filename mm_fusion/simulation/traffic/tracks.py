# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The lines that vehicles follow, as tables that many vehicles look up at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.course import Course
    from mm_fusion.simulation.roads import RoadNetwork

_STEP_M = 0.25
MAIN = 0
"""Track of the main road."""


@dataclass(frozen=True, slots=True)
class SideTrack:
    """A way towards a junction, and across it where a side road lies opposite.

    Attributes:
        track: Its track; arc length 0 lies where the side roads meet.
        junction: Index of the junction.
        ends_m: First and last arc length; the first is 0 where nothing lies opposite.
        lane_m: Distance of the lane's centre from the middle.
    """

    track: int
    junction: int
    ends_m: tuple[float, float]
    lane_m: float

    @property
    def through(self) -> bool:
        """Whether it crosses the main road."""
        return self.ends_m[0] < 0.0


class Tracks:
    """Poses and curvatures of the main road and of all side tracks.

    Attributes:
        sides: In order of their junctions.
    """

    def __init__(self, roads: RoadNetwork) -> None:
        self.sides: list[SideTrack] = []
        self._tables = [_table(roads.main.course)]
        self._begins = [roads.main.course.start_m]
        for index, junction in enumerate(roads.junctions):
            arms = [roads.side_roads[side] for side in junction.side_roads]
            courses = [arm.course for arm in arms]
            lane = abs(arms[0].lanes[0].left_m)
            opposite = len(arms) == 2 and (
                np.cos(courses[0].heading_rad - courses[1].heading_rad) < -0.999
            )
            if opposite:
                self._add(courses[1], courses[0], index, lane)
            else:
                for course in courses:
                    self._add(None, course, index, lane)
        sizes = [len(table) for table in self._tables]
        self._first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._last = self._first + np.array(sizes) - 2
        self._begin = np.array(self._begins)
        self._table = np.concatenate(self._tables)

    def _add(self, before: Course | None, after: Course, junction: int, lane: float) -> None:
        tables = [_table(after)]
        if before is not None:
            reverse = _table(before)[:0:-1].copy()
            reverse[:, 2] = after.heading_rad + (reverse[:, 2] - before.heading_rad)
            reverse[:, 3] *= -1
            tables.insert(0, reverse)
        begin = 0.0 if before is None else -_STEP_M * len(tables[0])
        self._tables.append(np.concatenate(tables))
        self._begins.append(begin)
        ends = (begin, after.end_m)
        self.sides.append(SideTrack(len(self._tables) - 1, junction, ends, lane))

    def at(
        self, track: NDArray[np.int64], arc: NDArray[np.float64], direction: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give x, y, heading and curvature, float64 (n, 4), as driven in a direction (±1)."""
        place = np.maximum((arc - self._begin[track]) / _STEP_M, 0.0)
        index = np.minimum(self._first[track] + place.astype(np.int64), self._last[track])
        part = np.minimum(place - (index - self._first[track]), 1.0)[:, None]
        pose = (1 - part) * self._table[index] + part * self._table[index + 1]
        pose[:, 2] += np.where(direction < 0, np.pi, 0.0)
        pose[:, 3] *= direction
        return np.asarray(pose)


def _table(course: Course) -> NDArray[np.float64]:
    arcs = np.arange(course.start_m, course.end_m + _STEP_M, _STEP_M)
    return np.concatenate([course.pose_at(arcs), course.curvature_at(arcs)[:, None]], axis=1)
