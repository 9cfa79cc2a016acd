# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from alignment.samples import MS, at, velocity
from hypothesis import given, settings

from mm_fusion.alignment.history import History
from mm_fusion.alignment.velocity import interpolate, velocity_at

if TYPE_CHECKING:
    from mm_fusion.types.sensors import VelocitySample

number = st.floats(-50, 50)


def history(*samples: VelocitySample) -> History[VelocitySample]:
    held: History[VelocitySample] = History(10_000 * MS, 100)
    for sample in samples:
        held.add(sample.stamp_ns, sample)
    return held


@settings(deadline=None)
@given(number, number, number, number, st.integers(1, 2000), st.data())
def test_interpolation_is_exact_for_linear_signals(
    speed: float, slope: float, yaw_rate: float, turn: float, length: int, data: st.DataObject
) -> None:
    def truth(ms: int) -> VelocitySample:
        return velocity(
            ms,
            speed=speed + slope * ms,
            lateral_mps=slope - speed * ms,
            yaw_rate_rps=yaw_rate + turn * ms,
        )

    ms = data.draw(st.integers(0, length))
    found = velocity_at(history(truth(0), truth(length)), at(ms), 2000 * MS)
    assert found is not None
    expected = truth(ms)
    assert found.stamp_ns == expected.stamp_ns
    assert found.speed_mps == pytest.approx(expected.speed_mps, rel=1e-12, abs=1e-9)
    assert found.lateral_mps == pytest.approx(expected.lateral_mps, rel=1e-12, abs=1e-9)
    assert found.yaw_rate_rps == pytest.approx(expected.yaw_rate_rps, rel=1e-12, abs=1e-9)


def test_a_sample_on_the_instant_is_returned_itself() -> None:
    exact = velocity(20, speed=7.0)
    assert velocity_at(history(velocity(10), exact, velocity(30)), at(20), 1000 * MS) is exact


def test_the_newest_is_held_until_the_timeout() -> None:
    newest = velocity(10)
    assert velocity_at(history(newest), at(110), 100 * MS) is newest
    assert velocity_at(history(newest), at(110.001), 100 * MS) is None


def test_no_line_is_drawn_over_a_long_silence() -> None:
    before = velocity(0, speed=0.0)
    held = history(before, velocity(1000, speed=10.0))
    assert velocity_at(held, at(50), 100 * MS) is before
    assert velocity_at(held, at(500), 100 * MS) is None


def test_nothing_is_known_before_the_first_sample() -> None:
    assert velocity_at(history(velocity(10)), at(9), 1000 * MS) is None


def test_the_larger_variance_is_kept() -> None:
    mixed = interpolate(
        velocity(0, speed_variance=0.1, yaw_rate_variance=0.4),
        velocity(10, speed_variance=0.3, yaw_rate_variance=0.2),
        at(5),
    )
    assert (mixed.speed_variance, mixed.yaw_rate_variance) == (0.3, 0.4)


def test_what_one_neighbour_leaves_unset_stays_unset() -> None:
    full = velocity(0, yaw_rate_rps=0.1, speed_variance=0.1, yaw_rate_variance=0.1)
    mixed = interpolate(full, velocity(10), at(5))
    assert mixed.yaw_rate_rps is mixed.speed_variance is mixed.yaw_rate_variance is None
    assert mixed.speed_mps == 1.0


def test_it_was_known_when_the_later_of_both_arrived() -> None:
    mixed = interpolate(velocity(0, received_ms=40), velocity(10, received_ms=30), at(5))
    assert mixed.received_ns == at(40)
    mixed = interpolate(velocity(0, received_ms=3), velocity(10, received_ms=13), at(5))
    assert mixed.received_ns == at(13)
