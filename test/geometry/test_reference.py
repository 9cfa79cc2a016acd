# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.geometry.motion import roll_out
from mm_fusion.geometry.reference import ReferencePath
from mm_fusion.types.predictions import EgoMotion

START_NS = 1_700_000_000_000_000_000


def circle(times_s: list[float], *, speed: float, yaw_rate: float, turned: float) -> ReferencePath:
    """Drive a circle in a frame that is turned against the vehicle's at the start."""
    rolled = roll_out('ctrv', EgoMotion(speed, 0.0, yaw_rate), times_s)
    cosine, sine = math.cos(turned), math.sin(turned)
    return ReferencePath(
        np.array([START_NS + round(t * 1e9) for t in times_s], dtype=np.int64),
        rolled.positions @ np.array([[cosine, sine], [-sine, cosine]]) + (100.0, -50.0),
        np.angle(np.exp(1j * (rolled.headings + turned))),
        np.full(len(times_s), speed),
    )


@settings(deadline=None)
@given(
    speed=st.floats(1.0, 20.0),
    yaw_rate=st.floats(-0.5, 0.5),
    turned=st.floats(-4.0, 4.0),
    start_s=st.floats(0.0, 10.0),
)
def test_the_future_of_a_circle_is_a_circle(
    speed: float, yaw_rate: float, turned: float, start_s: float
) -> None:
    path = circle([float(i) for i in range(20)], speed=speed, yaw_rate=yaw_rate, turned=turned)
    times = [0.5, 3.0, 6.25]
    found = path.future_in_base_link(START_NS + round(start_s * 1e9), times)
    assert found is not None
    expected = roll_out('ctrv', EgoMotion(speed, 0.0, yaw_rate), times)
    np.testing.assert_allclose(found[0], expected.positions, atol=0.02)
    np.testing.assert_allclose(found[1], expected.headings, atol=1e-6)


def test_a_reversing_vehicle_leaves_behind_itself() -> None:
    path = circle([0.0, 1.0, 2.0], speed=-2.0, yaw_rate=0.0, turned=1.0)
    found = path.future_in_base_link(START_NS, [0.5, 2.0])
    assert found is not None
    np.testing.assert_allclose(found[0], [[-1.0, 0.0], [-4.0, 0.0]], atol=1e-9)


@pytest.mark.parametrize('start_s', [-0.1, 4.1])
def test_what_is_not_covered_is_not_known(start_s: float) -> None:
    path = circle([float(i) for i in range(11)], speed=5.0, yaw_rate=0.0, turned=0.0)
    assert path.future_in_base_link(START_NS + round(start_s * 1e9), [6.0]) is None
    assert path.future_in_base_link(START_NS + 4_000_000_000, [6.0]) is not None


@pytest.mark.parametrize(('gap_s', 'known'), [(2.5, True), (2.6, False)])
def test_a_gap_hides_the_future_even_between_the_times(gap_s: float, known: bool) -> None:
    times = [0.0, 1.0, 2.0, 2.0 + gap_s, 6.0, 7.0]
    path = circle(times, speed=5.0, yaw_rate=0.0, turned=0.0)
    assert (path.future_in_base_link(START_NS, [1.0, 6.0]) is not None) is known
    assert path.future_in_base_link(START_NS, [1.0, 2.0]) is not None
    assert path.future_in_base_link(START_NS + 6_000_000_000, [1.0]) is not None


def test_a_heading_may_pass_the_half_turn() -> None:
    path = circle([0.0, 1.0, 2.0], speed=5.0, yaw_rate=0.4, turned=math.pi - 0.3)
    found = path.future_in_base_link(START_NS, [0.9, 1.9])
    assert found is not None
    np.testing.assert_allclose(found[1], [0.36, 0.76], atol=1e-9)


def test_a_path_that_contradicts_itself_is_refused() -> None:
    stamps = np.array([0, 1], dtype=np.int64)
    places, row = np.zeros((2, 2)), np.zeros(2)
    with pytest.raises(ValueError, match='shapes'):
        ReferencePath(stamps, np.zeros((3, 2)), row, row)
    with pytest.raises(ValueError, match='shapes'):
        ReferencePath(stamps[:0], places[:0], row[:0], row[:0])
    with pytest.raises(ValueError, match='increasing'):
        ReferencePath(stamps[::-1], places, row, row)
    with pytest.raises(ValueError, match='finite'):
        ReferencePath(stamps, places, row * math.nan, row)


def askew(path: ReferencePath, angle: float) -> ReferencePath:
    return ReferencePath(path.stamps_ns, path.positions, path.headings + angle, path.speeds)


@given(
    angle=st.floats(-0.1, 0.1),
    yaw_rate=st.floats(-0.019, 0.019),
    turned=st.floats(-4.0, 4.0),
)
def test_headings_that_are_off_by_a_constant_are_turned_to_the_travel(
    angle: float, yaw_rate: float, turned: float
) -> None:
    times_s = [0.1 * i for i in range(60)]
    true = circle(times_s, speed=10.0, yaw_rate=yaw_rate, turned=turned)
    path = askew(true, angle)
    assert path.travel_rad == pytest.approx(-angle, abs=1e-6)
    np.testing.assert_allclose(path.along_travel().headings, true.headings, atol=1e-6)


@pytest.mark.parametrize(
    ('speed', 'yaw_rate', 'count'), [(4.9, 0.0, 60), (10.0, 0.03, 60), (10.0, 0.0, 29)]
)
def test_slow_or_short_driving_and_bends_tell_nothing_of_it(
    speed: float, yaw_rate: float, count: int
) -> None:
    times_s = [0.1 * i for i in range(count)]
    path = askew(circle(times_s, speed=speed, yaw_rate=yaw_rate, turned=0.3), 0.05)
    assert path.travel_rad == 0.0
    np.testing.assert_array_equal(path.along_travel().headings, path.headings)


def test_noise_of_the_headings_does_not_choose_what_is_straight() -> None:
    """Headings that alternate by as much as a bend would turn in a tenth of a second."""
    times_s = [0.1 * i for i in range(200)]
    path = circle(times_s, speed=10.0, yaw_rate=0.0, turned=0.3)
    wobbling = ReferencePath(
        path.stamps_ns,
        path.positions,
        path.headings + 0.02 + 0.004 * (np.arange(200) % 2),
        path.speeds,
    )
    assert wobbling.travel_rad == pytest.approx(-0.022, abs=1e-3)


def test_what_lies_across_a_gap_tells_nothing_of_it() -> None:
    path = askew(circle([3.0 * i for i in range(60)], speed=10.0, yaw_rate=0.0, turned=0.0), 0.05)
    assert path.travel_rad == 0.0


def test_a_path_of_one_pose_tells_nothing_of_it() -> None:
    assert circle([0.0], speed=10.0, yaw_rate=0.0, turned=0.0).travel_rad == 0.0
