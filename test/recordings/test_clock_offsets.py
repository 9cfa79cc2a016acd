# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Offsets of clocks are found with their sign, or it is said why they cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.recordings.clock_offsets import (
    Motion,
    clock_offset,
    course_comparisons,
    turn_comparison,
    way_comparisons,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS = 80.0


def speed(times_s: NDArray[Any]) -> NDArray[Any]:
    return 10.0 + 4.0 * np.sin(0.5 * times_s) + 2.0 * np.sin(0.23 * times_s + 1.0)


def yaw_rate(times_s: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(0.15 * np.sin(0.4 * times_s) + 0.1 * np.sin(0.9 * times_s))


def motion(*, later_s: float = 0.0, turning: bool = True, still: bool = False) -> Motion:
    """The motion whose stamps are too late by so much."""
    times_s = np.arange(0.0, SECONDS, 0.02, dtype=np.float64)
    speeds = np.full_like(times_s, 10.0) if still else speed(times_s)
    return Motion(times_s + later_s, speeds, yaw_rate(times_s) if turning else None)


def positions(*, rate_hz: float = 10.0, noise_m: float = 0.0) -> tuple[NDArray[Any], NDArray[Any]]:
    fine_s = np.arange(0.0, SECONDS, 0.001, dtype=np.float64)
    heading = np.cumsum(yaw_rate(fine_s)) * 0.001
    step = speed(fine_s) * 0.001
    track = np.stack([np.cumsum(step * np.cos(heading)), np.cumsum(step * np.sin(heading))], 1)
    every = round(1000 / rate_hz)
    noise = np.random.default_rng(1).normal(0.0, noise_m, track[::every].shape)
    return fine_s[::every], track[::every] + noise


@pytest.mark.parametrize('later_s', [-0.7, 0.0, 0.3])
@pytest.mark.parametrize('compare', [way_comparisons, course_comparisons])
def test_positions_tell_how_late_the_velocity_is_stamped(compare: Any, later_s: float) -> None:
    offset = clock_offset('gnss', 'velocity', compare(*positions(), motion(later_s=later_s)))
    assert offset is not None
    # The velocity is late, so the positions are early.
    assert offset.offset_s == pytest.approx(-later_s, abs=0.02)
    assert (offset.sensor, offset.reference) == ('gnss', 'velocity')


def test_the_deviation_covers_what_noise_does() -> None:
    comparisons = way_comparisons(*positions(rate_hz=5.0, noise_m=0.3), motion(later_s=0.3))
    offset = clock_offset('gnss', 'velocity', comparisons)
    assert offset is not None
    assert offset.offset_s is not None
    assert offset.std_s is not None
    assert 0.0 < offset.std_s < 0.15
    assert abs(offset.offset_s + 0.3) < 3 * offset.std_s


def test_without_a_yaw_rate_a_drive_straight_ahead_tells_as_much() -> None:
    times_s = np.arange(0.0, SECONDS, 0.1, dtype=np.float64)
    way_m = (
        10.0 * times_s - 8.0 * np.cos(0.5 * times_s) - 2.0 / 0.23 * np.cos(0.23 * times_s + 1.0)
    )
    places_m = np.stack([way_m, np.zeros_like(way_m)], axis=1)
    comparisons = way_comparisons(times_s, places_m, motion(later_s=0.3, turning=False))
    offset = clock_offset('gnss', 'velocity', comparisons)
    assert offset is not None
    assert offset.offset_s == pytest.approx(-0.3, abs=0.02)


@pytest.mark.parametrize('later_s', [-0.2, 0.15])
def test_the_motion_of_the_image_tells_it_as_well(later_s: float) -> None:
    begin_s = np.arange(1.0, SECONDS - 1.0, 0.1, dtype=np.float64)
    shifts = 0.7 * yaw_rate(begin_s + 0.05)
    comparison = turn_comparison(begin_s, begin_s + 0.1, shifts, motion(later_s=later_s))
    offset = clock_offset('camera', 'velocity', [comparison])
    assert offset is not None
    assert offset.offset_s == pytest.approx(-later_s, abs=0.02)
    assert offset.method == 'image motion'


def test_an_even_motion_tells_nothing() -> None:
    offset = clock_offset(
        'gnss', 'velocity', way_comparisons(*positions(), motion(still=True, turning=False))
    )
    assert offset is not None
    assert offset.offset_s is None
    assert offset.problem == 'the motion does not change'


def test_motions_of_two_drives_do_not_agree() -> None:
    times_s, places_m = positions()
    stranger = Motion(times_s, 5.0 + np.random.default_rng(2).random(times_s.size), None)
    offset = clock_offset('gnss', 'velocity', way_comparisons(times_s, places_m, stranger))
    assert offset is not None
    assert offset.offset_s is None
    assert offset.correlation is not None


def test_an_offset_out_of_reach_is_not_made_up() -> None:
    offset = clock_offset('gnss', 'velocity', way_comparisons(*positions(), motion(later_s=3.0)))
    assert offset is not None
    assert offset.offset_s is None or offset.correlation is not None
    assert offset.offset_s != pytest.approx(-3.0, abs=0.5)


def test_a_gap_in_the_positions_is_left_out() -> None:
    times_s, places_m = positions()
    kept = (times_s < 30.0) | (times_s > 60.0)
    comparisons = way_comparisons(times_s[kept], places_m[kept], motion(later_s=0.3))
    assert all(comparison.seen.max() < 17.0 for comparison in comparisons)
    offset = clock_offset('gnss', 'velocity', comparisons)
    assert offset is not None
    assert offset.offset_s == pytest.approx(-0.3, abs=0.02)


def test_a_few_positions_are_nothing_to_compare() -> None:
    times_s, places_m = positions()
    assert (
        clock_offset('gnss', 'velocity', way_comparisons(times_s[:9], places_m[:9], motion()))
        is None
    )
