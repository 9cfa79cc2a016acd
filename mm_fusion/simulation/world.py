# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole course of a simulated drive: what moved where, on what, in which weather.

The world is simulated first, for the whole drive; the sensors then look at it, each by itself.
So every sensor is a pure function of the drive and its own seed, and the future that a prediction
is compared with is known exactly. Times are nanoseconds on the clock of the drive, which
starts at ``START_NS``; positions are in the map frame (x east, y north, m), which lies on the
ground at the scenario's origin.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import RoadNetwork
    from mm_fusion.simulation.scenario import Scenario

START_NS = 1_767_225_600_000_000_000
"""Beginning of every drive: 2026-01-01 00:00:00 UTC."""

STEP_NS = 20_000_000
"""Time between two states of the world."""

PLACED_ANEW_M = 5.0
"""A vehicle that moves further than this from one step to the next was placed anew.

That happens only more than 180 m from the ego vehicle, before and after.
"""

FRICTION_COEFFICIENTS = (0.90, 0.65, 0.30, 0.35, 0.35, 0.18)
"""By friction class; the means of ``config/friction_coefficients.yaml``, where they are cited."""

VehicleKind: TypeAlias = Literal[
    'car', 'estate', 'van', 'truck', 'bus', 'ambulance', 'police', 'fire_engine'
]
Siren: TypeAlias = Literal['wail', 'yelp', 'two_tone']


class Motion(enum.IntEnum):
    """Columns of the states of a vehicle; the point is the middle of its rear axle."""

    X = 0
    """East, m."""
    Y = 1
    """North, m."""
    HEADING = 2
    """Counter-clockwise from east, rad, without jumps."""
    SPEED = 3
    """Along its heading, m/s."""
    ACCELERATION = 4
    """Along its heading, m/s²."""
    YAW_RATE = 5
    """About z, rad/s."""
    ARC = 6
    """Arc length along the main road, m; of the junction for a vehicle on a side road."""


@dataclass(frozen=True, slots=True, eq=False)
class Vehicle:
    """One vehicle and where it was.

    Attributes:
        kind: What it looks like.
        length_m: Over all.
        width_m: Over all.
        height_m: Over all.
        rear_overhang_m: From its rear end to its rear axle.
        colour: Of its paint, linear RGB in [0, 1].
        siren: Sound of its siren; None where it has none.
        states: float64 (n, 7), a row for each step of the world, columns as in ``Motion``.
        siren_on: bool (n,).
        horn_on: bool (n,).
        braking: bool (n,), its brake lights.
    """

    kind: VehicleKind
    length_m: float
    width_m: float
    height_m: float
    rear_overhang_m: float
    colour: tuple[float, float, float]
    siren: Siren | None
    states: NDArray[np.float64]
    siren_on: NDArray[np.bool_]
    horn_on: NDArray[np.bool_]
    braking: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WeatherState:
    """Weather and light at one time; units as in ``scenario.WeatherKey``."""

    rain_mmph: float
    snowfall_mmph: float
    visibility_m: float
    cloud_cover: float
    sun_elevation_deg: float
    sun_azimuth_deg: float
    wind_mps: float


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A whole drive; ``simulate_world`` of :mod:`mm_fusion.simulation.traffic` makes it.

    Attributes:
        scenario: What it was made from.
        roads: Everything that does not move.
        ego: The vehicle that carries the sensors; base_link is the point of its states.
        vehicles: All others, parked ones included.
        steps: Number of states; the first is at ``START_NS``.
    """

    scenario: Scenario
    roads: RoadNetwork
    ego: Vehicle
    vehicles: tuple[Vehicle, ...]
    steps: int

    @property
    def end_ns(self) -> int:
        """Time of the last state."""
        return START_NS + (self.steps - 1) * STEP_NS

    def state_at(self, vehicle: Vehicle, stamp_ns: int) -> NDArray[np.float64]:
        """Give the state of a vehicle, float64 (7,), linear between steps, held at the ends.

        A vehicle far out of sight may be placed anew between two steps; then the nearer one holds.
        """
        place = min(max((stamp_ns - START_NS) / STEP_NS, 0.0), self.steps - 1.0)
        index = min(int(place), self.steps - 2)
        part = place - index
        before, after = vehicle.states[index : index + 2]
        if abs(after[0] - before[0]) + abs(after[1] - before[1]) > PLACED_ANEW_M:
            return np.asarray(before if part < 0.5 else after)
        return np.asarray((1 - part) * before + part * after)

    def step_at(self, stamp_ns: int) -> int:
        """Give the index of the step nearest to a time, held at the ends."""
        return min(max(round((stamp_ns - START_NS) / STEP_NS), 0), self.steps - 1)

    def weather_at(self, stamp_ns: int) -> WeatherState:
        """Give the weather, linear between the keys of the scenario."""
        time_s = (stamp_ns - START_NS) * 1e-9
        keys = self.scenario.weather
        times = [key.at_s for key in keys]
        return WeatherState(
            **{
                name: float(np.interp(time_s, times, [getattr(key, name) for key in keys]))
                for name in WeatherState.__dataclass_fields__
            }
        )

    def in_map(self, stamp_ns: int, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move points (n, 2) from base_link of the ego vehicle at a time to the map frame."""
        x, y, heading = self.state_at(self.ego, stamp_ns)[:3]
        cos, sin = np.cos(heading), np.sin(heading)
        return np.asarray(points @ np.array([[cos, sin], [-sin, cos]]) + (x, y))

    def in_base_link(self, stamp_ns: int, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move points (n, 2) from the map frame to base_link of the ego vehicle at a time."""
        x, y, heading = self.state_at(self.ego, stamp_ns)[:3]
        cos, sin = np.cos(heading), np.sin(heading)
        return np.asarray((points - (x, y)) @ np.array([[cos, -sin], [sin, cos]]))
