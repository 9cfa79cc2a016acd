# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Velocity of the vehicle: twists, odometry, Autoware's report, and a bare number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mm_fusion.messages.fields import finite, guarded, header_of, unsupported, variance
from mm_fusion.types.sensors import VelocitySample

MAX_SPEED_MPS = 1000.0
MAX_YAW_RATE_RPS = 100.0
"""No road vehicle reaches these: beyond them a message holds something else than it should."""

_YAW_RATE_DIAGONAL = 35


@guarded
def velocity_sample(
    msg: Any, received_ns: int, *, clockwise_yaw_rate: bool = False
) -> VelocitySample:
    """Read the velocity in ``base_link``.

    Args:
        msg: ``geometry_msgs/TwistStamped``, ``TwistWithCovarianceStamped``,
            ``nav_msgs/Odometry`` (its twist, which is in the child frame),
            ``autoware_vehicle_msgs/VelocityReport``, or ``std_msgs/Float32`` (m/s, stamped on
            arrival).
        received_ns: Time of arrival.
        clockwise_yaw_rate: The message counts turns to the right as positive.

    Raises:
        SampleError: ZERO_STAMP; NOT_FINITE; MALFORMED for a speed that no vehicle has.
    """
    sample = _sample(msg, received_ns)
    if clockwise_yaw_rate and sample.yaw_rate_rps is not None:
        return replace(sample, yaw_rate_rps=-sample.yaw_rate_rps)
    return sample


def _sample(msg: Any, received_ns: int) -> VelocitySample:
    if hasattr(msg, 'twist'):
        return _from_twist(msg, received_ns)
    if hasattr(msg, 'longitudinal_velocity'):
        stamp_ns, _ = header_of(msg)
        return VelocitySample(
            stamp_ns,
            received_ns,
            finite('longitudinal_velocity', msg.longitudinal_velocity, MAX_SPEED_MPS),
            finite('lateral_velocity', msg.lateral_velocity, MAX_SPEED_MPS),
            finite('heading_rate', msg.heading_rate, MAX_YAW_RATE_RPS),
        )
    if hasattr(msg, 'data') and not hasattr(msg, 'header'):
        return VelocitySample(received_ns, received_ns, finite('data', msg.data, MAX_SPEED_MPS))
    raise unsupported(
        msg, 'TwistStamped, TwistWithCovarianceStamped, Odometry, VelocityReport or Float32'
    )


def _from_twist(msg: Any, received_ns: int) -> VelocitySample:
    stamp_ns, _ = header_of(msg)
    twist, covariance = msg.twist, None
    if hasattr(twist, 'twist'):
        twist, covariance = twist.twist, twist.covariance
    return VelocitySample(
        stamp_ns,
        received_ns,
        finite('twist.linear.x', twist.linear.x, MAX_SPEED_MPS),
        finite('twist.linear.y', twist.linear.y, MAX_SPEED_MPS),
        finite('twist.angular.z', twist.angular.z, MAX_YAW_RATE_RPS),
        None if covariance is None else variance(covariance, 0),
        None if covariance is None else variance(covariance, _YAW_RATE_DIAGONAL),
    )
