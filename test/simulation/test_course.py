# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A course obeys the curvature that it is given by."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mm_fusion.simulation.course import Course


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


def test_the_heading_is_the_integral_of_the_curvature() -> None:
    course = Course([(0.0, 0.0), (20.0, 0.05), (40.0, 0.0)], -5.0, 80.0, 0.2)

    for arc in np.linspace(1.0, 60.0, 24):
        before, after = course.pose_at(arc - 0.1), course.pose_at(arc + 0.1)
        turned = (after[2] - before[2]) / 0.2
        assert turned == pytest.approx(float(course.curvature_at(arc)), abs=2e-4)
        bearing = math.atan2(after[1] - before[1], after[0] - before[0])
        assert bearing == pytest.approx(float(course.pose_at(arc)[2]), abs=1e-3)
