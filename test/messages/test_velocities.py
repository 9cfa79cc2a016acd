# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import SampleError
from mm_fusion.messages import velocity_sample
from mm_fusion.types.sensors import DropReason, VelocitySample
from support.recordings import (
    RECEIVED_NS,
    STAMP_NS,
    image,
    number,
    odometry,
    twist_stamped,
    twist_with_covariance,
    velocity_report,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Received = Callable[[Any], Any]


def test_a_twist(received: Received) -> None:
    sample = velocity_sample(received(twist_stamped(-3.5, 0.25, 0.1)), RECEIVED_NS)

    assert sample == VelocitySample(STAMP_NS, RECEIVED_NS, -3.5, 0.1, 0.25)


def test_a_twist_with_covariance(received: Received) -> None:
    covariance = np.diag([0.04, 1.0, 1.0, 1.0, 1.0, 0.0009]).ravel()

    sample = velocity_sample(received(twist_with_covariance(8.0, 0.5, covariance)), RECEIVED_NS)

    assert sample == VelocitySample(STAMP_NS, RECEIVED_NS, 8.0, 0.0, 0.5, 0.04, 0.0009)


@pytest.mark.parametrize('unset', [0.0, -1.0, np.nan, np.inf])
def test_a_variance_that_is_none_is_unset(received: Received, unset: float) -> None:
    msg = received(twist_with_covariance(8.0, 0.5, np.full(36, unset)))

    sample = velocity_sample(msg, RECEIVED_NS)

    assert sample == VelocitySample(STAMP_NS, RECEIVED_NS, 8.0, 0.0, 0.5, None, None)


def test_the_twist_of_odometry(received: Received) -> None:
    sample = velocity_sample(received(odometry(5.0, 6.0, 1.0, 7.0, 0.2)), RECEIVED_NS)

    assert sample == VelocitySample(STAMP_NS, RECEIVED_NS, 7.0, 0.0, 0.2)


@pytest.mark.parametrize(
    'msg', [twist_stamped(2.0, 0.25), odometry(0.0, 0.0, 0.0, 2.0, 0.25)], ids=type
)
def test_yaw_rates_that_count_clockwise_are_turned_round(received: Received, msg: Any) -> None:
    sample = velocity_sample(received(msg), RECEIVED_NS, clockwise_yaw_rate=True)

    assert (sample.speed_mps, sample.yaw_rate_rps) == (2.0, -0.25)


def test_a_speed_without_a_yaw_rate_is_not_turned_round(received: Received) -> None:
    sample = velocity_sample(received(number(2.0)), RECEIVED_NS, clockwise_yaw_rate=True)

    assert (sample.speed_mps, sample.yaw_rate_rps) == (2.0, None)


def test_the_step_of_a_heading_from_360_to_0_degrees_is_no_yaw_rate() -> None:
    with pytest.raises(SampleError) as caught:
        velocity_sample(velocity_report(2.0, 0.0, 2 * np.pi / 0.02), RECEIVED_NS)
    assert caught.value.reason is DropReason.MALFORMED


def test_the_report_of_autoware() -> None:
    sample = velocity_sample(velocity_report(4.0, -0.5, 0.125), RECEIVED_NS)

    assert sample == VelocitySample(STAMP_NS, RECEIVED_NS, 4.0, -0.5, 0.125)


def test_a_bare_number_is_stamped_on_arrival_and_has_no_yaw_rate(received: Received) -> None:
    sample = velocity_sample(received(number(2.5)), RECEIVED_NS)

    assert sample == VelocitySample(RECEIVED_NS, RECEIVED_NS, 2.5)
    assert sample.yaw_rate_rps is None


@pytest.mark.parametrize(
    ('msg', 'reason'),
    [
        (twist_stamped(np.nan), DropReason.NOT_FINITE),
        (twist_stamped(1.0, np.inf), DropReason.NOT_FINITE),
        (twist_stamped(1.0, 0.0, np.nan), DropReason.NOT_FINITE),
        (number(np.nan), DropReason.NOT_FINITE),
        (odometry(0.0, 0.0, 0.0, np.nan), DropReason.NOT_FINITE),
        (twist_stamped(1001.0), DropReason.MALFORMED),
        (twist_stamped(1.0, -101.0), DropReason.MALFORMED),
        (twist_stamped(1.0, stamp_ns=0), DropReason.ZERO_STAMP),
        (image(np.zeros((1, 1, 1), np.uint8), 'mono8'), DropReason.UNSUPPORTED),
    ],
)
def test_a_velocity_that_is_none_is_refused_by_its_reason(
    received: Received, msg: Any, reason: DropReason
) -> None:
    with pytest.raises(SampleError) as caught:
        velocity_sample(received(msg), RECEIVED_NS)
    assert caught.value.reason is reason
