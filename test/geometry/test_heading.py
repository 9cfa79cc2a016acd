# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest

from mm_fusion.geometry.heading import (
    MAX_DEVIATION_RAD,
    FoundHeading,
    Waypoint,
    find_heading,
    remember,
)
from mm_fusion.geometry.process import ProcessModel


def waypoint(
    time_s: float, place: tuple[float, float], travel: tuple[float, float] = (0.0, 0.0)
) -> Waypoint:
    return Waypoint(round(time_s * 1e9), *place, 1.0, travel)


def find(
    *waypoints: Waypoint, reckoned: bool = True, yaw_rate_variance: float = 1e-4
) -> FoundHeading | None:
    return find_heading(
        waypoints[:-1],
        waypoints[-1],
        reckoned=reckoned,
        yaw_rate_variance=yaw_rate_variance,
        process=ProcessModel(),
    )


def test_the_heading_is_how_the_driven_way_has_to_be_turned() -> None:
    found = find(waypoint(0, (5, 5)), waypoint(1, (5, 15), (10, 0)))
    assert found is not None
    assert found.turn_rad == pytest.approx(math.pi / 2)
    assert found.variance == pytest.approx(2.0 / 100.0, rel=0.01)
    assert found.speed_mps == pytest.approx(10.0)
    assert found.speed_variance == pytest.approx(2.0)


def test_a_way_driven_in_reverse_turns_the_heading_by_half_a_turn() -> None:
    found = find(waypoint(0, (0, 0)), waypoint(1, (-10, 0), (-10, 0)))
    assert found is not None
    assert math.remainder(found.turn_rad, math.tau) == pytest.approx(0.0)


def test_without_dead_reckoning_the_vehicle_moves_forward() -> None:
    found = find(waypoint(0, (0, 0)), waypoint(1, (-10, 0)), reckoned=False)
    assert found is not None
    assert abs(found.turn_rad) == pytest.approx(math.pi)


@pytest.mark.parametrize('driven', [4.0, 21.0])
def test_ways_of_different_lengths_tell_nothing(driven: float) -> None:
    assert find(waypoint(0, (0, 0)), waypoint(1, (10, 0), (driven, 0))) is None


def test_the_shortest_baseline_that_is_long_enough_tells() -> None:
    found = find(
        waypoint(0, (-20, -20), (0, 0)),
        waypoint(1, (0, 0), (28, 0)),
        waypoint(2, (7, 0), (35, 0)),
        waypoint(2.2, (8, 0), (36, 0)),
    )
    assert found is not None
    assert found.turn_rad == pytest.approx(0.0)


def test_a_baseline_within_the_noise_tells_nothing() -> None:
    shortest = math.sqrt(2.0) / MAX_DEVIATION_RAD
    for factor, known in ((0.98, False), (1.02, True)):
        way = (factor * shortest, 0.0)
        found = find(waypoint(0, (0, 0)), waypoint(0.2, way, way), yaw_rate_variance=0.0)
        assert (found is not None) is known


def test_a_turn_that_is_not_measured_counts_as_noise() -> None:
    sure = find(waypoint(0, (0, 0)), waypoint(2, (20, 0), (20, 0)), yaw_rate_variance=0.0)
    unsure = find(waypoint(0, (0, 0)), waypoint(2, (20, 0), (20, 0)), yaw_rate_variance=0.01)
    # However little is known of the yaw rate, tyres limit it at this speed.
    blind = find(waypoint(0, (0, 0)), waypoint(2, (20, 0), (20, 0)), yaw_rate_variance=100.0)
    assert sure is not None
    assert unsure is not None
    assert blind is not None
    assert unsure.variance == pytest.approx(sure.variance + 0.01)
    assert unsure.variance < blind.variance < MAX_DEVIATION_RAD**2


def test_the_memory_is_bounded() -> None:
    kept: tuple[Waypoint, ...] = ()
    for i in range(1000):
        kept = remember(kept, waypoint(0.05 * i, (i, 0)))
    assert len(kept) <= 52
    assert kept[0].stamp_ns >= kept[-1].stamp_ns - 10_200_000_000
