# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How a camera sees the road: as its messages say, and assumed where they say nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.simulation.camera import PinholeCamera

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.messages.camera_info import CameraIntrinsics

HEIGHT_M = 1.5
HORIZONTAL_FOV_DEG = 90.0
PITCH_DEG = 0.0
"""Of a camera of which nothing is known."""

BASE_FRAME = 'base_link'
_NEAREST_M = 0.5
_LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class CameraOptions:
    """What the user says of the camera, which goes before what a recording says.

    Attributes:
        height_m: Of the camera over the ground.
        horizontal_fov_deg: Angle of view across the width of the image.
        pitch_deg: Downward tilt.
        forward_m: Place of the camera ahead of ``base_link``.
    """

    height_m: float | None = None
    horizontal_fov_deg: float | None = None
    pitch_deg: float | None = None
    forward_m: float | None = None


NO_OPTIONS = CameraOptions()


@dataclass(frozen=True, slots=True, eq=False)
class GroundCamera:
    """A pinhole camera over a level road, for images of any size.

    Attributes:
        focal: Focal lengths across and down, in widths of the image.
        centre: Principal point, in widths and heights of the image from its top left corner.
        rotation: float64 (3, 3), from ``base_link`` to the optical frame (x right, y down,
            z ahead).
        position: float64 (3,), optical centre in ``base_link``, of which z = 0 is the ground.
        note: What it was taken from.
    """

    focal: tuple[float, float]
    centre: tuple[float, float]
    rotation: NDArray[np.float64]
    position: NDArray[np.float64]
    note: str

    def project(self, ground: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
        """Project points of the ground into an image.

        Args:
            ground: float64 (n, 2), in ``base_link``, metres.
            width: Of the image, pixels.
            height: Of the image, pixels.

        Returns:
            float64 (n, 2), column and row in pixels; NaN for what is not in front of the camera.
        """
        points = np.column_stack([ground, np.zeros(len(ground))])
        x, y, z = self.rotation @ (points - self.position).T
        z = np.where(z > _NEAREST_M, z, np.nan)
        column = width * (self.centre[0] + self.focal[0] * x / z)
        row = height * self.centre[1] + width * self.focal[1] * y / z
        return np.stack([column, row], axis=1)


def mounting(
    transforms: Mapping[str, Any], frame: str, base_frame: str = BASE_FRAME
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Follow static transforms from the camera to the vehicle.

    Args:
        transforms: ``geometry_msgs/TransformStamped`` by the name of the child frame, without a
            leading slash.
        frame: Optical frame of the camera.
        base_frame: Frame of the vehicle, on the ground.

    Returns:
        Rotation (3, 3) from ``base_frame`` to the optical frame and position (3,), or None where
        there is no way, or the camera does not look ahead from above the ground.
    """
    rotation, position = np.eye(3), np.zeros(3)
    frame = frame_name(frame)
    for _ in range(_LONGEST_CHAIN):
        if frame == base_frame:
            ahead = rotation[:, 2]
            usable = ahead[0] > 0.5 and position[2] > 0.1
            return (rotation.T, position) if usable else None
        if frame not in transforms:
            return None
        transform = transforms[frame].transform
        turn = _matrix(transform.rotation)
        shift = transform.translation
        rotation, position = turn @ rotation, turn @ position + (shift.x, shift.y, shift.z)
        frame = frame_name(transforms[frame].header.frame_id)
    return None


def frame_name(frame: str) -> str:
    """Write the name of a frame as tf2 does, without a leading slash."""
    return frame.removeprefix('/')


def _matrix(quaternion: Any) -> NDArray[np.float64]:
    x, y, z, w = (float(getattr(quaternion, axis)) for axis in 'xyzw')
    norm = max(math.sqrt(x * x + y * y + z * z + w * w), 1e-12)
    x, y, z, w = x / norm, y / norm, z / norm, w / norm
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def ground_camera(
    options: CameraOptions,
    info: CameraIntrinsics | None,
    info_topic: str,
    mounted: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    transforms_topic: str,
) -> GroundCamera:
    """Put together what the user says, what messages say, and what has to be assumed.

    Args:
        options: What the user says.
        info: The intrinsics; None where there are none.
        info_topic: Where they come from, for the note.
        mounted: What :func:`mounting` gives.
        transforms_topic: Where that comes from, for the note.
    """
    rotation, position = _level(HEIGHT_M, PITCH_DEG) if mounted is None else mounted
    pitch_deg = math.degrees(math.asin(-max(-1.0, min(1.0, float(rotation[2, 2])))))
    if (options.height_m, options.pitch_deg, options.forward_m) != (None, None, None):
        height_m = float(position[2]) if options.height_m is None else options.height_m
        pitch_deg = pitch_deg if options.pitch_deg is None else options.pitch_deg
        forward_m = position[0] if options.forward_m is None else options.forward_m
        rotation, position = _level(height_m, pitch_deg)
        position[0] = forward_m
    if options.horizontal_fov_deg is None and info is not None:
        focal = info.fx_px / info.width, info.fy_px / info.width
        centre = (info.cx_px + 0.5) / info.width, (info.cy_px + 0.5) / info.height
        fov_deg = info.horizontal_fov_deg
    else:
        fov_deg = options.horizontal_fov_deg or HORIZONTAL_FOV_DEG
        focal = (0.5 / math.tan(math.radians(fov_deg) / 2),) * 2
        centre = 0.5, 0.5
    untrue = info is not None and bool(info.problem)
    intrinsics = f'settings, since {info_topic} cannot be true' if untrue else info_topic
    sources: tuple[tuple[str, float | None, object, str], ...] = (
        (f'height {position[2]:.3g} m', options.height_m, mounted, transforms_topic),
        (f'pitch {pitch_deg:.2g}°', options.pitch_deg, mounted, transforms_topic),
        (f'field of view {fov_deg:.3g}°', options.horizontal_fov_deg, info, intrinsics),
    )
    note = ', '.join(
        f'{text} ({_source(option, recorded, topic)})' for text, option, recorded, topic in sources
    )
    return GroundCamera(focal, centre, rotation, position, note)


def _source(option: float | None, recorded: object, topic: str) -> str:
    if option is not None:
        return 'given'
    return 'assumed' if recorded is None else topic


def _level(height_m: float, pitch_deg: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    camera = PinholeCamera(forward_m=0.0, up_m=height_m, pitch_down_rad=math.radians(pitch_deg))
    return camera.rotation, camera.position
