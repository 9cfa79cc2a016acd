# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fusion.errors import SampleError
from mm_fusion.messages import OdometryPose, odometry_pose
from mm_fusion.types.sensors import DropReason
from support.recordings import STAMP_NS, odometry, pose_stamped

if TYPE_CHECKING:
    from collections.abc import Callable

    Received = Callable[[Any], Any]


def refusal(msg: Any) -> SampleError:
    with pytest.raises(SampleError) as caught:
        odometry_pose(msg)
    return caught.value


def test_pose_and_motion_are_read(received: Received) -> None:
    pose = odometry_pose(received(odometry(5.0, -6.0, math.pi / 2, 7.0, 0.2)))

    assert pose.heading_rad == pytest.approx(math.pi / 2)
    assert pose == OdometryPose(STAMP_NS, 5.0, -6.0, pose.heading_rad, 7.0, 0.2)


@settings(deadline=None)
@given(
    heading=st.floats(-math.pi, math.pi),
    scale=st.floats(0.8, 1.2),
    sign=st.sampled_from([1.0, -1.0]),
)
def test_the_heading_does_not_depend_on_the_scale_and_sign_of_the_quaternion(
    heading: float, scale: float, sign: float
) -> None:
    msg = odometry(0.0, 0.0, heading, 0.0)
    orientation = msg.pose.pose.orientation
    orientation.z *= scale * sign
    orientation.w *= scale * sign

    found = odometry_pose(msg).heading_rad

    assert math.cos(found - heading) == pytest.approx(1.0)


def test_roll_and_pitch_do_not_change_the_heading() -> None:
    msg = odometry(0.0, 0.0, 0.0, 0.0)
    orientation = msg.pose.pose.orientation
    # Yaw of 1 rad, then pitch of 0.2 rad about the new y axis.
    orientation.w = math.cos(0.5) * math.cos(0.1)
    orientation.x = -math.sin(0.5) * math.sin(0.1)
    orientation.y = math.cos(0.5) * math.sin(0.1)
    orientation.z = math.sin(0.5) * math.cos(0.1)

    assert odometry_pose(msg).heading_rad == pytest.approx(1.0)


def test_an_orientation_that_is_no_rotation_is_malformed(received: Received) -> None:
    msg = odometry(0.0, 0.0, 0.0, 1.0)
    msg.pose.pose.orientation.w = 0.0

    assert refusal(received(msg)).reason is DropReason.MALFORMED


def test_what_is_not_finite_or_has_no_stamp_is_told(received: Received) -> None:
    assert refusal(received(odometry(np.nan, 0.0, 0.0, 1.0))).reason is DropReason.NOT_FINITE
    assert refusal(received(odometry(0.0, 0.0, np.nan, 1.0))).reason is DropReason.NOT_FINITE
    stampless = odometry(0.0, 0.0, 0.0, 1.0, stamp_ns=0)
    assert refusal(received(stampless)).reason is DropReason.ZERO_STAMP


def test_another_type_of_message_is_unsupported(received: Received) -> None:
    assert refusal(received(pose_stamped(0.0, 0.0))).reason is DropReason.UNSUPPORTED
