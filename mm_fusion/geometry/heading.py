# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How a heading is found from positions: the way they went against the way that was driven."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mm_fusion.geometry.process import ProcessModel

MAX_DEVIATION_RAD = 0.3
"""A heading less certain than this does not start the filter: linearised, it would mislead it."""
MEMORY_S = 10.0
_SPACING_S = 0.2
_STRAIGHTEST = 0.5
"""Least ratio of the shorter to the longer of the two ways; below it, one of them is wrong."""


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A measured position, and how far the vehicle had come when it was measured.

    Attributes:
        stamp_ns: Of the position.
        east_m: Measured.
        north_m: Measured.
        variance: Of the measured position along its worst axis, m².
        travel: Way since some start by dead reckoning, in a frame of unknown heading, m.
    """

    stamp_ns: int
    east_m: float
    north_m: float
    variance: float
    travel: tuple[float, float]


@dataclass(frozen=True, slots=True)
class FoundHeading:
    """What two waypoints tell.

    Attributes:
        turn_rad: To be added to the heading that the travel was reckoned with.
        variance: Of the turn, rad².
        speed_mps: Mean speed over ground between the two.
        speed_variance: (m/s)².
    """

    turn_rad: float
    variance: float
    speed_mps: float
    speed_variance: float


def find_heading(
    waypoints: tuple[Waypoint, ...],
    newest: Waypoint,
    *,
    reckoned: bool,
    yaw_rate_variance: float,
    process: ProcessModel,
) -> FoundHeading | None:
    """Compare positions with dead reckoning over the shortest baseline that is long enough.

    Args:
        waypoints: The past, in order of stamp.
        newest: The present.
        reckoned: Whether the travel rests on measured speed. Without one, the vehicle is taken
            to move forward.
        yaw_rate_variance: Of the yaw rate that the travel was reckoned with, (rad/s)².
        process: Tells how much a vehicle turns at the speed that the positions show.

    Returns:
        None while no baseline tells the heading to within ``MAX_DEVIATION_RAD``.
    """
    for old in reversed(waypoints):
        duration_s = (newest.stamp_ns - old.stamp_ns) * 1e-9
        east, north = newest.east_m - old.east_m, newest.north_m - old.north_m
        distance = math.hypot(east, north)
        noise = newest.variance + old.variance
        if duration_s <= 0.0 or distance == 0.0:
            continue
        # A chord misses the heading at its end by half of the turn along it.
        turning = min(yaw_rate_variance, process.yaw_rate_variance(distance / duration_s))
        variance = noise / distance**2 + turning * (0.5 * duration_s) ** 2
        if variance > MAX_DEVIATION_RAD**2:
            continue
        turn = math.atan2(north, east)
        if reckoned:
            x, y = (now - then for now, then in zip(newest.travel, old.travel, strict=True))
            shorter, longer = sorted((math.hypot(x, y), distance))
            if shorter < _STRAIGHTEST * longer:
                continue
            turn -= math.atan2(y, x)
        return FoundHeading(turn, variance, distance / duration_s, noise / duration_s**2)
    return None


def remember(waypoints: tuple[Waypoint, ...], newest: Waypoint) -> tuple[Waypoint, ...]:
    """Add a waypoint, at most one each ``_SPACING_S``, and forget those of long ago."""
    if waypoints and newest.stamp_ns - waypoints[-1].stamp_ns < _SPACING_S * 1e9:
        return waypoints
    oldest_ns = newest.stamp_ns - int(MEMORY_S * 1e9)
    return (*(item for item in waypoints if item.stamp_ns >= oldest_ns), newest)
