# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicles: one body for each kind, and where its lamps are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mm_fusion.simulation.rendering.bodies import (
    BLUE_LAMP,
    GLASS,
    HEADLAMP,
    PAINT,
    PLASTIC,
    PLATE,
    SHADE,
    TAIL_LAMP,
    Finish,
    Look,
    Parts,
    Station,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mm_fusion.simulation.world import VehicleKind

Profile: TypeAlias = 'tuple[tuple[float, float, float, float, float, float], ...]'

_WHITE = Look(Finish.GLOSS, (0.72, 0.72, 0.71))
_RED = Look(Finish.GLOSS, (0.50, 0.014, 0.012))
_SILVER = Look(Finish.METAL, (0.46, 0.48, 0.50))
_BLUE = Look(Finish.GLOSS, (0.012, 0.06, 0.36))
_YELLOW = Look(Finish.GLOSS, (0.62, 0.60, 0.03))
_CANVAS = Look(Finish.MATT, (0.55, 0.56, 0.56))

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


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The mesh of a kind of vehicle at its nominal size.

    Attributes:
        vertices: Of type ``BODY_VERTEX`` (n,).
        triangles: uint32 (m, 3).
        size: Nominal length, width and height, m.
        rear_m: Nominal distance from the rear end to the rear axle.
        head_lamps: float64 (2, 3), centres, m.
        tail_lamps: float64 (2, 3), centres, m.
        blue_lamps: float64 (2, 3), left and right on the roof, m; meant where there are any.
    """

    vertices: NDArray[np.void]
    triangles: NDArray[np.uint32]
    size: tuple[float, float, float]
    rear_m: float
    head_lamps: NDArray[np.float64]
    tail_lamps: NDArray[np.float64]
    blue_lamps: NDArray[np.float64]


def make_bodies() -> dict[VehicleKind, Body]:
    """Make the bodies of all kinds of vehicles."""
    return {
        'car': _passenger(_HATCH, 2.68),
        'estate': _passenger(_ESTATE, 2.72),
        'police': _passenger(_ESTATE, 2.72, police=True),
        'van': _panel_van(ambulance=False),
        'ambulance': _panel_van(ambulance=True),
        'truck': _truck(),
        'bus': _bus(),
        'fire_engine': _fire_engine(),
    }


_Place: TypeAlias = 'tuple[float, float, float]'


def _body(
    parts: Parts, width: float, head: _Place, tail: _Place, blue: _Place = (0.0, 0.0, 0.0)
) -> Body:
    vertices, triangles = parts.finish()
    low, high = vertices['position'].min(axis=0), vertices['position'].max(axis=0)
    sides = np.array([[1, 1, 1], [1, -1, 1]])
    return Body(
        vertices,
        triangles,
        (float(high[0] - low[0]), width, float(high[2])),
        -float(low[0]),
        np.array(head) * sides,
        np.array(tail) * sides,
        np.array(blue) * sides,
    )


def _passenger(profile: Profile, wheelbase: float, *, police: bool = False) -> Body:
    parts = Parts()
    stations = [Station(*row) for row in profile]
    roof_begin = len(profile) - len(_BONNET) - len(_CABIN) - 1
    pillar, windscreen = roof_begin + 1, roof_begin + 3
    paint = _SILVER if police else PAINT

    def look_of(span: int, segment: int) -> Look:
        if segment == 0:
            return PLASTIC
        if police and segment == 1 and 0 <= span <= windscreen + 1:
            return _BLUE
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
    return _body(parts, 1.81, (nose, 0.60, 0.64), (back, 0.66, 0.75), blue)


def _panel_van(*, ambulance: bool) -> Body:
    parts = Parts()
    stations = [Station(*row) for row in _VAN]
    paint = _WHITE if ambulance else PAINT

    def look_of(span: int, segment: int) -> Look:
        if segment == 0:
            return PLASTIC
        if ambulance and segment == 1:
            return _YELLOW if span in (1, 3) else _RED
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
        parts.box((2.35, -0.75, 2.38), (2.75, 0.75, 2.46), _WHITE)
        parts.both_sides((2.40, 0.30, 2.46), (2.70, 0.74, 2.60), BLUE_LAMP)
        parts.both_sides((back + 0.05, 0.55, 2.38), (back + 0.25, 0.85, 2.50), BLUE_LAMP)
        parts.box((back - 0.013, -0.95, 1.27), (back + 0.01, 0.95, 1.40), _RED)
    blue = (2.55, 0.52, 2.54) if ambulance else (0.0, 0.0, 0.0)
    return _body(parts, 2.0, (nose, 0.72, 0.86), (back, 0.88, 1.0), blue)


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


def _truck() -> Body:
    parts = Parts()
    back = -2.4
    parts.box((back, -1.25, 1.02), (4.55, 1.25, 3.55), _CANVAS)
    parts.box((back - 0.02, -1.27, 0.94), (4.57, 1.27, 1.04), PAINT)
    parts.box((back - 0.02, -1.27, 3.47), (4.57, 1.27, 3.58), PAINT)
    parts.both_sides((back - 0.025, 1.17, 1.0), (back + 0.05, 1.27, 3.55), PAINT)
    parts.box((back - 0.02, -0.012, 1.05), (back + 0.01, 0.012, 3.47), SHADE)
    parts.box((back + 0.2, -0.5, 0.55), (5.5, 0.5, 0.95), SHADE)
    parts.both_sides((0.9, 1.12, 0.45), (3.3, 1.2, 0.95), PLASTIC)
    _cab(parts, 4.68, PAINT, 3.0)
    parts.wheels((0.0, 5.75), 1.10, 0.50)
    _lorry_rear(parts, back, 1.25)
    return _body(parts, 2.54, (6.66, 0.94, 0.70), (back, 0.95, 0.81))


def _fire_engine() -> Body:
    parts = Parts()
    back = -2.0
    parts.box((back, -1.22, 0.60), (3.3, 1.22, 3.05), _RED)
    parts.both_sides((back + 0.15, 1.20, 1.15), (back + 1.55, 1.235, 2.75), _SILVER)
    parts.both_sides((back + 1.75, 1.20, 1.15), (back + 3.25, 1.235, 2.75), _SILVER)
    parts.both_sides((back, 1.21, 0.82), (3.3, 1.24, 1.02), _WHITE)
    parts.box((back - 0.015, -1.0, 1.15), (back + 0.02, 1.0, 2.75), _SILVER)
    parts.both_sides((back - 0.02, 1.0, 0.95), (back + 0.02, 1.22, 2.9), _YELLOW)
    parts.box((back + 0.2, -0.5, 3.05), (3.0, -0.1, 3.25), _SILVER)
    parts.box((back + 0.2, -1.0, 0.40), (3.3, 1.0, 0.62), SHADE)
    _cab(parts, 3.36, _RED, 2.85)
    parts.both_sides((3.4, 1.19, 0.82), (4.9, 1.235, 1.02), _WHITE)
    parts.box((4.0, -1.0, 2.84), (4.4, 1.0, 2.93), PLASTIC)
    parts.both_sides((4.02, 0.40, 2.93), (4.38, 0.98, 3.12), BLUE_LAMP)
    parts.both_sides((back + 0.05, 0.85, 3.05), (back + 0.3, 1.1, 3.22), BLUE_LAMP)
    parts.wheels((0.0, 4.35), 1.10, 0.48)
    _lorry_rear(parts, back, 1.22)
    return _body(parts, 2.46, (5.34, 0.94, 0.70), (back, 0.92, 0.81), (4.2, 0.7, 3.05))


def _bus() -> Body:
    parts = Parts()
    back, nose = -3.2, 8.5
    rows = [(back, 1.19), (back + 0.12, 1.25), (back + 1.1, 1.25)]
    rows += [
        (back + 1.1 + step, 1.25) for k in range(6) for step in (1.5 * k + 0.1, 1.5 * k + 1.5)
    ]
    rows += [(nose - 0.35, 1.25), (nose, 1.16)]
    stations = [
        Station(x, half, 0.33, 1.28 if k < len(rows) - 1 else 1.05, 1.22 * half / 1.25, 2.95)
        for k, (x, half) in enumerate(rows)
    ]
    parts.loft(stations, _bus_look(len(rows)))
    parts.wheels((0.0, 5.85), 1.16, 0.48)
    parts.both_sides((back - 0.02, 0.95, 0.80), (back + 0.1, 1.12, 1.30), TAIL_LAMP)
    parts.box((back - 0.02, -0.85, 1.55), (back + 0.05, 0.85, 2.45), GLASS)
    parts.box((back - 0.02, -0.26, 0.62), (back + 0.05, 0.26, 0.73), PLATE)
    parts.box((nose - 0.1, -1.02, 1.05), (nose + 0.012, 1.02, 2.50), GLASS)
    parts.box((nose - 0.1, -0.85, 2.58), (nose + 0.012, 0.85, 2.82), SHADE)
    parts.both_sides((nose - 0.2, 0.78, 0.55), (nose + 0.012, 1.08, 0.78), HEADLAMP)
    parts.both_sides((nose - 0.1, 1.2, 1.7), (nose + 0.15, 1.4, 2.3), PLASTIC)
    return _body(parts, 2.5, (nose, 0.93, 0.66), (back, 1.03, 1.05))


def _bus_look(rows: int) -> Callable[[int, int], Look]:
    def look_of(span: int, segment: int) -> Look:
        if segment == 0:
            return PLASTIC
        if segment == 3 and 2 <= span < rows - 2:
            return GLASS if span % 2 else PLASTIC
        return PAINT

    return look_of
