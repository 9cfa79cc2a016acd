# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The made course obeys the kinematics that it is given by."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.course import Course, DrivenCourse, SpeedProfile


def test_a_circle_closes() -> None:
    radius = 20.0
    around = 2 * math.pi * radius
    course = Course([(0.0, 1 / radius)], 0.0, around + 1, 0.3)

    begin, end = course.pose_at(0.0), course.pose_at(around)

    assert end[:2] == pytest.approx(begin[:2], abs=1e-3)
    assert end[2] - begin[2] == pytest.approx(2 * math.pi, abs=1e-9)


def test_the_course_passes_the_origin_with_the_given_heading() -> None:
    course = Course([(-10.0, 0.01), (10.0, -0.02)], -30.0, 30.0, 0.7)

    assert course.pose_at(0.0) == pytest.approx([0.0, 0.0, 0.7], abs=1e-9)


@pytest.mark.parametrize(
    ('heading', 'place'), [(0.0, (4.0, 2.0)), (math.pi / 2, (-2.0, 4.0)), (math.pi, (-4.0, -2.0))]
)
def test_left_of_a_course_is_to_its_left(heading: float, place: tuple[float, float]) -> None:
    course = Course([(0.0, 0.0)], 0.0, 10.0, heading)

    assert course.beside(4.0, 2.0) == pytest.approx(place)


@given(
    st.lists(st.floats(0.5, 4.0), min_size=2, max_size=5),
    st.lists(st.floats(0.0, 20.0), min_size=5, max_size=5),
    st.floats(0.0, 1.0),
)
def test_speed_and_acceleration_are_the_derivatives_of_distance(
    spans: list[float], speeds: list[float], share: float
) -> None:
    times = np.concatenate([[0.0], np.cumsum(spans)])
    profile = SpeedProfile(list(zip(times, speeds[: len(times)], strict=False)))
    time, step = share * float(times[len(profile.knots) - 1]), 1e-4

    before, here, after = (profile.at(time + k * step) for k in (-1, 0, 1))

    if time > 2 * step:
        assert (after[0] - before[0]) / (2 * step) == pytest.approx(here[1], abs=1e-2)
        assert (after[1] - before[1]) / (2 * step) == pytest.approx(here[2], abs=2e-2)


def test_the_speed_stays_after_the_last_knot() -> None:
    profile = SpeedProfile([(0.0, 4.0), (2.0, 8.0)])

    assert profile.at(2.0) == pytest.approx((12.0, 8.0, 0.0))
    assert profile.at(5.0) == pytest.approx((36.0, 8.0, 0.0))


def test_the_yaw_rate_is_the_derivative_of_the_heading() -> None:
    driven = DrivenCourse(
        Course([(0.0, 0.0), (20.0, 0.05), (40.0, 0.0)], -5.0, 80.0, 0.2),
        SpeedProfile([(0.0, 6.0), (5.0, 9.0)]),
    )

    for time in np.linspace(0.2, 4.8, 24):
        before, here, after = (driven.truth_at(time + k * 1e-2) for k in (-1, 0, 1))
        rate = (after.heading_rad - before.heading_rad) / 2e-2
        assert rate == pytest.approx(here.yaw_rate_rps, abs=2e-3)
