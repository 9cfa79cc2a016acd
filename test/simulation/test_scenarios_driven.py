# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of the package promise happens when they are driven."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.scenario_file import load_scenario
from mm_fusion.simulation.sensors import gnss_fixes
from mm_fusion.simulation.traffic import simulate_world
from mm_fusion.simulation.truth import truth_at
from mm_fusion.simulation.world import START_NS, Motion, World
from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from mm_fusion.simulation.samples import DriveTruth

SECOND = 1_000_000_000


def truths(world: World) -> list[DriveTruth]:
    """Give the truth of each second."""
    seconds = (world.end_ns - START_NS) // SECOND
    return [truth_at(world, START_NS + second * SECOND) for second in range(seconds + 1)]


def frictions(found: list[DriveTruth]) -> list[tuple[str, int]]:
    """Give the friction classes in order, and how many seconds each lasts."""
    labels = [FRICTION_CLASSES[truth.friction] for truth in found]
    return [(label, len(list(run))) for label, run in groupby(labels)]


@pytest.fixture(scope='module')
def demo() -> list[DriveTruth]:
    return truths(simulate_world(load_scenario('demo')))


def test_the_demo_goes_from_dry_to_wet_to_snow_with_time_to_see_each(
    demo: list[DriveTruth],
) -> None:
    runs = frictions(demo)

    assert [label for label, _ in runs] == ['dry', 'wet', 'fresh_snow']
    assert min(seconds for _, seconds in runs) >= 8
    assert demo[-1].motion[Motion.ARC] > 300


def test_the_ambulance_of_the_demo_comes_by_and_is_heard(demo: list[DriveTruth]) -> None:
    distances = [truth.siren_distance_m or np.inf for truth in demo]

    assert abs(int(np.argmin(distances)) - 30) <= 3
    assert min(distances) < 20
    assert all(truth.siren for truth in demo[26:34])
    assert not any(truth.siren for truth in demo[:18])


def test_the_camera_of_the_demo_fails_when_no_siren_is_heard(demo: list[DriveTruth]) -> None:
    (fault,) = load_scenario('demo').faults

    assert (fault.sensor, fault.kind) == ('camera', 'dies')
    assert 5 <= fault.to_s - fault.from_s <= 8
    assert not any(truth.siren for truth in demo[int(fault.from_s) - 2 : int(fault.to_s) + 2])
    assert fault.to_s < len(demo) - 5


def test_rain_turns_to_snow_under_the_wheels() -> None:
    found = truths(simulate_world(load_scenario('wet_to_snow')))

    assert [label for label, _ in frictions(found)] == ['dry', 'wet', 'melted_snow', 'fresh_snow']
    assert found[-1].friction_coefficient < 0.5 * found[0].friction_coefficient


def test_the_tunnel_of_the_country_road_is_driven_through() -> None:
    stamps = [fix.stamp_ns for fix in gnss_fixes(simulate_world(load_scenario('rural')))]
    pause = np.diff(stamps) * 1e-9

    assert 4 < pause.max() < 20
    assert stamps[-1] - START_NS > 85 * SECOND
