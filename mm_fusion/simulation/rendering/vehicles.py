# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicles: one body for each kind, and where its lamps are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mm_fusion.simulation.rendering.bodies import (
    BLUE,
    BLUE_LAMP,
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
from mm_fusion.simulation.rendering.lorries import bus, fire_engine, truck

if TYPE_CHECKING:
    from mm_fusion.simulation.rendering.bodies import Body
    from mm_fusion.simulation.world import VehicleKind

Profile: TypeAlias = 'tuple[tuple[float, float, float, float, float, float], ...]'


_BONNET = (
    (2.86, 0.905, 0.19, 0.93, 0.70, 1.02),
    (3.25, 0.90, 0.19, 0.88, 0.74, 0.95),
    (3.62, 0.88, 0.21, 0.80, 0.72, 0.86),
    (3.82, 0.80, 0.25, 0.68, 0.64, 0.73),
    (3.87, 0.72, 0.32, 0.56, 0.58, 0.60),
)
"""x, half width, sill, belt, half roof, roof: m, x from the rear end less the overhang."""

_CABIN = (
    (0.95, 0.90, 0.19, 0.96, 0.60, 1.45),
    (1.02, 0.90, 0.19, 0.96, 0.60, 1.455),
    (1.95, 0.905, 0.19, 0.94, 0.60, 1.43),
)
_HATCH: Profile = (
    (-0.78, 0.76, 0.36, 0.80, 0.66, 0.86),
    (-0.72, 0.85, 0.27, 0.92, 0.70, 0.99),
    (-0.30, 0.89, 0.20, 0.97, 0.62, 1.32),
    (0.10, 0.90, 0.19, 0.97, 0.60, 1.43),
    *_CABIN,
    *_BONNET,
)
_ESTATE: Profile = (
    (-1.00, 0.78, 0.36, 0.82, 0.68, 0.90),
    (-0.95, 0.86, 0.26, 0.94, 0.70, 1.02),
    (-0.72, 0.89, 0.20, 0.97, 0.63, 1.38),
    (-0.55, 0.90, 0.19, 0.97, 0.61, 1.44),
    *_CABIN,
    *_BONNET,
)
_VAN: Profile = (
    (-1.00, 0.97, 0.32, 1.25, 0.90, 2.36),
    (-0.96, 0.99, 0.26, 1.25, 0.92, 2.40),
    (2.30, 1.00, 0.24, 1.25, 0.92, 2.42),
    (2.38, 1.00, 0.24, 1.25, 0.92, 2.42),
    (3.05, 1.00, 0.24, 1.22, 0.84, 2.30),
    (3.95, 0.98, 0.24, 1.12, 0.80, 1.22),
    (4.40, 0.94, 0.26, 0.98, 0.78, 1.04),
    (4.58, 0.84, 0.34, 0.74, 0.70, 0.80),
)


def make_bodies() -> dict[VehicleKind, Body]:
    """Make the bodies of all kinds of vehicles."""
    return {
        'car': _passenger(_HATCH, 2.68),
        'estate': _passenger(_ESTATE, 2.72),
        'police': _passenger(_ESTATE, 2.72, police=True),
        'van': _panel_van(ambulance=False),
        'ambulance': _panel_van(ambulance=True),
        'truck': truck(),
        'bus': bus(),
        'fire_engine': fire_engine(),
    }


def _passenger(profile: Profile, wheelbase: float, *, police: bool = False) -> Body:
    parts = Parts()
    stations = [Station(*row) for row in profile]
    roof_begin = len(profile) - len(_BONNET) - len(_CABIN) - 1
    pillar, windscreen = roof_begin + 1, roof_begin + 3
    paint = SILVER if police else PAINT

    def look_of(span: int, segment: int) -> Look:
        if segment == 0:
            return PLASTIC
        if police and segment == 1 and 0 <= span <= windscreen + 1:
            return BLUE
        if span == windscreen and segment in (4, 5):
            return GLASS
        if segment in (4, 5) and span in range(1, roof_begin):
            return GLASS if span == 1 else paint
        if segment == 3 and roof_begin - 1 <= span <= windscreen:
            return PLASTIC if span == pillar else GLASS
        return paint

    parts.loft(stations, look_of)
    parts.wheels((0.0, wheelbase), 0.865, 0.325)
    rear, front = profile[0], profile[-1]
    back, nose = rear[0], front[0]
    parts.both_sides((back - 0.015, 0.50, 0.66), (back + 0.10, 0.80, 0.84), TAIL_LAMP)
    parts.box((back - 0.012, -0.26, 0.55), (back + 0.05, 0.26, 0.66), PLATE)
    parts.box((back - 0.02, -0.72, 0.34), (back + 0.1, 0.72, 0.50), PLASTIC)
    parts.both_sides((nose - 0.16, 0.46, 0.58), (nose + 0.005, 0.71, 0.70), HEADLAMP)
    parts.box((nose - 0.1, -0.38, 0.40), (nose + 0.012, 0.38, 0.56), SHADE)
    parts.box((nose, -0.26, 0.42), (nose + 0.02, 0.26, 0.52), PLATE)
    parts.both_sides((1.98, 0.91, 0.93), (2.10, 1.02, 1.05), paint)
    if police:
        parts.box((1.05, -0.55, 1.45), (1.30, 0.55, 1.49), PLASTIC)
        parts.both_sides((1.07, 0.18, 1.49), (1.28, 0.54, 1.60), BLUE_LAMP)
    blue = (1.17, 0.36, 1.56) if police else (0.0, 0.0, 0.0)
    return finished_body(parts, 1.81, (nose, 0.60, 0.64), (back, 0.66, 0.75), blue)


def _panel_van(*, ambulance: bool) -> Body:
    parts = Parts()
    stations = [Station(*row) for row in _VAN]
    paint = WHITE if ambulance else PAINT

    def look_of(span: int, segment: int) -> Look:
        if segment == 0:
            return PLASTIC
        if ambulance and segment == 1:
            return YELLOW if span in (1, 3) else RED
        if segment == 3 and span in (3, 4):
            return GLASS
        if segment in (4, 5) and span == 4:
            return GLASS
        return paint

    parts.loft(stations, look_of)
    parts.wheels((0.0, 3.35), 0.95, 0.36)
    back, nose = _VAN[0][0], _VAN[-1][0]
    parts.both_sides((back - 0.015, 0.82, 0.75), (back + 0.05, 0.95, 1.25), TAIL_LAMP)
    parts.both_sides((back - 0.012, 0.10, 1.42), (back + 0.02, 0.78, 2.05), GLASS)
    parts.box((back - 0.016, -0.008, 0.5), (back + 0.02, 0.008, 2.2), SHADE)
    parts.box((back - 0.05, -0.9, 0.36), (back + 0.1, 0.9, 0.52), PLASTIC)
    parts.box((back - 0.02, -0.26, 0.80), (back + 0.02, 0.26, 0.91), PLATE)
    parts.both_sides((nose - 0.25, 0.60, 0.76), (nose + 0.005, 0.84, 0.96), HEADLAMP)
    parts.box((nose - 0.2, -0.55, 0.46), (nose + 0.012, 0.55, 0.70), SHADE)
    parts.both_sides((3.25, 1.0, 1.25), (3.40, 1.16, 1.55), PLASTIC)
    if ambulance:
        parts.box((2.35, -0.75, 2.38), (2.75, 0.75, 2.46), WHITE)
        parts.both_sides((2.40, 0.30, 2.46), (2.70, 0.74, 2.60), BLUE_LAMP)
        parts.both_sides((back + 0.05, 0.55, 2.38), (back + 0.25, 0.85, 2.50), BLUE_LAMP)
        parts.box((back - 0.013, -0.95, 1.27), (back + 0.01, 0.95, 1.40), RED)
    blue = (2.55, 0.52, 2.54) if ambulance else (0.0, 0.0, 0.0)
    return finished_body(parts, 2.0, (nose, 0.72, 0.86), (back, 0.88, 1.0), blue)
