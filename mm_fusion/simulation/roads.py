# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Roads as records: where they run, their lanes, where they meet, what lies on them.

The route of the drive is one road, the *main* road. Where the drive turns off at a junction, the
main road turns, and what it leaves behind are arms of the junction: side roads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mm_fusion.simulation.course import Course

Mark: TypeAlias = Literal['solid', 'dashed', 'none']
Light: TypeAlias = Literal['green', 'yellow', 'red']

MAIN_GREEN_S = (0.0, 24.0)
"""When the main road has green, in each cycle of the traffic lights."""

SIDE_GREEN_S = (30.0, 49.0)
"""When the side roads have."""

YELLOW_S = 3.0
CYCLE_S = 55.0
"""Length of a cycle; between yellow on one road and green on the other all have red."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane beside the course of its road.

    Attributes:
        left_m: Offset of its centre line, positive to the left of the course.
        width_m: Its width.
        direction: 1 along the course, -1 against it.
    """

    left_m: float
    width_m: float
    direction: Literal[1, -1]


@dataclass(frozen=True, slots=True, eq=False)
class Road:
    """A road with constant cross-section.

    Attributes:
        course: Its reference line in the map frame.
        lanes: From right to left.
        marks: Painted lines: (offset to the left m, kind), from right to left.
        kerb: Whether kerbs and pavements border it.
        shoulder_m: Width of the paved edge outside the outermost lanes.
    """

    course: Course
    lanes: tuple[Lane, ...]
    marks: tuple[tuple[float, Mark], ...]
    kerb: bool
    shoulder_m: float

    @property
    def edges_m(self) -> tuple[float, float]:
        """Offsets of its right and its left edge."""
        right, left = self.lanes[0], self.lanes[-1]
        return (
            right.left_m - right.width_m / 2 - self.shoulder_m,
            left.left_m + left.width_m / 2 + self.shoulder_m,
        )


@dataclass(frozen=True, slots=True)
class Junction:
    """Where side roads meet the main road; it has no marks and no kerbs inside.

    Attributes:
        arc_m: Arc length of its centre on the main road.
        radius_m: Marks and kerbs end at this distance from the centre.
        side_roads: Indices of the side roads that meet here.
        signals: Whether traffic lights stand there.
        signal_offset_s: Place in the cycle of the traffic lights at which the drive begins.
    """

    arc_m: float
    radius_m: float
    side_roads: tuple[int, ...]
    signals: bool
    signal_offset_s: float = 0.0

    def main_light(self, time_s: float) -> Light:
        """Give what the lights for the main road show, a time after the start of the drive."""
        return self._light(time_s, MAIN_GREEN_S)

    def side_light(self, time_s: float) -> Light:
        """Give what the lights for the side roads show."""
        return self._light(time_s, SIDE_GREEN_S)

    def _light(self, time_s: float, green_s: tuple[float, float]) -> Light:
        phase = (time_s + self.signal_offset_s) % CYCLE_S
        if green_s[0] <= phase < green_s[1]:
            return 'green'
        return 'yellow' if green_s[1] <= phase < green_s[1] + YELLOW_S else 'red'


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceProfile:
    """What lies on the main road, and on the side roads that meet it there.

    Attributes:
        arcs_m: float64 (n,), arc lengths, evenly spaced and increasing.
        friction: float32 (n, 6), shares of the friction classes, which sum to 1.
        material: float32 (n, 5), shares of the materials.
        unevenness: float32 (n, 3), shares of the levels of unevenness.
    """

    arcs_m: NDArray[np.float64]
    friction: NDArray[np.float32]
    material: NDArray[np.float32]
    unevenness: NDArray[np.float32]

    def friction_at(self, arc_m: ArrayLike) -> NDArray[np.float64]:
        """Give the shares of the friction classes, float64 (..., 6)."""
        return self._at(self.friction, arc_m)

    def material_at(self, arc_m: ArrayLike) -> NDArray[np.float64]:
        """Give the shares of the materials, float64 (..., 5)."""
        return self._at(self.material, arc_m)

    def unevenness_at(self, arc_m: ArrayLike) -> NDArray[np.float64]:
        """Give the shares of the levels of unevenness, float64 (..., 3)."""
        return self._at(self.unevenness, arc_m)

    def _at(self, table: NDArray[np.float32], arc_m: ArrayLike) -> NDArray[np.float64]:
        arc = np.asarray(arc_m, np.float64)
        columns = [np.interp(arc, self.arcs_m, column) for column in table.T]
        return np.stack(columns, axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class RoadNetwork:
    """Everything about the roads that does not move.

    Attributes:
        main: The road that is driven, in the direction of its course.
        side_roads: Straight or curved roads that meet it; each begins at its junction's centre.
        junctions: In order of arc length.
        tunnels: (from, to) arc lengths of the main road.
        surface: What lies on them.
        urban: Whether houses stand along the main road.
    """

    main: Road
    side_roads: tuple[Road, ...]
    junctions: tuple[Junction, ...]
    tunnels: tuple[tuple[float, float], ...]
    surface: SurfaceProfile
    urban: bool

    def in_tunnel(self, arc_m: float) -> bool:
        """Tell whether a place on the main road lies in a tunnel."""
        return any(begin <= arc_m <= end for begin, end in self.tunnels)
