# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a microphone is told: the vehicle around it, the road under it, and what moves nearby."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from mm_fusion.simulation.world import START_NS, STEP_NS, Motion
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import Siren, Vehicle, VehicleKind, World

Enclosure: TypeAlias = Literal['open', 'street', 'tunnel']


@dataclass(frozen=True, slots=True)
class SourceState:
    """Another vehicle at one time.

    Attributes:
        id: The same vehicle has the same number in every scene.
        kind: Vans, trucks, buses and fire engines are louder than cars.
        x_m: East in the map frame, of its middle.
        y_m: North in the map frame.
        heading_rad: Counter-clockwise from east.
        speed_mps: Along its heading.
        siren: Sound of its siren; None where it has none.
        siren_on: Whether it sounds.
        horn_on: Whether its horn sounds.
    """

    id: int
    kind: VehicleKind
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    siren: Siren | None = None
    siren_on: bool = False
    horn_on: bool = False


@dataclass(frozen=True, slots=True)
class AcousticScene:
    """Everything that is heard, at one time.

    Attributes:
        time_s: Since any origin that stays the same.
        x_m: East in the map frame, of base_link.
        y_m: North in the map frame.
        heading_rad: Counter-clockwise from east.
        speed_mps: Along x of base_link.
        acceleration_mps2: Along x of base_link.
        friction: Shares of the six friction classes under the wheels.
        material: Shares of the five materials.
        unevenness: Shares of the three levels of unevenness.
        rain_mmph: Rain.
        wind_mps: Wind.
        enclosure: What surrounds the road.
        sources: Other vehicles.
        engine_on: Whether the vehicle runs on a combustion engine; it idles when standing.
    """

    time_s: float
    x_m: float = 0.0
    y_m: float = 0.0
    heading_rad: float = 0.0
    speed_mps: float = 0.0
    acceleration_mps2: float = 0.0
    friction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    material: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 0.0)
    unevenness: tuple[float, ...] = (1.0, 0.0, 0.0)
    rain_mmph: float = 0.0
    wind_mps: float = 0.0
    enclosure: Enclosure = 'open'
    sources: tuple[SourceState, ...] = ()
    engine_on: bool = True

    def __post_init__(self) -> None:
        """Check the numbers of shares."""
        for name, shares, classes in (
            ('friction', self.friction, FRICTION_CLASSES),
            ('material', self.material, MATERIAL_CLASSES),
            ('unevenness', self.unevenness, UNEVENNESS_CLASSES),
        ):
            if len(shares) != len(classes):
                raise ValueError(f'{name}: found {len(shares)} shares, expected {len(classes)}')


def between(begin: AcousticScene, end: AcousticScene, part: float) -> AcousticScene:
    """Give the scene at a part of the way from one to another.

    Numbers change linearly; what sounds, and the enclosure, is as at the beginning. A vehicle
    that is not in both scenes stays where it is.
    """
    later = {source.id: source for source in end.sources}
    return replace(
        begin,
        time_s=_mix(begin.time_s, end.time_s, part),
        x_m=_mix(begin.x_m, end.x_m, part),
        y_m=_mix(begin.y_m, end.y_m, part),
        heading_rad=_mix(begin.heading_rad, end.heading_rad, part),
        speed_mps=_mix(begin.speed_mps, end.speed_mps, part),
        acceleration_mps2=_mix(begin.acceleration_mps2, end.acceleration_mps2, part),
        friction=_mix_shares(begin.friction, end.friction, part),
        material=_mix_shares(begin.material, end.material, part),
        unevenness=_mix_shares(begin.unevenness, end.unevenness, part),
        rain_mmph=_mix(begin.rain_mmph, end.rain_mmph, part),
        wind_mps=_mix(begin.wind_mps, end.wind_mps, part),
        sources=tuple(
            _source_between(source, later.get(source.id, source), part) for source in begin.sources
        ),
    )


def _mix_shares(
    begin: tuple[float, ...], end: tuple[float, ...], part: float
) -> tuple[float, ...]:
    return tuple(_mix(a, b, part) for a, b in zip(begin, end))


def _source_between(begin: SourceState, end: SourceState, part: float) -> SourceState:
    return replace(
        begin,
        x_m=_mix(begin.x_m, end.x_m, part),
        y_m=_mix(begin.y_m, end.y_m, part),
        heading_rad=_mix(begin.heading_rad, end.heading_rad, part),
        speed_mps=_mix(begin.speed_mps, end.speed_mps, part),
    )


def _mix(begin: float, end: float, part: float) -> float:
    return begin + part * (end - begin)


class WorldScenes:
    """Read acoustic scenes from a world, many of them at little cost.

    Vehicles that never move and never sound are left out.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        heard = [(i, vehicle) for i, vehicle in enumerate(world.vehicles) if _is_heard(vehicle)]
        self._ids = [i for i, _ in heard]
        self._vehicles = [vehicle for _, vehicle in heard]
        self._states = np.stack(
            [world.ego.states, *(vehicle.states for vehicle in self._vehicles)], axis=1
        )
        self._middles = np.array(
            [v.length_m / 2 - v.rear_overhang_m for v in self._vehicles], np.float64
        )
        keys = world.scenario.weather
        self._weather = np.array([(key.at_s, key.rain_mmph, key.wind_mps) for key in keys]).T

    def at(self, stamp_ns: int) -> AcousticScene:
        """Give the scene at a time, held at the ends of the drive."""
        world = self._world
        place = min(max((stamp_ns - START_NS) / STEP_NS, 0.0), world.steps - 1.0)
        index = min(int(place), world.steps - 2)
        part = place - index
        states = (1 - part) * self._states[index] + part * self._states[index + 1]
        ego = states[0].tolist()
        time_s = (stamp_ns - START_NS) * 1e-9
        times, rain, wind = self._weather
        friction, material, unevenness = surface_at(world, ego[Motion.ARC])
        return AcousticScene(
            time_s=time_s,
            x_m=ego[Motion.X],
            y_m=ego[Motion.Y],
            heading_rad=ego[Motion.HEADING],
            speed_mps=ego[Motion.SPEED],
            acceleration_mps2=ego[Motion.ACCELERATION],
            friction=friction,
            material=material,
            unevenness=unevenness,
            rain_mmph=float(np.interp(time_s, times, rain)),
            wind_mps=float(np.interp(time_s, times, wind)),
            enclosure=_enclosure(world, ego[Motion.ARC]),
            sources=self._sources(states[1:], world.step_at(stamp_ns)),
        )

    def _sources(self, states: NDArray[np.float64], step: int) -> tuple[SourceState, ...]:
        heading = states[:, Motion.HEADING]
        x = states[:, Motion.X] + self._middles * np.cos(heading)
        y = states[:, Motion.Y] + self._middles * np.sin(heading)
        motions = np.stack([x, y, heading, states[:, Motion.SPEED]], axis=1).tolist()
        return tuple(
            SourceState(
                number, vehicle.kind, x, y, heading, speed, vehicle.siren,
                bool(vehicle.siren_on[step]), bool(vehicle.horn_on[step]),
            )
            for number, vehicle, (x, y, heading, speed) in zip(
                self._ids, self._vehicles, motions
            )
        )  # fmt: skip


def acoustic_scene(world: World, stamp_ns: int) -> AcousticScene:
    """Give what a microphone is told at one time; times count from the start of the drive."""
    return WorldScenes(world).at(stamp_ns)


def _is_heard(vehicle: Vehicle) -> bool:
    moves = bool(np.any(vehicle.states[:, Motion.SPEED] > 0))
    return moves or bool(vehicle.siren_on.any()) or bool(vehicle.horn_on.any())


def surface_at(world: World, arc_m: float) -> tuple[tuple[float, ...], ...]:
    """Read the three shares at a place; the profile is evenly spaced."""
    profile = world.roads.surface
    arcs = profile.arcs_m
    place = min(max((arc_m - arcs[0]) / (arcs[1] - arcs[0]), 0.0), len(arcs) - 1.0)
    index = min(int(place), len(arcs) - 2)
    part = place - index
    return tuple(
        tuple(((1 - part) * table[index] + part * table[index + 1]).tolist())
        for table in (profile.friction, profile.material, profile.unevenness)
    )


def _enclosure(world: World, arc_m: float) -> Enclosure:
    if world.roads.in_tunnel(arc_m):
        return 'tunnel'
    return 'street' if world.roads.urban else 'open'
