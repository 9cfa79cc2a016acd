# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A world to look at: a straight country road, the ego vehicle standing, a grey car ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.simulation.course import Course
from mm_fusion.simulation.roads import Lane, Road, RoadNetwork, SurfaceProfile
from mm_fusion.simulation.scenario import CameraSettings, RoadSettings, Scenario, WeatherKey
from mm_fusion.simulation.world import START_NS, STEP_NS, Vehicle, World
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import Mark

HEADING_RAD = 0.5
LANE_M = -1.75
EDGE_LINE_M = 3.3
GAP_M = 12.0
"""From base_link of the ego vehicle to the rear axle of the car ahead."""

BRAKES_NS = START_NS + 1_000_000_000
"""From here on the car ahead brakes."""

STEPS = 101


def surface(friction: str, unevenness: str = 'smooth') -> SurfaceProfile:
    """Lay the same asphalt everywhere."""
    tables = []
    for names, name in (
        (FRICTION_CLASSES, friction),
        (MATERIAL_CLASSES, 'asphalt'),
        (UNEVENNESS_CLASSES, unevenness),
    ):
        table = np.zeros((2, len(names)), np.float32)
        table[:, names.index(name)] = 1
        tables.append(table)
    return SurfaceProfile(np.array([-100.0, 500.0]), *tables)


def straight_world(
    friction: str = 'dry',
    unevenness: str = 'smooth',
    speed_mps: float = 0.0,
    weather: WeatherKey | None = None,
    **camera: Any,
) -> World:
    """Make the world; without changes the camera is small, exact and without noise."""
    settings = {
        'width': 320,
        'height': 180,
        'shake': False,
        'motion_blur': False,
        'noise': False,
        'lens_drops': False,
        'segmentation': True,
    }
    scenario = Scenario(
        seed=5,
        duration_s=2.0,
        road=RoadSettings(kind='rural'),
        weather=(weather or WeatherKey(cloud_cover=0.9),),
        camera=CameraSettings(**(settings | camera)),
    )
    course = Course(((-100.0, 0.0), (500.0, 0.0)), -100.0, 500.0, HEADING_RAD)
    marks: tuple[tuple[float, Mark], ...] = (
        (-EDGE_LINE_M, 'solid'),
        (0.0, 'dashed'),
        (EDGE_LINE_M, 'solid'),
    )
    lanes = (Lane(-1.75, 3.5, 1), Lane(1.75, 3.5, -1))
    road = Road(course, lanes, marks, kerb=False, shoulder_m=0.5)
    roads = RoadNetwork(road, (), (), (), surface(friction, unevenness), urban=False)
    times = np.arange(STEPS, dtype=np.float64) * (STEP_NS * 1e-9)
    ego = _vehicle(_states(course, speed_mps * times, speed_mps))
    other = _vehicle(_states(course, GAP_M + speed_mps * times, speed_mps))
    return World(scenario, roads, ego, (other,), STEPS)


def _states(course: Course, arcs: NDArray[np.float64], speed_mps: float) -> NDArray[np.float64]:
    states = np.zeros((STEPS, 7))
    states[:, :2] = course.beside(arcs, np.full(STEPS, LANE_M))
    states[:, 2], states[:, 3], states[:, 6] = HEADING_RAD, speed_mps, arcs
    return states


def _vehicle(states: NDArray[np.float64]) -> Vehicle:
    never = np.zeros(STEPS, np.bool_)
    braking = np.arange(STEPS) * STEP_NS >= BRAKES_NS - START_NS
    grey = (0.05, 0.05, 0.05)
    return Vehicle('car', 4.4, 1.8, 1.5, 0.9, grey, None, states, never, never, braking)
