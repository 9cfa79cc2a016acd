# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.errors import SampleError
from mm_fusion.geometry.belief import Belief
from mm_fusion.geometry.ego_filter import EgoStateFilter
from mm_fusion.geometry.measurements import MeasuredPosition
from mm_fusion.geometry.position_errors import PositionErrors
from mm_fusion.geometry.process import EAST, HEADING, NORTH, ProcessModel
from mm_fusion.types.sensors import (
    DropReason,
    GnssFix,
    LocalPosition,
    Modality,
    VelocitySample,
)
from support.driven import drive, position, stamp, velocity


def driving_east(until_s: int = 20) -> EgoStateFilter:
    ego = EgoStateFilter()
    for i in range(until_s * 10 + 1):
        assert ego.add(velocity(0.1 * i, 10.0, 0.001))
        if i % 10 == 0:
            assert ego.add(position(0.1 * i, i * 1.0, 0.0))
    return ego


def motion_at(ego: EgoStateFilter, time_s: float) -> tuple[float, float]:
    found = ego.state_at(stamp(time_s))
    assert found is not None
    return found.motion.speed_mps, found.motion.yaw_rate_rps


@pytest.mark.parametrize(('speed', 'yaw_rate'), [(60.0, 0.0), (-20.0, 0.0), (10.0, 3.0)])
def test_an_outlier_of_the_velocity_is_refused(speed: float, yaw_rate: float) -> None:
    ego = driving_east()
    assert not ego.add(velocity(20.1, speed, yaw_rate))
    assert ego.rejected == {Modality.VELOCITY: 1, Modality.GNSS: 0}
    np.testing.assert_allclose(motion_at(ego, 20.1), (10.0, 0.0), atol=0.2)


def test_an_outlier_of_the_position_is_refused() -> None:
    ego = driving_east()
    assert not ego.add(position(20.1, 300.0, 300.0))
    assert ego.rejected == {Modality.VELOCITY: 0, Modality.GNSS: 1}
    found = ego.state_at(stamp(20.1))
    assert found is not None
    np.testing.assert_allclose(found.mean[[EAST, NORTH]], [201.0, 0.0], atol=2.0)


def test_a_velocity_that_insists_is_believed() -> None:
    ego = driving_east()
    answers = [ego.add(velocity(20.0 + 0.1 * i, 25.0, 0.001)) for i in range(1, 15)]
    assert not any(answers[:10])
    assert all(answers[10:])
    assert motion_at(ego, 21.4)[0] == pytest.approx(25.0, abs=0.5)


@pytest.mark.parametrize(('gate_sigmas', 'accepted'), [(5.0, True), (1.0, False)])
def test_a_gate_holds_where_it_is_narrower_than_what_tells_a_jump(
    gate_sigmas: float, accepted: bool
) -> None:
    belief = Belief(0, ProcessModel(), position_errors=PositionErrors(1.0, 100.0))
    belief.heading_known = belief.position_known = belief.speed_measured = True
    two_sigmas_off = MeasuredPosition(4.0, 0.0, 4.0, 0.0, 4.0)
    assert belief.use_position(two_sigmas_off, gate_sigmas) is accepted


def test_positions_that_insist_are_believed_and_tell_the_heading_again() -> None:
    ego = driving_east()
    answers = []
    for i in range(1, 121):
        ego.add(velocity(20.0 + 0.1 * i, 10.0, 0.001))
        if i % 10 == 0:
            answers.append(ego.add(position(20.0 + 0.1 * i, 900.0, 1.0 * i)))
    assert answers == [False, False, *[True] * 10]
    found = ego.state_at(stamp(32.0))
    assert found is not None
    assert found.heading_known
    assert math.remainder(float(found.mean[HEADING]), math.tau) == pytest.approx(
        math.pi / 2, abs=0.2
    )
    np.testing.assert_allclose(found.mean[[EAST, NORTH]], [900.0, 120.0], atol=4.0)


def test_single_outliers_do_not_add_up() -> None:
    ego = driving_east()
    for i in range(1, 100):
        odd = i % 3 == 0
        assert ego.add(velocity(20.0 + 0.1 * i, 40.0 if odd else 10.0, 0.001)) is not odd
    assert motion_at(ego, 29.9)[0] == pytest.approx(10.0, abs=0.2)


def test_a_long_gap_starts_the_filter_anew() -> None:
    ego = driving_east()
    assert ego.state_at(stamp(24.9)) is not None
    assert ego.state_at(stamp(25.1)) is None
    assert ego.add(velocity(60.0, 3.0, 0.001))
    assert ego.add(velocity(59.9, 3.0, 0.001)), 'late, and the first after the gap'
    assert ego.restarts == 1
    assert motion_at(ego, 60.0)[0] == pytest.approx(3.0, abs=0.01)
    found = ego.state_at(stamp(60.0))
    assert found is not None
    assert not found.position_known


def test_a_sample_beyond_the_memory_is_refused() -> None:
    ego = driving_east()
    before = motion_at(ego, 20.0)
    assert not ego.add(velocity(17.9, 30.0, 0.001))
    assert ego.rejected[Modality.VELOCITY] == 1
    assert motion_at(ego, 20.0) == before


def test_a_late_sample_may_change_what_was_refused_after_it() -> None:
    """The history is filtered anew, and the counters with it."""
    ego = EgoStateFilter()
    for i in range(31):
        ego.add(velocity(0.1 * i, 10.0))
    assert not ego.add(velocity(3.3, 11.5))
    assert ego.rejected[Modality.VELOCITY] == 1
    for time_s, speed in ((3.1, 10.5), (3.2, 11.0)):
        assert ego.add(velocity(time_s, speed))
    assert ego.rejected[Modality.VELOCITY] == 0


def test_a_first_position_far_from_all_others_does_not_hold_the_frame() -> None:
    ego = EgoStateFilter()
    ego.add(GnssFix(stamp(0), stamp(0), 'gnss', 0.0, 0.0, 0.0, None))
    answers = [
        ego.add(GnssFix(stamp(i), stamp(i), 'gnss', 48.0 + 1e-4 * i, 11.0, 0.0, None))
        for i in range(1, 20)
    ]
    assert answers == [False, False, *[True] * 17]
    found = ego.state_at(stamp(19))
    assert found is not None
    assert found.frame is not None
    assert found.frame.latitude_deg == pytest.approx(48.0, abs=1e-2)
    assert found.motion.speed_mps == pytest.approx(11.1, abs=1.0)


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ('sample', 'reason'),
    [
        (VelocitySample(1, 1, NAN), DropReason.NOT_FINITE),
        (VelocitySample(1, 1, INF), DropReason.NOT_FINITE),
        (VelocitySample(1, 1, 1e6), DropReason.MALFORMED),
        (VelocitySample(1, 1, 1.0, yaw_rate_rps=NAN), DropReason.NOT_FINITE),
        (VelocitySample(1, 1, 1.0, speed_variance=NAN), DropReason.NOT_FINITE),
        (VelocitySample(1, 1, 1.0, speed_variance=-1.0), DropReason.MALFORMED),
        (LocalPosition(1, 1, 'map', NAN, 0.0, None), DropReason.NOT_FINITE),
        (LocalPosition(1, 1, 'map', 1e9, 0.0, None), DropReason.MALFORMED),
        (LocalPosition(1, 1, 'map', 0.0, 0.0, np.full((2, 2), NAN)), DropReason.NOT_FINITE),
        (LocalPosition(1, 1, 'map', 0.0, 0.0, -np.eye(2)), DropReason.MALFORMED),
        (LocalPosition(1, 1, 'map', 0.0, 0.0, np.array([[1.0, 2], [2, 1]])), DropReason.MALFORMED),
        (GnssFix(1, 1, 'gnss', NAN, 0.0, 0.0, None), DropReason.NOT_FINITE),
        (GnssFix(1, 1, 'gnss', 95.0, 0.0, 0.0, None), DropReason.MALFORMED),
    ],
)
def test_a_sample_that_is_none_is_refused_with_its_reason(
    sample: VelocitySample | LocalPosition | GnssFix, reason: DropReason
) -> None:
    ego = EgoStateFilter()
    with pytest.raises(SampleError) as caught:
        ego.add(sample)
    assert caught.value.reason is reason
    assert ego.state_at(1) is None


def test_kinds_of_positions_do_not_mix() -> None:
    ego = driving_east()
    with pytest.raises(SampleError, match='after metric ones'):
        ego.add(GnssFix(stamp(21), stamp(21), 'gnss', 48.0, 11.0, 0.0, None))
    ego.reset()
    ego.add(GnssFix(stamp(21), stamp(21), 'gnss', 48.0, 11.0, 0.0, None))
    with pytest.raises(SampleError, match='after latitude and longitude'):
        ego.add(position(22, 0.0, 0.0))


SPEEDS = st.floats(-150.0, 150.0)
VARIANCES = st.one_of(st.none(), st.floats(0.0, 1e8))
TIMES = st.floats(0.0, 30.0)


def any_velocity(
    time_s: float, speed: float, yaw_rate: float | None, variance: float | None
) -> VelocitySample:
    return VelocitySample(stamp(time_s), stamp(time_s), speed, 0.0, yaw_rate, variance)


@settings(max_examples=150, deadline=None)
@given(
    samples=st.lists(
        st.one_of(
            st.builds(
                any_velocity, TIMES, SPEEDS, st.one_of(st.none(), st.floats(-20, 20)), VARIANCES
            ),
            st.builds(
                position, TIMES, st.floats(-1e7, 1e7), st.floats(-1e7, 1e7), st.floats(0.0, 1e4)
            ),
        ),
        max_size=40,
    )
)
def test_no_input_makes_the_state_anything_but_numbers(
    samples: list[VelocitySample | LocalPosition],
) -> None:
    ego = EgoStateFilter()
    for sample in samples:
        ego.add(sample)
        found = ego.state_at(sample.stamp_ns)
        if found is None:
            continue
        assert np.isfinite(found.mean).all()
        assert np.isfinite(found.covariance).all()
        np.testing.assert_array_equal(found.covariance, found.covariance.T)
        deviations = np.sqrt(np.maximum(np.diag(found.covariance), 1e-12))
        correlations = found.covariance / deviations / deviations[:, None]
        assert np.linalg.eigvalsh(correlations).min() > -1e-6


def test_minutes_of_driving_keep_the_covariance_positive() -> None:
    ego = EgoStateFilter()
    driven = drive(7, duration_s=120.0)
    for turn in range(5):
        for sample in driven.samples:
            shift = turn * 120_000_000_000
            if isinstance(sample, VelocitySample):
                ego.add(
                    VelocitySample(
                        sample.stamp_ns + shift, 0, sample.speed_mps, 0.0, sample.yaw_rate_rps
                    )
                )
    found = ego.state_at(stamp(599.9))
    assert found is not None
    assert np.linalg.eigvalsh(found.covariance).min() > 0.0
