# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Small worlds for tests, and what tests ask of worlds.

The states of a small world are given by formulas: a road with a bend, driven at a given speed.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.course import Course
from mm_fusion.simulation.roads import Lane, Road, RoadNetwork, SurfaceProfile
from mm_fusion.simulation.world import STEP_NS, Motion, Vehicle, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from mm_fusion.simulation.scenario import Scenario
    from mm_fusion.simulation.world import Siren

    Speed = Callable[[NDArray[np.float64]], NDArray[np.float64]]

BEND = ((0.0, 0.0), (30.0, 0.0), (40.0, 0.02), (60.0, 0.02), (70.0, 0.0))


def steady(speed_mps: float) -> Speed:
    """Drive at one speed."""
    return lambda times: np.full(len(times), speed_mps)


def small_world(
    scenario: Scenario,
    speed: Speed = steady(10.0),  # noqa: B008 - it has no state
    *,
    tunnels: tuple[tuple[float, float], ...] = (),
    surface: SurfaceProfile | None = None,
    urban: bool = False,
    others: tuple[Vehicle, ...] = (),
) -> World:
    """Drive a road that bends to the left between 30 m and 70 m, from arc length 0 on."""
    steps = round(scenario.duration_s * 1e9) // STEP_NS + 1
    times = np.arange(steps, dtype=np.float64) * (STEP_NS * 1e-9)
    speeds = speed(times)
    arcs = np.concatenate([[0.0], np.cumsum((speeds[1:] + speeds[:-1]) / 2 * STEP_NS * 1e-9)])
    course = Course(BEND, -50.0, float(arcs[-1]) + 100.0, 0.3)
    states = np.column_stack(
        [
            course.pose_at(arcs),
            speeds,
            np.gradient(speeds, STEP_NS * 1e-9),
            speeds * course.curvature_at(arcs),
            arcs,
        ]
    )
    road = Road(course, (Lane(0.0, 3.5, 1),), ((-1.75, 'solid'), (1.75, 'solid')), False, 0.5)  # noqa: FBT003
    network = RoadNetwork(road, (), (), tunnels, surface or plain_surface(), urban)
    return World(scenario, network, vehicle(states), others, steps)


def vehicle(states: NDArray[np.float64], siren: Siren | None = None) -> Vehicle:
    """Make a car with given states; one with a siren sounds it all the time."""
    never = np.zeros(len(states), np.bool_)
    return Vehicle(
        'car' if siren is None else 'ambulance', 4.5, 1.8, 1.5, 0.9, (0.2, 0.2, 0.2), siren,
        states, never | (siren is not None), never, never,
    )  # fmt: skip


def standing(world: World, place: ArrayLike, siren: Siren | None = None) -> Vehicle:
    """Make a vehicle that stands at a place (2,) of the map for the whole drive."""
    states = np.zeros((world.steps, 7))
    states[:, :2] = place
    return vehicle(states, siren)


def plain_surface() -> SurfaceProfile:
    """Dry smooth asphalt up to 100 m, then cobble with snow, blended over 10 m."""
    arcs = np.arange(-50, 400).astype(np.float64)
    later = np.clip((arcs - 100.0) / 10.0, 0.0, 1.0).astype(np.float32)
    tables = [np.zeros((len(arcs), size), np.float32) for size in (6, 5, 3)]
    for table, column in zip(tables, (3, 2, 1), strict=True):
        table[:, 0], table[:, column] = 1 - later, later
    return SurfaceProfile(arcs, *tables)


def overlaps(world: World, every: int = 5) -> list[tuple[int, int, int]]:
    """List (vehicle, vehicle, step) where two outlines overlap, at every nth step; 0 is ego."""
    fleet = (world.ego, *world.vehicles)
    centres = [_centres(vehicle)[::every] for vehicle in fleet]
    found = []
    for (i, one), (j, other) in itertools.combinations(enumerate(fleet), 2):
        reach = (np.hypot(one.length_m, one.width_m) + np.hypot(other.length_m, other.width_m)) / 2
        apart = centres[j] - centres[i]
        for step in np.flatnonzero(np.hypot(*apart.T) < reach):
            if _separation(one, other, apart[step], int(step) * every) < 0.0:
                found.append((i, j, int(step) * every))
                break
    return found


def _centres(vehicle: Vehicle) -> NDArray[np.float64]:
    heading = vehicle.states[:, Motion.HEADING]
    ahead = vehicle.length_m / 2 - vehicle.rear_overhang_m
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    return np.asarray(vehicle.states[:, :2] + ahead * forward)


def _separation(one: Vehicle, other: Vehicle, apart: NDArray[np.float64], step: int) -> float:
    """Give the largest gap along the sides of both rectangles; negative where they overlap."""
    headings = [vehicle.states[step, Motion.HEADING] for vehicle in (one, other)]
    gaps = []
    for bearing in (headings[0], headings[0] + np.pi / 2, headings[1], headings[1] + np.pi / 2):
        reach = sum(
            vehicle.length_m / 2 * abs(np.cos(bearing - heading))
            + vehicle.width_m / 2 * abs(np.sin(bearing - heading))
            for vehicle, heading in zip((one, other), headings, strict=True)
        )
        gaps.append(abs(apart @ (np.cos(bearing), np.sin(bearing))) - reach)
    return float(max(gaps))
