# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from mm_fusion.geometry.baselines import baseline_motion
from mm_fusion.types.predictions import EgoMotion
from mm_fusion.types.sensors import VelocitySample

START_NS = 1_700_000_000_000_000_000


def velocity(time_s: float, speed: float, yaw_rate: float | None = None) -> VelocitySample:
    stamp_ns = START_NS + round(time_s * 1e9)
    return VelocitySample(stamp_ns, stamp_ns, speed, 0.0, yaw_rate)


def at(time_s: float) -> int:
    return START_NS + round(time_s * 1e9)


def check(samples: list[VelocitySample], time_s: float, speed: float, acceleration: float) -> None:
    found = baseline_motion(samples, at(time_s))
    assert found is not None
    assert found.speed_mps == pytest.approx(speed)
    assert found.acceleration_mps2 == pytest.approx(acceleration)
    assert found.yaw_rate_rps == 0.0


def test_speed_is_interpolated_and_acceleration_is_the_slope_of_the_last_second() -> None:
    samples = [velocity(0.1 * i, 5.0 + 0.2 * i) for i in range(41)]
    check(samples, 2.05, 5.0 + 2.0 * 2.05, 2.0)


def test_only_the_last_second_counts_for_the_acceleration() -> None:
    samples = [velocity(0.1 * i, 30.0 - i if i < 20 else 10.0) for i in range(31)]
    found = baseline_motion(samples, at(3.0))
    assert found is not None
    assert found.acceleration_mps2 == pytest.approx(0.0, abs=1e-12)


def test_yaw_rate_is_the_mean_of_the_last_half_second() -> None:
    samples = [velocity(0.1 * i, 5.0, 0.01 * i) for i in range(11)]
    found = baseline_motion(samples, at(1.0))
    assert found is not None
    assert found.yaw_rate_rps == pytest.approx(0.075)


def test_speed_is_held_after_the_last_sample() -> None:
    samples = [velocity(0.0, 4.0), velocity(0.5, 5.0)]
    check(samples, 0.9, 5.0, 2.0)


def test_samples_a_second_apart_still_tell_an_acceleration() -> None:
    samples = [velocity(0.0, 4.0), velocity(1.0, 6.0), velocity(2.0, 7.0)]
    check(samples, 1.5, 6.5, 2.0)


def test_one_sample_is_a_constant_velocity() -> None:
    assert baseline_motion([velocity(0.0, 4.0, 0.1)], at(0.5)) == EgoMotion(4.0, 0.0, 0.1)


@pytest.mark.parametrize('time_s', [-0.1, 2.6])
def test_nothing_is_known_before_the_first_sample_or_long_after_the_last(time_s: float) -> None:
    assert baseline_motion([velocity(0.0, 4.0)], at(time_s)) is None


def test_no_samples_are_no_motion() -> None:
    assert baseline_motion([], START_NS) is None


def test_a_gap_is_not_interpolated() -> None:
    samples = [velocity(0.0, 4.0), velocity(40.0, 20.0)]
    assert baseline_motion(samples, at(1.0)) == EgoMotion(4.0, 0.0, 0.0)
