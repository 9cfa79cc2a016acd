# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.errors import SampleError
from mm_fusion.messages import position_sample
from mm_fusion.types.sensors import DropReason, GnssFix, LocalPosition
from support.recordings import (
    RECEIVED_NS,
    STAMP_NS,
    TYPES,
    header,
    nav_sat_fix,
    number,
    pose,
    pose_stamped,
    pose_with_covariance,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Received = Callable[[Any], Any]


def refusal(msg: Any) -> SampleError:
    with pytest.raises(SampleError) as caught:
        position_sample(msg, RECEIVED_NS)
    return caught.value


def fix_of(msg: Any) -> GnssFix:
    sample = position_sample(msg, RECEIVED_NS)
    assert isinstance(sample, GnssFix)
    return sample


def local_of(msg: Any) -> LocalPosition:
    sample = position_sample(msg, RECEIVED_NS)
    assert isinstance(sample, LocalPosition)
    return sample


def test_a_fix_keeps_its_values(received: Received) -> None:
    fix = fix_of(received(nav_sat_fix(48.1, 11.5, 520.0)))

    assert (fix.stamp_ns, fix.received_ns, fix.frame_id) == (STAMP_NS, RECEIVED_NS, 'sensor')
    assert (fix.latitude_deg, fix.longitude_deg, fix.altitude_m) == (48.1, 11.5, 520.0)
    assert fix.covariance is not None
    np.testing.assert_array_equal(fix.covariance, [[4.0, 0.5], [0.5, 9.0]])


def test_a_fix_without_altitude_is_good(received: Received) -> None:
    assert np.isnan(fix_of(received(nav_sat_fix(altitude=np.nan))).altitude_m)


@pytest.mark.parametrize(
    ('fields', 'reason'),
    [
        ({'latitude': np.nan}, DropReason.NOT_FINITE),
        ({'longitude': np.inf}, DropReason.NOT_FINITE),
        ({'altitude': np.inf}, DropReason.NOT_FINITE),
        ({'latitude': 90.001}, DropReason.MALFORMED),
        ({'longitude': -180.001}, DropReason.MALFORMED),
        ({'altitude': 1e9}, DropReason.MALFORMED),
        ({'status': -1}, DropReason.NO_FIX),
        ({'status': -2}, DropReason.NO_FIX),
        ({'status': -1, 'latitude': np.nan, 'longitude': np.nan}, DropReason.NO_FIX),
        ({'latitude': 0.0, 'longitude': 0.0}, DropReason.NO_FIX),
        ({'stamp_ns': 0}, DropReason.ZERO_STAMP),
    ],
)
def test_a_fix_that_is_none_is_refused_by_its_reason(
    received: Received, fields: dict[str, Any], reason: DropReason
) -> None:
    assert refusal(received(nav_sat_fix(**fields))).reason is reason


def trusted(msg: Any) -> GnssFix:
    sample = position_sample(msg, RECEIVED_NS, trust_unset_status=True)
    assert isinstance(sample, GnssFix)
    return sample


def test_a_status_that_is_unset_can_be_trusted(received: Received) -> None:
    assert trusted(received(nav_sat_fix(status=-2))).latitude_deg == 48.1
    assert trusted(received(nav_sat_fix(status=0))).latitude_deg == 48.1


@pytest.mark.parametrize(
    'fields',
    [{'status': -1}, {'status': -3}, {'status': -2, 'latitude': 0.0, 'longitude': 0.0}],
)
def test_no_more_than_the_unset_status_is_trusted(
    received: Received, fields: dict[str, Any]
) -> None:
    with pytest.raises(SampleError) as caught:
        trusted(received(nav_sat_fix(**fields)))
    assert caught.value.reason is DropReason.NO_FIX


def test_a_position_on_the_equator_is_good() -> None:
    assert fix_of(nav_sat_fix(0.0, 9.5)).latitude_deg == 0.0


def test_a_message_that_was_never_filled_is_no_fix() -> None:
    defaults = TYPES['sensor_msgs/msg/NavSatFix'](
        header=header(),
        status=TYPES['sensor_msgs/msg/NavSatStatus'](status=0, service=0),
        latitude=0.0,
        longitude=0.0,
        altitude=0.0,
        position_covariance=np.zeros(9),
        position_covariance_type=0,
    )

    assert refusal(defaults).reason is DropReason.NO_FIX


@pytest.mark.parametrize('status', [None, SimpleNamespace()])
def test_a_fix_without_a_status_is_no_fix(status: Any) -> None:
    msg = SimpleNamespace(header=header(), latitude=48.1, longitude=11.5, altitude=0.0)
    assert refusal(msg).reason is DropReason.NO_FIX
    msg.status = status
    assert refusal(msg).reason is DropReason.NO_FIX


@pytest.mark.parametrize(
    ('values', 'kind'),
    [
        ((4.0, 0, 0, 0, 9.0, 0, 0, 0, 1.0), 0),  # said to be unknown
        ((0.0,) * 9, 2),
        ((-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0), 2),
        ((np.nan, 0, 0, 0, 9.0, 0, 0, 0, 1.0), 3),
        ((1.0, 2.0, 0, 2.0, 1.0, 0, 0, 0, 1.0), 3),  # indefinite
        ((np.inf, 0, 0, 0, np.inf, 0, 0, 0, 1.0), 3),
    ],
)
def test_a_covariance_that_is_none_is_unset_and_the_position_stays(
    received: Received, values: tuple[float, ...], kind: int
) -> None:
    fix = fix_of(received(nav_sat_fix(covariance=values, covariance_type=kind)))

    assert fix.covariance is None
    assert fix.latitude_deg == 48.1


def test_a_pose_is_a_local_position(received: Received) -> None:
    sample = local_of(received(pose_stamped(3.0, -4.0)))

    assert (sample.stamp_ns, sample.received_ns, sample.frame_id) == (
        STAMP_NS,
        RECEIVED_NS,
        'sensor',
    )
    assert (sample.east_m, sample.north_m, sample.covariance) == (3.0, -4.0, None)


def test_a_pose_without_a_header_is_stamped_on_arrival(received: Received) -> None:
    sample = local_of(received(pose(3.0, -4.0)))

    assert (sample.stamp_ns, sample.received_ns, sample.frame_id) == (RECEIVED_NS, RECEIVED_NS, '')
    assert (sample.east_m, sample.north_m, sample.covariance) == (3.0, -4.0, None)


@given(st.floats(0, 1e6), st.floats(0, 1e7))
def test_metres_of_mgrs_keep_every_digit(x: float, y: float) -> None:
    for msg in (pose(x, y), pose_stamped(x, y), pose_with_covariance(x, y, np.zeros(36))):
        sample = local_of(msg)
        assert (sample.east_m, sample.north_m) == (x, y)


def test_the_covariance_of_a_pose_is_its_position_block(received: Received) -> None:
    covariance = np.diag([4.0, 9.0, 1.0, 0.1, 0.1, 0.1])
    covariance[0, 1] = covariance[1, 0] = 0.5

    sample = local_of(received(pose_with_covariance(3.0, -4.0, covariance.ravel())))

    assert sample.covariance is not None
    np.testing.assert_array_equal(sample.covariance, [[4.0, 0.5], [0.5, 9.0]])
    assert local_of(received(pose_with_covariance(1.0, 2.0, np.zeros(36)))).covariance is None


@pytest.mark.parametrize(
    ('msg', 'reason'),
    [
        (pose_stamped(np.nan, 0.0), DropReason.NOT_FINITE),
        (pose_stamped(0.0, 1e300), DropReason.MALFORMED),
        (pose(np.nan, 0.0), DropReason.NOT_FINITE),
        (pose_stamped(0.0, 0.0, stamp_ns=0), DropReason.ZERO_STAMP),
        (number(1.0), DropReason.UNSUPPORTED),
    ],
)
def test_a_pose_that_is_none_is_refused(msg: Any, reason: DropReason) -> None:
    assert refusal(msg).reason is reason
