# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Intrinsics of a camera: ``sensor_msgs/CameraInfo``, and a substitute where it cannot be true.

Simulators are known to publish intrinsics of another camera: the native interface of CARLA took
degrees for radians (pull request 9462 there), and Gazebo gave the matrix of a default camera of
half the size (issue 423 of gz-sensors).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mm_fusion.errors import SampleError
from mm_fusion.messages.fields import guarded, header_of, unsupported, whole
from mm_fusion.types.sensors import DropReason

_MAX_SIDE = 65_535
_MIN_FOV_DEG, _MAX_FOV_DEG = 10.0, 170.0
"""Horizontal: longer lenses and all-round ones do not look at the road ahead."""


@dataclass(frozen=True, slots=True)
class CameraIntrinsics:
    """A pinhole camera without distortion; (0, 0) is the centre of the top left pixel.

    Attributes:
        stamp_ns: Time of validity.
        frame_id: Optical frame of the camera: x right, y down, z ahead.
        width: Columns.
        height: Rows.
        fx_px: Focal length across.
        fy_px: Focal length down.
        cx_px: Column of the principal point.
        cy_px: Row of the principal point.
        problem: Why the matrix of the message was not used; empty where it was.
    """

    stamp_ns: int
    frame_id: str
    width: int
    height: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    problem: str = ''

    @property
    def horizontal_fov_deg(self) -> float:
        """Angle between the left and the right edge of the image."""
        left, right = self.cx_px + 0.5, self.width - 0.5 - self.cx_px
        return math.degrees(math.atan2(left, self.fx_px) + math.atan2(right, self.fx_px))


@guarded
def camera_model_from_info(msg: Any, horizontal_fov_deg: float = 0.0) -> CameraIntrinsics:
    """Read the intrinsics of a camera, or work them out from its field of view.

    A matrix cannot be true where a number in it is not finite, a focal length is not positive,
    the horizontal field of view is not between 10 and 170 degrees, or the principal point is not
    in the middle third of the image, across and down. Then square pixels and a principal point in
    the middle are taken, and the record says so.

    Args:
        msg: ``sensor_msgs/CameraInfo``, of rclpy (``k``) or of older definitions (``K``).
        horizontal_fov_deg: Field of view of the camera, for a matrix that cannot be true; 0
            refuses such a matrix.

    Raises:
        SampleError: ZERO_STAMP; MALFORMED for a size that is none, and for a matrix that cannot
            be true where no field of view is given.
    """
    matrix = msg.k if hasattr(msg, 'k') else getattr(msg, 'K', None)
    if matrix is None or not hasattr(msg, 'width'):
        raise unsupported(msg, 'sensor_msgs/CameraInfo')
    stamp_ns, frame_id = header_of(msg)
    width = whole('camera_info width', msg.width, 1, _MAX_SIDE)
    height = whole('camera_info height', msg.height, 1, _MAX_SIDE)
    if len(matrix) != 9:
        raise ValueError(f'camera_info: found {len(matrix)} numbers in K, expected 9')
    fx, cx, fy, cy = (float(matrix[index]) for index in (0, 2, 4, 5))
    found = CameraIntrinsics(stamp_ns, frame_id, width, height, fx, fy, cx, cy)
    problem = _problem(found)
    if not problem:
        return found
    if not 0 < horizontal_fov_deg < 180:
        raise SampleError(
            DropReason.MALFORMED, f'{problem}; set camera.horizontal_fov_deg to do without'
        )
    focal_px = width / 2 / math.tan(math.radians(horizontal_fov_deg) / 2)
    return CameraIntrinsics(
        stamp_ns,
        frame_id,
        width,
        height,
        focal_px,
        focal_px,
        (width - 1) / 2,
        (height - 1) / 2,
        f'{problem}; taken from a field of view of {horizontal_fov_deg:g} deg',
    )


def _problem(found: CameraIntrinsics) -> str:
    """Say in one phrase why intrinsics cannot be true; empty where they can."""
    fx, fy, cx, cy = found.fx_px, found.fy_px, found.cx_px, found.cy_px
    seen = f'camera_info: found fx {fx:g}, fy {fy:g}, cx {cx:g}, cy {cy:g}'
    if not all(map(math.isfinite, (fx, fy, cx, cy))):
        return f'{seen}, expected finite numbers'
    if fx <= 0 or fy <= 0:
        return f'{seen}, expected positive focal lengths'
    fov_deg = found.horizontal_fov_deg
    if not _MIN_FOV_DEG <= fov_deg <= _MAX_FOV_DEG:
        return (
            f'{seen}, which is a field of view of {fov_deg:.3g} deg, '
            f'expected {_MIN_FOV_DEG:g} to {_MAX_FOV_DEG:g}'
        )
    across, down = (cx + 0.5) / found.width, (cy + 0.5) / found.height
    if not (1 / 3 <= across <= 2 / 3 and 1 / 3 <= down <= 2 / 3):
        return f'{seen}, expected the middle of {found.width} x {found.height} pixels'
    return ''
