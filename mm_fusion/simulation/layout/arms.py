# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Side roads that meet the main road at its junctions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.course import Course
from mm_fusion.simulation.roads import CYCLE_S, Junction, Road

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.simulation.layout.alignment import Meeting
    from mm_fusion.simulation.layout.kinds import CrossSection

_LONGEST_M = 170.0
_SHORTEST_M = 45.0
_STRAIGHT_M = 36.0
_CLEARANCE_M = 26.0
_SAMPLE_M = 5.0


class SideRoads:
    """Places side roads where nothing else runs.

    Args:
        main: Course of the main road.
        section: Cross-section of the side roads.
        both_share: Share of the junctions without a turn that have arms on both sides.
        signal_share: Share of the crossings that have traffic lights.
        rng: Draws what is random.
    """

    def __init__(
        self,
        main: Course,
        section: CrossSection,
        both_share: float,
        signal_share: float,
        rng: np.random.Generator,
    ) -> None:
        self._main, self._section = main, section
        self._both_share, self._signal_share, self._rng = both_share, signal_share, rng
        self._taken = main.pose_at(np.arange(main.start_m, main.end_m, _SAMPLE_M))[:, :2]
        self.roads: list[Road] = []
        self.junctions: list[Junction] = []

    def meet(self, meeting: Meeting) -> None:
        """Add the junction at a meeting, unless there is no room for any arm."""
        place, bearings = self._arms(meeting)
        courses = [course for course in (self._course(place, b) for b in bearings) if course]
        if not courses:
            return
        first = len(self.roads)
        section = self._section
        self.roads += [
            Road(course, section.lanes, section.marks, section.kerb, section.shoulder_m)
            for course in courses
        ]
        for course in courses:
            points = course.pose_at(np.arange(0.0, course.end_m, _SAMPLE_M))[:, :2]
            self._taken = np.concatenate([self._taken, points])
        radius = 11.0 if meeting.turn_rad == 0.0 else meeting.length_m / 2 + 3.0
        self.junctions.append(
            Junction(
                arc_m=meeting.arc_m,
                radius_m=radius,
                side_roads=tuple(range(first, len(self.roads))),
                signals=len(courses) == 2 and self._rng.random() < self._signal_share,
                signal_offset_s=float(self._rng.uniform(0.0, CYCLE_S)),
            )
        )

    def _arms(self, meeting: Meeting) -> tuple[NDArray[np.float64], list[float]]:
        """Where the arms meet, and their directions away from there."""
        if meeting.turn_rad == 0.0:
            x, y, heading = self._main.pose_at(meeting.arc_m)
            across = heading + math.pi / 2 + float(self._rng.uniform(-0.15, 0.15))
            bearings = [across, across + math.pi]
            if self._rng.random() >= self._both_share:
                bearings = [bearings[int(self._rng.integers(2))]]
            return np.array([x, y]), bearings
        half = meeting.length_m / 2
        begin = self._main.pose_at(meeting.arc_m - half)
        end = self._main.pose_at(meeting.arc_m + half)
        reach = math.dist(begin[:2], end[:2]) / 2 / math.cos(meeting.turn_rad / 2)
        place = begin[:2] + reach * np.array([math.cos(begin[2]), math.sin(begin[2])])
        return place, [float(begin[2]), float(end[2]) + math.pi]

    def _course(self, place: NDArray[np.float64], bearing: float) -> Course | None:
        """Draw an arm and end it where it would come near to another road."""
        bend = float(self._rng.uniform(-1.0, 1.0)) / 220.0
        knots = [(0.0, 0.0), (_STRAIGHT_M, 0.0), (_STRAIGHT_M + 30.0, bend), (_LONGEST_M, bend)]
        longest = self._made(knots, _LONGEST_M, bearing, place)
        arcs = np.arange(0.0, _LONGEST_M, _SAMPLE_M)
        points = longest.pose_at(arcs)[:, :2]
        taken = self._taken[np.linalg.norm(self._taken - place, axis=1) < 1.5 * _LONGEST_M]
        away = np.linalg.norm(points[:, None] - taken[None], axis=2).min(axis=1)
        blocked = arcs[(away < _CLEARANCE_M) & (arcs > _CLEARANCE_M + _SAMPLE_M)]
        length = float(blocked[0]) - _SAMPLE_M if len(blocked) else _LONGEST_M
        return self._made(knots, length, bearing, place) if length >= _SHORTEST_M else None

    def _made(
        self,
        knots: Sequence[tuple[float, float]],
        length: float,
        bearing: float,
        place: NDArray[np.float64],
    ) -> Course:
        return Course(knots, 0.0, length, bearing, (float(place[0]), float(place[1])))
