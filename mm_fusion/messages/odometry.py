# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Poses of ``nav_msgs/Odometry``, as ground truth of a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mm_fusion.errors import SampleError
from mm_fusion.messages.fields import finite, guarded, header_of, unsupported
from mm_fusion.messages.velocities import MAX_SPEED_MPS, MAX_YAW_RATE_RPS
from mm_fusion.types.sensors import DropReason

_MAX_COORDINATE_M = 1e9


@dataclass(frozen=True, slots=True)
class OdometryPose:
    """Pose and motion of the vehicle in a fixed metric frame.

    Attributes:
        stamp_ns: Time of validity.
        x_m: Position in the frame of the header.
        y_m: Position in the frame of the header.
        heading_rad: Counter-clockwise from x of that frame, in [-pi, pi].
        speed_mps: Along x of the child frame (``base_link``).
        yaw_rate_rps: About z.
    """

    stamp_ns: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    yaw_rate_rps: float


@guarded
def odometry_pose(msg: Any) -> OdometryPose:
    """Read pose and twist of ``nav_msgs/Odometry``.

    Raises:
        SampleError: ZERO_STAMP; NOT_FINITE; MALFORMED where the orientation is no rotation.
    """
    if not (hasattr(msg, 'pose') and hasattr(msg, 'twist') and hasattr(msg, 'child_frame_id')):
        raise unsupported(msg, 'nav_msgs/Odometry')
    stamp_ns, _ = header_of(msg)
    position, twist = msg.pose.pose.position, msg.twist.twist
    return OdometryPose(
        stamp_ns,
        finite('position x', position.x, _MAX_COORDINATE_M),
        finite('position y', position.y, _MAX_COORDINATE_M),
        _heading(msg.pose.pose.orientation),
        finite('twist.linear.x', twist.linear.x, MAX_SPEED_MPS),
        finite('twist.angular.z', twist.angular.z, MAX_YAW_RATE_RPS),
    )


def _heading(orientation: Any) -> float:
    x, y, z, w = (
        finite(f'orientation {axis}', getattr(orientation, axis), 2.0) for axis in 'xyzw'
    )
    norm = x * x + y * y + z * z + w * w
    if not 0.5 < norm < 2.0:
        raise SampleError(
            DropReason.MALFORMED,
            f'orientation: found a quaternion of squared norm {norm:g}, expected 1',
        )
    return math.atan2(2 * (w * z + x * y), norm - 2 * (y * y + z * z))
