# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the main road runs: straights and clothoids, drawn segment by segment.

Headings stay within 86 degrees of the first one, so a road always gains way in that direction and
can never meet itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mm_fusion.simulation.layout.kinds import LAYOUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from mm_fusion.simulation.layout.kinds import Layout

_HEADING_MAX = 1.5
_QUIET_M = 45.0
_BESIDE_M = 35.0
_CLOTHOID_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Meeting:
    """A place where side roads may meet the main road.

    Attributes:
        arc_m: Arc length of its centre.
        turn_rad: Angle that the main road turns there, positive to the left; 0: straight on.
        length_m: Length of the turn.
    """

    arc_m: float
    turn_rad: float
    length_m: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """Course of the main road, and where others can meet it.

    Attributes:
        knots: (arc length m, curvature 1/m); linear between.
        start_m: Arc length at which it begins.
        end_m: Arc length at which it ends.
        meetings: In order of arc length.
    """

    knots: tuple[tuple[float, float], ...]
    start_m: float
    end_m: float
    meetings: tuple[Meeting, ...]


class _Pen:
    """Draws segments one after the other."""

    def __init__(self, start_m: float) -> None:
        self.start, self.arc, self.heading = start_m, start_m, 0.0
        self.knots = [(start_m, 0.0)]
        self.meetings: list[Meeting] = []

    def straight(self, length: float) -> None:
        self.arc += length
        self.knots.append((self.arc, 0.0))

    def bend(self, angle: float, radius: float) -> float:
        """Draw clothoid, arc, clothoid, and give their length."""
        curvature = (1.0 if angle > 0 else -1.0) / radius
        clothoid = _CLOTHOID_SHARE * abs(angle) * radius
        circle = (1 - _CLOTHOID_SHARE) * abs(angle) * radius
        for length, value in ((clothoid, curvature), (circle, curvature), (clothoid, 0.0)):
            self.arc += length
            self.knots.append((self.arc, value))
        self.heading += angle
        return 2 * clothoid + circle

    def past_start(self, length: float) -> None:
        """Keep what follows, of that length, away from where the drive begins."""
        if self.arc - _QUIET_M < 0.0 < self.arc + length + _QUIET_M:
            self.straight(_QUIET_M - self.arc)

    def meet(self, angle: float, radius: float) -> None:
        """Draw a junction, with a turn of the main road unless the angle is 0."""
        if angle == 0.0:
            self.past_start(0.0)
            self.meetings.append(Meeting(self.arc, 0.0, 0.0))
            return
        self.past_start((1 + _CLOTHOID_SHARE) * abs(angle) * radius)
        length = self.bend(angle, radius)
        self.meetings.append(Meeting(self.arc - length / 2, angle, length))


def draw_alignment(
    kind: Literal['town', 'rural', 'motorway'],
    start_m: float,
    end_m: float,
    crossings: bool,
    rng: np.random.Generator,
) -> Alignment:
    """Draw the main road of a kind from one arc length to another.

    Args:
        kind: Kind of road.
        start_m: Arc length at which it begins, negative; the drive begins at 0.
        end_m: Arc length that it reaches at least.
        crossings: Whether roads that cross it have to be frequent.
        rng: Draws it.
    """
    layout = LAYOUTS[kind]
    pen = _Pen(start_m)
    segment: Callable[[_Pen, Layout, np.random.Generator], None] = (
        _block if kind == 'town' else _sweep
    )
    spacing = layout.crossing_spacing_m if crossings else layout.junction_spacing_m
    beside = _QUIET_M / 2 if crossings else _BESIDE_M
    last = start_m
    while pen.arc < end_m:
        segment(pen, layout, rng)
        if spacing and pen.arc - last > rng.uniform(*spacing):
            angle = 0.0 if crossings else _turn(pen.heading, layout, rng)
            pen.straight(beside)
            pen.meet(angle, float(rng.uniform(*layout.turn_radius_m)))
            pen.straight(beside)
            last = pen.arc
    return Alignment(tuple(pen.knots), start_m, pen.arc, tuple(pen.meetings))


def _turn(heading: float, layout: Layout, rng: np.random.Generator) -> float:
    """Angle by which the main road turns at a junction; 0 where it goes straight on."""
    if rng.random() >= layout.turn_share:
        return 0.0
    side = rng.choice([-1.0, 1.0]) if abs(heading) < 0.5 else -1.0 if heading > 0 else 1.0
    return float(side * min(rng.uniform(1.3, 1.5), _HEADING_MAX - side * heading))


def _block(pen: _Pen, layout: Layout, rng: np.random.Generator) -> None:
    """Draw a town street up to the next junction: straight, or with a slight bend."""
    pen.straight(float(rng.uniform(*layout.straight_m)))
    if rng.random() < layout.bend_share:
        _bend_within(pen, layout, rng)
        pen.straight(float(rng.uniform(*layout.straight_m)))


def _sweep(pen: _Pen, layout: Layout, rng: np.random.Generator) -> None:
    """Draw one bend of a country road or a motorway and a straight after it."""
    _bend_within(pen, layout, rng)
    pen.straight(float(rng.uniform(*layout.straight_m)))


def _bend_within(pen: _Pen, layout: Layout, rng: np.random.Generator) -> None:
    angle = float(rng.uniform(*layout.bend_rad))
    radius = float(rng.uniform(*layout.bend_radius_m))
    limit = layout.heading_max_rad if abs(pen.heading) < layout.heading_max_rad else _HEADING_MAX
    side = float(rng.choice([-1.0, 1.0]))
    if abs(pen.heading + side * angle) > limit:
        side = -1.0 if pen.heading > 0 else 1.0
    pen.bend(side * angle, radius)
