# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of a drive between its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.layout import generate_roads
from mm_fusion.simulation.scenario import Scenario, WeatherKey
from mm_fusion.simulation.world import START_NS, STEP_NS, Motion, Vehicle, World

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _vehicle(states: NDArray[np.float64]) -> Vehicle:
    off = np.zeros(len(states), bool)
    return Vehicle('car', 4.4, 1.8, 1.5, 0.9, (0.1, 0.1, 0.1), None, states, off, off, off)


def _world(states: NDArray[np.float64]) -> World:
    scenario = Scenario(weather=(WeatherKey(at_s=0.0), WeatherKey(at_s=10.0, rain_mmph=4.0)))
    return World(scenario, generate_roads(scenario), _vehicle(states), (), len(states))


def _moving() -> NDArray[np.float64]:
    states = np.zeros((4, len(Motion)))
    states[:, Motion.X] = [0.0, 0.2, 0.4, 300.0]
    states[:, Motion.HEADING] = [0.0, 0.1, 0.2, 0.3]
    return states


def test_states_are_linear_between_steps_and_held_at_the_ends() -> None:
    world = _world(_moving())

    assert world.state_at(world.ego, START_NS + STEP_NS // 4)[Motion.X] == pytest.approx(0.05)
    assert world.state_at(world.ego, START_NS - 5)[Motion.X] == 0.0
    assert world.state_at(world.ego, world.end_ns + 5)[Motion.X] == 300.0
    assert world.step_at(START_NS + round(1.6 * STEP_NS)) == 2


@pytest.mark.parametrize(('part', 'x'), [(2.4, 0.4), (2.6, 300.0)])
def test_a_vehicle_placed_anew_is_never_in_between(part: float, x: float) -> None:
    world = _world(_moving())

    assert world.state_at(world.ego, START_NS + round(part * STEP_NS))[Motion.X] == x


def test_base_link_and_map_are_inverse() -> None:
    states = _moving()
    states[:, Motion.Y] = 7.0
    world, points = _world(states), np.array([[3.0, -1.0], [0.0, 0.0]])
    stamp = START_NS + STEP_NS

    moved = world.in_map(stamp, points)

    assert moved[1] == pytest.approx([0.2, 7.0])
    assert moved[0] == pytest.approx(
        [0.2 + 3 * np.cos(0.1) + np.sin(0.1), 7 + 3 * np.sin(0.1) - np.cos(0.1)]
    )
    assert world.in_base_link(stamp, moved) == pytest.approx(points)


def test_the_weather_changes_linearly() -> None:
    assert _world(_moving()).weather_at(START_NS + 2_500_000_000).rain_mmph == pytest.approx(1.0)
