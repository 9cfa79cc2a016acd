# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import get_args

import pytest

from mm_fusion.simulation.layout.network import speed_limit_mps
from mm_fusion.simulation.samples import FaultKind
from mm_fusion.simulation.scenario import SENSORS, Scenario
from mm_fusion.simulation.scenario_file import parse_scenario, scenario_to_yaml
from mm_fusion.simulation.scenario_generator import random_scenario
from mm_fusion.simulation.traffic import simulate_world
from mm_fusion.simulation.world import Motion
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES


@pytest.fixture(scope='module')
def scenarios() -> list[Scenario]:
    return [random_scenario(seed, faults=True) for seed in range(300)]


def test_each_is_valid_and_survives_a_file(scenarios: list[Scenario]) -> None:
    # Reading them checks every bound and every order; one in four, for YAML is slow.
    for scenario in scenarios[::4]:
        assert parse_scenario(scenario_to_yaml(scenario), scenario.name) == scenario


@pytest.mark.parametrize('duration_s', [0.5, 10.0, 7200.0])
def test_any_length_is_valid(duration_s: float) -> None:
    for seed in range(3):
        scenario = random_scenario(seed, duration_s, faults=True)
        assert scenario.duration_s == duration_s
        assert parse_scenario(scenario_to_yaml(scenario), scenario.name) == scenario


def test_every_class_comes_up_often(scenarios: list[Scenario]) -> None:
    for name, classes in (
        ('friction', FRICTION_CLASSES),
        ('material', MATERIAL_CLASSES),
        ('unevenness', UNEVENNESS_CLASSES),
    ):
        drives = Counter(
            found
            for scenario in scenarios
            for found in {getattr(item, name) for item in scenario.surface}
        )
        for found in classes:
            assert drives[found] >= 0.1 * len(scenarios), found


def test_every_pair_of_friction_and_material_comes_up(scenarios: list[Scenario]) -> None:
    found = {(item.friction, item.material) for one in scenarios for item in one.surface}

    assert found == set(product(FRICTION_CLASSES, MATERIAL_CLASSES))


def test_surface_and_weather_go_together(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        frictions = {item.friction for item in scenario.surface}
        rain = max(key.rain_mmph for key in scenario.weather)
        snowfall = max(key.snowfall_mmph for key in scenario.weather)
        if rain > 3:
            assert frictions <= {'wet', 'water'}
        if snowfall:
            assert frictions <= {'fresh_snow', 'melted_snow'}
            assert max(key.visibility_m for key in scenario.weather) < 2000
        if 'ice' in frictions:
            assert rain == 0


def test_materials_fit_the_road(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        materials = {item.material for item in scenario.surface}
        if scenario.road.kind == 'motorway':
            assert materials <= {'asphalt', 'concrete'}
        if materials & {'gravel', 'mud'}:
            assert scenario.road.kind == 'rural'


def test_light_traffic_sirens_tunnels_and_faults_vary(scenarios: list[Scenario]) -> None:
    suns = [scenario.weather[0].sun_elevation_deg for scenario in scenarios]
    sirens = [vehicle for scenario in scenarios for vehicle in scenario.emergencies]
    faults = [fault for scenario in scenarios for fault in scenario.faults]

    assert {scenario.road.kind for scenario in scenarios} == {'town', 'rural', 'motorway'}
    assert sum(sun > 10 for sun in suns) > 60
    assert sum(0 < sun < 10 for sun in suns) > 20
    assert sum(sun < -7 for sun in suns) > 20
    assert sum(scenario.weather[0].visibility_m < 800 for scenario in scenarios) > 20
    assert sum(scenario.road.tunnel_length_m > 0 for scenario in scenarios) > 20
    assert {vehicle.siren for vehicle in sirens} == {'wail', 'yelp', 'two_tone'}
    assert {vehicle.approach for vehicle in sirens} == {'oncoming', 'from_behind', 'crossing'}
    assert 0.3 < sum(bool(scenario.emergencies) for scenario in scenarios) / 300 < 0.95
    assert any(scenario.horns for scenario in scenarios)
    assert {fault.kind for fault in faults} == set(get_args(FaultKind))
    assert {fault.sensor for fault in faults} == set(SENSORS)
    assert random_scenario(3).faults == ()


def test_the_stretches_reach_as_far_as_the_vehicle_can(scenarios: list[Scenario]) -> None:
    top = {'town': 13.9, 'rural': 27.8, 'motorway': 36.1}
    for scenario in scenarios:
        last = scenario.surface[-1].from_m
        assert last > 0.6 * top[scenario.road.kind] * scenario.duration_s


@pytest.mark.parametrize('kind', ['town', 'rural', 'motorway'])
def test_they_can_be_driven(scenarios: list[Scenario], kind: str) -> None:
    scenario = next(
        one for one in scenarios if one.road.kind == kind and len(one.emergencies) == 1
    )
    world = simulate_world(replace(scenario, duration_s=4.0))

    assert world.ego.states[-1, Motion.ARC] > 5.0
    assert len(world.vehicles) > scenario.traffic.parked


def test_the_seed_decides() -> None:
    assert random_scenario(7) == random_scenario(7)
    assert random_scenario(7).surface != random_scenario(8).surface


def test_what_comes_from_behind_can_catch_up(scenarios: list[Scenario]) -> None:
    behind = [
        (vehicle.speed_mps, speed_limit_mps(scenario))
        for scenario in scenarios
        for vehicle in scenario.emergencies
        if vehicle.approach == 'from_behind'
    ]

    assert len(behind) > 20
    assert all(speed > limit + 3 for speed, limit in behind)
