# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.scenario import Scenario, VelocitySettings
from mm_fusion.simulation.sensors import velocities
from mm_fusion.simulation.world import START_NS, Motion, World
from support.worlds import small_world, steady

if TYPE_CHECKING:
    from mm_fusion.types.sensors import VelocitySample

PERFECT = VelocitySettings(speed_std_mps=0.0, yaw_rate_std_rps=0.0)


def drive(
    settings: VelocitySettings, duration_s: float = 10.0, speed_mps: float = 10.0, seed: int = 2
) -> tuple[World, list[VelocitySample]]:
    scenario = Scenario(seed=seed, duration_s=duration_s, velocity=settings)
    world = small_world(scenario, steady(speed_mps))
    return world, list(velocities(world))


def test_a_perfect_sensor_gives_the_motion_at_its_rate() -> None:
    world, samples = drive(PERFECT)

    assert [sample.stamp_ns for sample in samples[:3]] == [
        START_NS,
        START_NS + 20_000_000,
        START_NS + 40_000_000,
    ]
    assert len(samples) == 501
    for sample in samples:
        state = world.state_at(world.ego, sample.stamp_ns)
        assert sample.speed_mps == state[Motion.SPEED]
        assert sample.yaw_rate_rps == state[Motion.YAW_RATE]
        assert sample.lateral_mps == 0
    assert max(sample.yaw_rate_rps or 0.0 for sample in samples) == pytest.approx(0.2)
    assert samples[0].speed_variance is None
    assert samples[0].yaw_rate_variance is None


def test_noise_has_its_deviation_and_the_variances_say_so() -> None:
    settings = VelocitySettings(rate_hz=100.0, speed_std_mps=0.05, yaw_rate_std_rps=0.01)
    world, samples = drive(settings, 60.0)
    states = np.array([world.state_at(world.ego, sample.stamp_ns) for sample in samples])
    speed = np.array([sample.speed_mps for sample in samples]) - states[:, Motion.SPEED]
    yaw = np.array([sample.yaw_rate_rps for sample in samples]) - states[:, Motion.YAW_RATE]

    assert np.std(speed) == pytest.approx(0.05, rel=0.04)
    assert np.std(yaw) == pytest.approx(0.01, rel=0.04)
    assert abs(np.mean(yaw)) < 4 * 0.01 / np.sqrt(len(yaw))
    assert abs(np.corrcoef(speed, yaw)[0, 1]) < 0.05
    assert samples[0].speed_variance == pytest.approx(0.05**2)
    assert samples[0].yaw_rate_variance == pytest.approx(0.01**2)


def test_scale_error_and_bias_are_added_to_the_truth() -> None:
    settings = VelocitySettings(
        speed_std_mps=0.0, yaw_rate_std_rps=0.0, scale_error=0.02, yaw_rate_bias_rps=-0.03
    )
    _, samples = drive(settings, 1.0)

    assert [sample.speed_mps for sample in samples] == pytest.approx([10.2] * 51)
    assert [sample.yaw_rate_rps for sample in samples] == pytest.approx([-0.03] * 51)


def test_the_speed_comes_in_steps() -> None:
    settings = VelocitySettings(quantisation_mps=0.25, speed_std_mps=0.5)
    _, samples = drive(settings)
    steps = np.array([sample.speed_mps for sample in samples]) / 0.25

    assert (steps == np.rint(steps)).all()
    assert len(set(steps)) > 5
    assert samples[0].speed_variance == pytest.approx(0.5**2 + 0.25**2 / 12)


@pytest.mark.parametrize('speed_mps', [0.0, 0.04, -0.04])
def test_wheels_that_stand_measure_exactly_nothing(speed_mps: float) -> None:
    _, samples = drive(VelocitySettings(speed_std_mps=0.1), 1.0, speed_mps)

    assert {sample.speed_mps for sample in samples} == {0.0}


def test_reversing_is_negative() -> None:
    _, samples = drive(PERFECT, 1.0, -1.5)

    assert {sample.speed_mps for sample in samples} == {-1.5}


def test_the_seed_decides() -> None:
    one, same, other = (
        [sample.speed_mps for sample in drive(VelocitySettings(), 1.0, seed=seed)[1]]
        for seed in (2, 2, 3)
    )
    assert one == same
    assert one != other
