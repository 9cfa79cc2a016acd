# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from mm_fusion.simulation.samples import PATH_STEPS
from mm_fusion.simulation.scenario import Scenario
from mm_fusion.simulation.truth import truth_at
from mm_fusion.simulation.world import FRICTION_COEFFICIENTS, START_NS, STEP_NS, Motion, World
from support.worlds import small_world, standing, steady

SECOND = 1_000_000_000


@pytest.fixture(scope='module')
def world() -> World:
    return small_world(Scenario(duration_s=16.0))


def test_the_motion_is_that_of_the_world(world: World) -> None:
    stamp_ns = START_NS + 123 * STEP_NS
    truth = truth_at(world, stamp_ns)

    assert truth.stamp_ns == truth.received_ns == stamp_ns
    assert (truth.motion == world.ego.states[123]).all()


@pytest.mark.parametrize('time_s', [0.0, 3.5, 5.01, 9.98])
def test_the_future_path_is_the_one_that_is_driven(world: World, time_s: float) -> None:
    stamp_ns = START_NS + round(time_s * 1e9)
    path = truth_at(world, stamp_ns).path

    assert path is not None
    assert path.shape == (PATH_STEPS, 3)
    ego = world.state_at(world.ego, stamp_ns)
    for step, (x, y, turned) in enumerate(path, start=1):
        later = world.state_at(world.ego, stamp_ns + step * SECOND // 2)
        assert world.in_map(stamp_ns, np.array([[x, y]]))[0] == pytest.approx(later[:2], abs=1e-9)
        assert turned == pytest.approx(later[Motion.HEADING] - ego[Motion.HEADING], abs=1e-12)
    # From 3.5 s on, 35 m: the bend turns the vehicle to the left.
    assert abs(path[-1, 2]) > 0.2 or time_s > 5


def test_headings_of_the_path_have_no_jumps() -> None:
    world = small_world(Scenario(duration_s=8.0))
    states = world.ego.states.copy()
    states[:, Motion.HEADING] += np.linspace(0.0, 4.5 * math.pi, len(states))
    turning = dataclasses.replace(world, ego=dataclasses.replace(world.ego, states=states))
    path = truth_at(turning, START_NS).path

    assert path is not None
    assert np.abs(path[:, 2]).max() <= math.pi
    assert np.cos(path[-1, 2]) == pytest.approx(np.cos(states[300, 2] - states[0, 2]))


def test_the_path_ends_with_the_drive(world: World) -> None:
    assert truth_at(world, START_NS + 10 * SECOND).path is not None
    assert truth_at(world, START_NS + 10 * SECOND + 1).path is None


@pytest.mark.parametrize(
    ('arc_m', 'friction', 'material', 'unevenness'),
    [
        # The surface changes over 10 m from 100 m on: half of 0 to 20 m ahead is new at 95 m.
        (70.0, 0, 0, 0),
        (94.0, 0, 0, 0),
        (96.0, 3, 2, 1),
        (104.0, 3, 2, 1),
        (140.0, 3, 2, 1),
    ],
)
def test_the_labels_are_of_the_road_ahead(
    world: World, arc_m: float, friction: int, material: int, unevenness: int
) -> None:
    truth = truth_at(world, START_NS + round(arc_m / 10 * 1e9))

    assert truth.motion[Motion.ARC] == pytest.approx(arc_m)
    assert (truth.friction, truth.material, truth.unevenness) == (friction, material, unevenness)


@pytest.mark.parametrize(('arc_m', 'snow'), [(99.0, 0.0), (102.5, 0.25), (105.0, 0.5), (115, 1.0)])
def test_the_friction_coefficient_is_that_under_the_vehicle(
    world: World, arc_m: float, snow: float
) -> None:
    dry, fresh_snow = FRICTION_COEFFICIENTS[0], FRICTION_COEFFICIENTS[3]
    truth = truth_at(world, START_NS + round(arc_m / 10 * 1e9))

    assert truth.friction_coefficient == pytest.approx((1 - snow) * dry + snow * fresh_snow)


def test_sirens_stand_in_base_link_the_nearest_first() -> None:
    plain = small_world(Scenario(duration_s=8.0), steady(0.0))
    ahead = plain.in_map(START_NS, np.array([[30.0, 5.0], [-10.0, 0.0], [3.0, 0.0]]))
    world = dataclasses.replace(
        plain,
        vehicles=(
            standing(plain, ahead[0], 'wail'),
            standing(plain, ahead[1], 'yelp'),
            standing(plain, ahead[2]),
        ),
    )
    truth = truth_at(world, START_NS)

    assert truth.siren_places == pytest.approx(np.array([[-10.0, 0.0], [30.0, 5.0]]), abs=1e-9)
    assert truth.siren_distance_m == pytest.approx(10.0)
    assert abs(truth.siren_bearing_rad or 0.0) == pytest.approx(math.pi)
    assert truth.siren


def test_without_sirens_there_are_no_places(world: World) -> None:
    truth = truth_at(world, START_NS)

    assert truth.siren_places.shape == (0, 2)
    assert truth.siren_distance_m is None
    assert truth.siren_bearing_rad is None
    assert not truth.siren


def test_a_siren_that_is_too_far_to_be_heard_has_a_place_all_the_same() -> None:
    plain = small_world(Scenario(duration_s=8.0))
    world = dataclasses.replace(plain, vehicles=(standing(plain, (5000.0, 0.0), 'wail'),))
    truth = truth_at(world, START_NS)

    assert not truth.siren
    assert truth.siren_distance_m == pytest.approx(5000.0)


def test_a_siren_that_is_off_has_none() -> None:
    plain = small_world(Scenario(duration_s=8.0))
    on = np.arange(plain.steps) < 100
    silenced = dataclasses.replace(standing(plain, (30.0, 0.0), 'wail'), siren_on=on)
    world = dataclasses.replace(plain, vehicles=(silenced,))

    assert len(truth_at(world, START_NS + SECOND).siren_places) == 1
    assert len(truth_at(world, START_NS + 4 * SECOND).siren_places) == 0


def test_a_siren_on_the_left_has_a_positive_bearing() -> None:
    plain = small_world(Scenario(duration_s=8.0), steady(0.0))
    place = plain.in_map(START_NS, np.array([[10.0, 10.0]]))[0]
    world = dataclasses.replace(plain, vehicles=(standing(plain, place, 'wail'),))

    assert truth_at(world, START_NS).siren_bearing_rad == pytest.approx(math.pi / 4)
