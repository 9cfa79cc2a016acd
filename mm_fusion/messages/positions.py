# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Positions: ``sensor_msgs/NavSatFix``, and poses as simulators give them."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import SampleError
from mm_fusion.messages.fields import covariance_2d, finite, guarded, header_of, unsupported
from mm_fusion.types.sensors import DropReason, GnssFix, LocalPosition

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.types.sensors import PositionSample

_MAX_COORDINATE_M = 1e7
_COVARIANCE_UNKNOWN = 0
_NO_STATUS = -2
"""``STATUS_UNKNOWN`` of sensor_msgs since 2023, the value of a message that was never filled."""


@guarded
def position_sample(
    msg: Any, received_ns: int, *, trust_unset_status: bool = False
) -> PositionSample:
    """Read a position.

    Args:
        msg: ``sensor_msgs/NavSatFix``, ``geometry_msgs/PoseStamped``,
            ``geometry_msgs/PoseWithCovarianceStamped``, or ``geometry_msgs/Pose`` (stamped on
            arrival). Coordinates of poses are metres, as in the squares of MGRS.
        received_ns: Time of arrival.
        trust_unset_status: Take a NavSatFix whose status was never set for a fix.

    Returns:
        ``GnssFix`` for a NavSatFix, else ``LocalPosition``. The covariance is None where the
        message says that it is unknown, and where it is no positive definite matrix.

    Raises:
        SampleError: ZERO_STAMP; NO_FIX where the receiver has no position or does not say that
            it has one, and where latitude and longitude are both exactly 0; NOT_FINITE;
            MALFORMED for coordinates that lie nowhere.
    """
    if hasattr(msg, 'latitude') and hasattr(msg, 'longitude'):
        return _gnss_fix(msg, received_ns, _NO_STATUS if trust_unset_status else None)
    if hasattr(msg, 'pose'):
        return _local_position(msg, received_ns)
    if hasattr(msg, 'position') and hasattr(msg, 'orientation') and not hasattr(msg, 'header'):
        return _at(msg, received_ns, received_ns, '')
    raise unsupported(msg, 'NavSatFix, PoseStamped, PoseWithCovarianceStamped or Pose')


def _gnss_fix(msg: Any, received_ns: int, trusted: int | None) -> GnssFix:
    stamp_ns, frame_id = header_of(msg)
    _check_status(msg, trusted)
    latitude_deg = finite('latitude', msg.latitude, 90.0)
    longitude_deg = finite('longitude', msg.longitude, 180.0)
    if latitude_deg == 0 and longitude_deg == 0:
        raise SampleError(
            DropReason.NO_FIX, 'latitude and longitude are both exactly 0, as if never filled'
        )
    altitude_m = float(msg.altitude)
    if not math.isnan(altitude_m):
        finite('altitude', altitude_m, _MAX_COORDINATE_M)
    known = operator.index(msg.position_covariance_type) != _COVARIANCE_UNKNOWN
    covariance = covariance_2d(msg.position_covariance, 3) if known else None
    return GnssFix(
        stamp_ns, received_ns, frame_id, latitude_deg, longitude_deg, altitude_m, covariance
    )


def _check_status(msg: Any, trusted: int | None) -> None:
    if not hasattr(msg, 'status') or not hasattr(msg.status, 'status'):
        raise SampleError(DropReason.NO_FIX, 'NavSatFix: no field says whether there is a fix')
    status = operator.index(msg.status.status)
    if status < 0 and status != trusted:
        meaning = 'never filled by the driver' if status == _NO_STATUS else 'no fix'
        raise SampleError(
            DropReason.NO_FIX, f'NavSatFix: found the status {status} ({meaning}), expected >= 0'
        )


def _local_position(msg: Any, received_ns: int) -> LocalPosition:
    stamp_ns, frame_id = header_of(msg)
    pose, covariance = msg.pose, None
    if hasattr(pose, 'pose'):
        covariance = covariance_2d(pose.covariance, 6)
        pose = pose.pose
    return _at(pose, stamp_ns, received_ns, frame_id, covariance)


def _at(
    pose: Any,
    stamp_ns: int,
    received_ns: int,
    frame_id: str,
    covariance: NDArray[np.float64] | None = None,
) -> LocalPosition:
    return LocalPosition(
        stamp_ns,
        received_ns,
        frame_id,
        finite('position x', pose.position.x, _MAX_COORDINATE_M),
        finite('position y', pose.position.y, _MAX_COORDINATE_M),
        covariance,
    )
