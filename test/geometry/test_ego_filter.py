# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.geometry.ego_filter import EgoStateFilter
from mm_fusion.geometry.enu import LocalFrame
from mm_fusion.geometry.process import EAST, HEADING, NORTH, SPEED, YAW_RATE
from mm_fusion.settings import EgoFilterSettings
from mm_fusion.types.sensors import GnssFix, LocalPosition, VelocitySample
from support.driven import STEP_S, drive, position, stamp, velocity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.geometry.ego_filter import EgoState


def state(ego: EgoStateFilter, time_s: float) -> EgoState:
    found = ego.state_at(stamp(time_s))
    assert found is not None
    return found


def feed(ego: EgoStateFilter, samples: list[VelocitySample | LocalPosition]) -> EgoStateFilter:
    for sample in samples:
        ego.add(sample)
    return ego


def straight(duration_s: float, speed: float = 10.0) -> list[VelocitySample | LocalPosition]:
    """Drive east with positions once a second."""
    samples: list[VelocitySample | LocalPosition] = []
    for i in range(round(duration_s * 10) + 1):
        samples.append(velocity(0.1 * i, speed, 0.001))
        if i % 10 == 0:
            samples.append(position(0.1 * i, speed * 0.1 * i, 0.0))
    return samples


def squared_errors(seed: int, noise: float, first_s: float = 15.0) -> list[float]:
    """Return the normalised squared errors of the state over one drive."""
    driven = drive(seed, noise=noise)
    ego, errors, i = EgoStateFilter(), [], 0
    samples = driven.samples
    for k in range(0, len(driven.states), 10):
        time_s = k * STEP_S
        while i < len(samples) and samples[i].stamp_ns <= stamp(time_s):
            ego.add(samples[i])
            i += 1
        found = state(ego, time_s)
        if time_s >= first_s:
            error = found.mean - driven.states[k]
            error[HEADING] = math.remainder(error[HEADING], math.tau)
            errors.append(float(error @ np.linalg.solve(found.covariance, error)))
    return errors


@pytest.mark.parametrize('noise', [0.01, 0.1, 0.5, 1.0])
def test_the_filter_is_consistent(noise: float) -> None:
    """The mean normalised squared error of six numbers is six (Bar-Shalom, 2001).

    That holds for receivers whose errors are noise, and for those whose errors hardly change; in
    between, learning which it is costs a little certainty.
    """
    errors = [np.mean(squared_errors(seed, noise)) for seed in range(20)]
    assert 5.0 < float(np.mean(errors)) < 7.5


def test_velocity_alone_tells_the_motion() -> None:
    ego = EgoStateFilter()
    for i in range(51):
        ego.add(velocity(0.1 * i, 10.0 + 0.1 * i, 0.2))
    found = state(ego, 5.0)
    assert found.motion.speed_mps == pytest.approx(15.0, abs=0.1)
    assert found.motion.acceleration_mps2 == pytest.approx(1.0, abs=0.3)
    assert found.motion.yaw_rate_rps == pytest.approx(0.2, abs=0.01)
    assert not found.position_known
    assert not found.heading_known
    assert found.frame is None


def test_positions_alone_tell_motion_and_heading() -> None:
    ego = EgoStateFilter()
    angle = 2.0
    for i in range(30):
        way = 12.0 * i
        assert ego.add(position(i, way * math.cos(angle), way * math.sin(angle), std=1.0))
    found = state(ego, 29.0)
    assert found.heading_known
    assert math.remainder(float(found.mean[HEADING]) - angle, math.tau) == pytest.approx(
        0, abs=0.05
    )
    assert found.motion.speed_mps == pytest.approx(12.0, abs=0.5)


def test_one_position_tells_no_motion() -> None:
    ego = EgoStateFilter()
    ego.add(position(0.0, 1.0, 2.0))
    assert ego.state_at(stamp(0.0)) is None


def test_positions_of_a_standing_vehicle_tell_no_motion() -> None:
    random = np.random.default_rng(0)
    ego = EgoStateFilter()
    for i in range(60):
        ego.add(position(i, *(2.0 * random.normal(size=2)).tolist()))
    assert ego.state_at(stamp(59.0)) is None


def test_the_heading_of_a_reversing_vehicle_is_where_its_front_points() -> None:
    ego = EgoStateFilter()
    for i in range(101):
        ego.add(velocity(0.1 * i, -3.0, 0.001))
        if i % 10 == 0:
            assert ego.add(position(0.1 * i, -0.3 * i, 0.0, std=0.5))
    found = state(ego, 10.0)
    assert found.heading_known
    assert math.remainder(float(found.mean[HEADING]), math.tau) == pytest.approx(0.0, abs=0.1)
    assert found.motion.speed_mps == pytest.approx(-3.0, abs=0.1)


def test_positions_alone_never_show_a_vehicle_reversing() -> None:
    """Which way the front points cannot be told from them."""
    ego = EgoStateFilter()
    way = 0.0
    for i in range(60):
        speed = max(-10.0, 10.0 - max(0, i - 15))
        way += speed
        ego.add(position(i, way, 0.0, std=0.3))
    found = state(ego, 59.0)
    assert found.motion.speed_mps == pytest.approx(10.0, abs=0.3)
    assert abs(math.remainder(float(found.mean[HEADING]), math.tau)) == pytest.approx(
        math.pi, abs=0.1
    )


def turning_positions(offsets: NDArray[np.float64]) -> EgoStateFilter:
    """Drive a circle of 0.25 rad/s at 8 m/s; positions once a second, ``offsets`` beside it."""
    ego, radius = EgoStateFilter(), 8.0 / 0.25
    for i in range(10 * len(offsets)):
        angle = 0.25 * 0.1 * i
        ego.add(velocity(0.1 * i, 8.0))
        if i % 10 == 0:
            circle = radius * np.array([np.sin(angle), 1.0 - np.cos(angle)])
            east, north = (circle + offsets[i // 10]).tolist()
            assert ego.add(position(0.1 * i, east, north))
    return ego


def test_positions_that_share_an_error_tell_the_yaw_rate() -> None:
    """A receiver that is two metres off still tells to centimetres how the vehicle moved."""
    random = np.random.default_rng(0)
    off = np.array([1.5, -2.0]) + 0.05 * random.normal(size=(30, 2))
    found = state(turning_positions(off), 29.0)
    # Low, as turns are expected to end; with positions taken for noise it was 0.15 and 0.11.
    assert found.mean[YAW_RATE] == pytest.approx(0.22, abs=0.03)
    assert math.remainder(float(found.mean[HEADING]) - 0.25 * 29.0, math.tau) == pytest.approx(
        0.0, abs=0.04
    )
    assert found.covariance[EAST, EAST] == pytest.approx(2.0**2, rel=0.2), 'the error is not known'


def test_an_error_of_positions_that_jumps_does_not_turn_the_vehicle() -> None:
    """Other reflections put all following positions elsewhere."""
    steady = np.zeros((30, 2))
    jumped = steady.copy()
    jumped[25:] = [3.0, 3.0]
    found, expected = (state(turning_positions(off), 29.9) for off in (jumped, steady))
    assert abs(found.mean[HEADING] - expected.mean[HEADING]) < 0.06
    np.testing.assert_allclose((found.mean - expected.mean)[[EAST, NORTH]], [3.0, 3.0], atol=0.7)


def test_positions_are_followed_at_once_where_their_error_has_jumped() -> None:
    off = np.zeros((26, 2))
    before = state(turning_positions(off), 25.0)
    off[25] = [3.0, 3.0]
    after = state(turning_positions(off), 25.0)
    np.testing.assert_allclose((after.mean - before.mean)[[EAST, NORTH]], [3.0, 3.0], atol=0.5)


def test_a_fix_starts_a_local_frame() -> None:
    frame = LocalFrame(48.0, 11.0, 500.0)
    ego = EgoStateFilter()
    for i in range(20):
        ego.add(velocity(i, 10.0))
        latitude, longitude, altitude = frame.to_geodetic(np.array([0.0, 10.0 * i, 0.0]))
        fix = GnssFix(stamp(i), stamp(i), 'gnss', latitude, longitude, altitude, np.eye(2))
        assert ego.add(fix)
    found = state(ego, 19.0)
    assert found.frame is not None
    np.testing.assert_allclose(found.frame.to_local(48.0, 11.0, 500.0), 0.0, atol=1e-6)
    assert found.position_known
    np.testing.assert_allclose(found.mean[[EAST, NORTH]], [0.0, 190.0], atol=2.0)
    assert found.mean[HEADING] == pytest.approx(math.pi / 2, abs=0.05)


@pytest.mark.parametrize(
    ('yaw_rate', 'expected'), [('auto', 0.3), ('measured', 0.3), ('absent', 0.0)]
)
def test_whether_the_yaw_rate_is_measured(yaw_rate: str, expected: float) -> None:
    ego = EgoStateFilter(EgoFilterSettings(yaw_rate=yaw_rate))
    for i in range(20):
        ego.add(velocity(0.1 * i, 10.0, 0.3))
    assert state(ego, 1.9).mean[YAW_RATE] == pytest.approx(expected, abs=0.01)


def test_a_yaw_rate_that_is_always_zero_is_taken_as_unmeasured() -> None:
    zeros = [velocity(0.1 * i, 10.0, 0.0) for i in range(20)]
    unsure = state(feed(EgoStateFilter(), [*zeros]), 1.9)
    sure = state(feed(EgoStateFilter(EgoFilterSettings(yaw_rate='measured')), [*zeros]), 1.9)
    assert unsure.covariance[YAW_RATE, YAW_RATE] > 100 * sure.covariance[YAW_RATE, YAW_RATE]


def test_the_variances_of_a_message_count() -> None:
    ego = EgoStateFilter()
    ego.add(VelocitySample(stamp(0), stamp(0), 10.0, speed_variance=4.0))
    assert state(ego, 0.0).covariance[SPEED, SPEED] == pytest.approx(4.0, rel=0.05)
    ego.reset()
    ego.add(VelocitySample(stamp(0), stamp(0), 10.0))
    assert state(ego, 0.0).covariance[SPEED, SPEED] == pytest.approx(0.08**2, rel=0.05)


def test_the_covariance_of_the_first_position_is_that_of_the_state() -> None:
    covariance = np.array([[4.0, 1.0], [1.0, 9.0]])
    ego = EgoStateFilter()
    ego.add(velocity(0.0, 10.0))
    ego.add(LocalPosition(stamp(0.0), stamp(0.0), 'map', 3.0, 5.0, covariance))
    found = state(ego, 0.0)
    np.testing.assert_allclose(found.covariance[:2, :2], covariance, atol=1e-5)
    np.testing.assert_array_equal(found.mean[[EAST, NORTH]], [3.0, 5.0])


def test_uncertainty_grows_while_nothing_is_measured() -> None:
    ego = feed(EgoStateFilter(), straight(20.0))
    near, far = state(ego, 20.1), state(ego, 24.0)
    assert (np.diag(far.covariance)[:4] > 1.5 * np.diag(near.covariance)[:4]).all()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    delays_s=st.dictionaries(st.integers(0, 120), st.floats(0.1, 1.9), min_size=1, max_size=30),
)
def test_samples_may_come_late(seed: int, delays_s: dict[int, float]) -> None:
    """Within the memory, the order of arrival does not matter."""
    samples = drive(seed, duration_s=12.0).samples
    arrivals = [sample.stamp_ns + 1e9 * delays_s.get(i, 0.0) for i, sample in enumerate(samples)]
    shuffled = [samples[i] for i in np.argsort(arrivals, kind='stable')]
    in_order, out_of_order = EgoStateFilter(), EgoStateFilter()
    feed(in_order, samples)
    feed(out_of_order, shuffled)
    expected, found = state(in_order, 12.0), state(out_of_order, 12.0)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-9, atol=1e-9)
    assert in_order.rejected == out_of_order.rejected


def test_the_state_of_the_recent_past_uses_what_was_measured_by_then() -> None:
    samples = drive(3, duration_s=12.0).samples
    whole = feed(EgoStateFilter(), samples)
    part = feed(EgoStateFilter(), [s for s in samples if s.stamp_ns <= stamp(11.05)])
    np.testing.assert_array_equal(state(whole, 11.05).mean, state(part, 11.05).mean)


def test_reset_forgets_everything() -> None:
    ego = feed(EgoStateFilter(), straight(20.0))
    ego.add(velocity(20.05, 60.0))
    ego.reset()
    assert ego.state_at(stamp(20.0)) is None
    assert sum(ego.rejected.values()) == 0
    assert ego.add(velocity(1.0, 5.0)), 'an earlier time is welcome after a reset'
