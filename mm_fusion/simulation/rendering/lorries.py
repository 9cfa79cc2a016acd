# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Heavy vehicles: lorry, bus, fire engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.simulation.rendering.bodies import (
    BLUE_LAMP,
    CANVAS,
    GLASS,
    HEADLAMP,
    PAINT,
    PLASTIC,
    PLATE,
    RED,
    SHADE,
    SILVER,
    TAIL_LAMP,
    WHITE,
    YELLOW,
    Look,
    Parts,
    Station,
    finished_body,
)

if TYPE_CHECKING:
    from mm_fusion.simulation.rendering.bodies import Body


def _cab(parts: Parts, x: float, paint: Look, roof: float) -> None:
    """Add the cab of a lorry that begins at x."""
    stations = [
        Station(x, 1.20, 0.45, 1.55, 1.14, roof),
        Station(x + 0.35, 1.22, 0.42, 1.55, 1.16, roof + 0.03),
        Station(x + 1.45, 1.22, 0.42, 1.52, 1.14, roof - 0.02),
        Station(x + 1.85, 1.20, 0.42, 1.40, 1.10, 1.52),
        Station(x + 1.98, 1.14, 0.46, 1.20, 1.05, 1.28),
    ]

    def look_of(span: int, segment: int) -> Look:
        if segment == 0:
            return PLASTIC
        if span == 2 and segment in (4, 5):
            return GLASS
        if span in (1, 2) and segment == 3:
            return GLASS
        return paint

    parts.loft(stations, look_of)
    nose = x + 1.98
    parts.box((nose - 0.2, -0.75, 0.55), (nose + 0.012, 0.75, 1.02), SHADE)
    parts.both_sides((nose - 0.2, 0.80, 0.60), (nose + 0.012, 1.08, 0.80), HEADLAMP)
    parts.both_sides((x + 1.55, 1.22, 1.5), (x + 1.68, 1.42, 2.1), PLASTIC)


def _lorry_rear(parts: Parts, back: float, half: float) -> None:
    parts.both_sides((back - 0.02, half - 0.5, 0.72), (back + 0.1, half - 0.08, 0.90), TAIL_LAMP)
    parts.box((back - 0.01, -half + 0.05, 0.5), (back + 0.15, half - 0.05, 0.70), PLASTIC)
    parts.box((back - 0.03, -0.26, 0.74), (back + 0.05, 0.26, 0.85), PLATE)


def truck() -> Body:
    """Make a box lorry."""
    parts = Parts()
    back = -2.4
    parts.box((back, -1.25, 1.02), (4.55, 1.25, 3.55), CANVAS)
    parts.box((back - 0.02, -1.27, 0.94), (4.57, 1.27, 1.04), PAINT)
    parts.box((back - 0.02, -1.27, 3.47), (4.57, 1.27, 3.58), PAINT)
    parts.both_sides((back - 0.025, 1.17, 1.0), (back + 0.05, 1.27, 3.55), PAINT)
    parts.box((back - 0.02, -0.012, 1.05), (back + 0.01, 0.012, 3.47), SHADE)
    parts.box((back + 0.2, -0.5, 0.55), (5.5, 0.5, 0.95), SHADE)
    parts.both_sides((0.9, 1.12, 0.45), (3.3, 1.2, 0.95), PLASTIC)
    _cab(parts, 4.68, PAINT, 3.0)
    parts.wheels((0.0, 5.75), 1.10, 0.50)
    _lorry_rear(parts, back, 1.25)
    return finished_body(parts, 2.54, (6.66, 0.94, 0.70), (back, 0.95, 0.81))


def fire_engine() -> Body:
    """Make a fire engine."""
    parts = Parts()
    back = -2.0
    parts.box((back, -1.22, 0.60), (3.3, 1.22, 3.05), RED)
    parts.both_sides((back + 0.15, 1.20, 1.15), (back + 1.55, 1.235, 2.75), SILVER)
    parts.both_sides((back + 1.75, 1.20, 1.15), (back + 3.25, 1.235, 2.75), SILVER)
    parts.both_sides((back, 1.21, 0.82), (3.3, 1.24, 1.02), WHITE)
    parts.box((back - 0.015, -1.0, 1.15), (back + 0.02, 1.0, 2.75), SILVER)
    parts.both_sides((back - 0.02, 1.0, 0.95), (back + 0.02, 1.22, 2.9), YELLOW)
    parts.box((back + 0.2, -0.5, 3.05), (3.0, -0.1, 3.25), SILVER)
    parts.box((back + 0.2, -1.0, 0.40), (3.3, 1.0, 0.62), SHADE)
    _cab(parts, 3.36, RED, 2.85)
    parts.both_sides((3.4, 1.19, 0.82), (4.9, 1.235, 1.02), WHITE)
    parts.box((4.0, -1.0, 2.84), (4.4, 1.0, 2.93), PLASTIC)
    parts.both_sides((4.02, 0.40, 2.93), (4.38, 0.98, 3.12), BLUE_LAMP)
    parts.both_sides((back + 0.05, 0.85, 3.05), (back + 0.3, 1.1, 3.22), BLUE_LAMP)
    parts.wheels((0.0, 4.35), 1.10, 0.48)
    _lorry_rear(parts, back, 1.22)
    return finished_body(parts, 2.46, (5.34, 0.94, 0.70), (back, 0.92, 0.81), (4.2, 0.7, 3.05))


def bus() -> Body:
    """Make a city bus."""
    parts = Parts()
    back, nose = -3.2, 8.5
    stations = [
        Station(x, half, 0.33, belt, 0.975 * half, 2.95)
        for x, half, belt in (
            (back, 1.19, 1.28),
            (back + 0.12, 1.25, 1.28),
            (nose - 0.35, 1.25, 1.28),
            (nose, 1.16, 1.05),
        )
    ]
    parts.loft(stations, lambda _, segment: PLASTIC if segment == 0 else PAINT)
    for k in range(7):
        begin = back + 0.9 + 1.5 * k
        parts.both_sides((begin, 1.1, 1.36), (begin + 1.42, 1.245, 2.42), GLASS)
    for begin in (-2.2, 2.0, 6.9):
        parts.box((begin, -1.26, 0.42), (begin + 1.2, -1.1, 2.42), GLASS)
    parts.wheels((0.0, 5.85), 1.16, 0.48)
    parts.both_sides((back - 0.02, 0.95, 0.80), (back + 0.1, 1.12, 1.30), TAIL_LAMP)
    parts.box((back - 0.02, -0.85, 1.55), (back + 0.05, 0.85, 2.45), GLASS)
    parts.box((back - 0.02, -0.26, 0.62), (back + 0.05, 0.26, 0.73), PLATE)
    parts.box((nose - 0.1, -1.02, 1.05), (nose + 0.012, 1.02, 2.50), GLASS)
    parts.box((nose - 0.1, -0.85, 2.58), (nose + 0.012, 0.85, 2.82), SHADE)
    parts.both_sides((nose - 0.2, 0.78, 0.55), (nose + 0.012, 1.08, 0.78), HEADLAMP)
    parts.both_sides((nose - 0.1, 1.2, 1.7), (nose + 0.15, 1.4, 2.3), PLASTIC)
    return finished_body(parts, 2.5, (nose, 0.93, 0.66), (back, 1.03, 1.05))
