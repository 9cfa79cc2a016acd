# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.rendering.precipitation import Precipitation
from mm_fusion.simulation.scenario import Scenario, WeatherKey
from mm_fusion.simulation.world import START_NS, Motion, World
from support.shading import Canvas, shared_context, view_projection
from support.worlds import plain_surface, small_world, vehicle

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADING = 0.3
EYE = np.array([0.0, 0.0, 1.5])
VIEW = view_projection((0.0, 0.0, 1.5), HEADING)
STAMP_NS = START_NS + 900_000_000


def world_of(**weather: float) -> World:
    return small_world(Scenario(duration_s=1.0, weather=(WeatherKey(**weather),)))


def drawn(
    world: World, speed: float = 10.0, depth: float = 1.0, stamp_ns: int = STAMP_NS
) -> NDArray[np.float32]:
    """Give how much the radiance changes, float32 (rows, columns)."""
    canvas = Canvas()
    canvas.fill(0.05, depth)
    before = canvas.read_scene()
    depths = canvas.read_depth()
    velocity = speed * np.array([np.cos(HEADING), np.sin(HEADING), 0.0])
    Precipitation(shared_context(), world).draw(stamp_ns, VIEW, EYE, velocity)
    np.testing.assert_array_equal(canvas.read_depth(), depths)
    return np.asarray(np.abs(canvas.read_scene() - before).max(axis=2))


def behind_a_car(friction: int, speed: float) -> World:
    """Drive behind a car, 12 m ahead, on a road of one friction class."""
    surface = plain_surface()
    shares = np.zeros_like(surface.friction)
    shares[:, friction] = 1
    world = small_world(Scenario(duration_s=1.0), surface=replace(surface, friction=shares))
    arcs = 12.0 + speed * (np.arange(world.steps) - world.steps + 1) * 0.02
    states = np.zeros((world.steps, 7))
    states[:, :3] = world.roads.main.course.pose_at(arcs)
    states[:, Motion.SPEED], states[:, Motion.ARC] = speed, arcs
    return replace(world, vehicles=(vehicle(states),))


def test_nothing_is_drawn_when_it_is_dry() -> None:
    assert drawn(world_of()).max() == 0


@pytest.mark.parametrize('what', ['rain_mmph', 'snowfall_mmph'])
def test_more_falls_more_is_seen(what: str) -> None:
    little, much = ((drawn(world_of(**{what: rate})) > 0.002).mean() for rate in (0.5, 4.0))

    assert 0 < little < much < 0.5


def test_what_is_near_hides_what_falls_behind_it() -> None:
    assert drawn(world_of(rain_mmph=10.0), depth=0.0).max() == 0


def test_streaks_grow_with_speed() -> None:
    world = world_of(snowfall_mmph=3.0)
    slow, fast = ((drawn(world, speed) > 0.002).sum() for speed in (0.0, 30.0))

    assert fast > 1.2 * slow


def test_the_same_time_gives_the_same_drops() -> None:
    world = world_of(rain_mmph=8.0)
    one, again, later = (
        drawn(world, stamp_ns=stamp) for stamp in (STAMP_NS, STAMP_NS, STAMP_NS + 50_000_000)
    )

    np.testing.assert_array_equal(one, again)
    assert (one != later).any()


@pytest.mark.parametrize(
    ('friction', 'speed', 'sprays'),
    [(0, 20.0, False), (1, 20.0, True), (2, 20.0, True), (2, 2.0, False)],
    ids=['dry', 'wet', 'water', 'slow'],
)
def test_wheels_whirl_up_water(friction: int, speed: float, sprays: bool) -> None:
    assert bool(drawn(behind_a_car(friction, speed)).max() > 0.02) is sprays


def test_spray_grows_with_speed() -> None:
    slow, fast = (drawn(behind_a_car(1, speed)).sum() for speed in (8.0, 20.0))

    assert fast > 1.5 * slow
