# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How the camera of a recording sees the road: read where it says so, assumed where not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.bags.raw import RawBag
from mm_fusion.errors import SampleError
from mm_fusion.messages.camera_info import camera_model_from_info
from mm_fusion.settings import CameraSettings
from mm_fusion.simulation.camera import PinholeCamera

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.messages.camera_info import CameraIntrinsics

HEIGHT_M = 1.5
HORIZONTAL_FOV_DEG = 90.0
PITCH_DEG = 0.0
"""Of a camera of which nothing is known."""

_INFO_TYPE = 'sensor_msgs/msg/CameraInfo'
_TRANSFORMS_TYPE = 'tf2_msgs/msg/TFMessage'
_BASE_FRAME = 'base_link'
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


def recorded_camera(
    path: Path,
    image_topic: str | None,
    options: CameraOptions = NO_OPTIONS,
    settings: CameraSettings | None = None,
) -> GroundCamera:
    """Find how the camera of a recording sees the road.

    The intrinsics are those of the ``CameraInfo`` beside the topic of the images, the mounting
    that of its frame in the static transforms from ``base_link``. What is missing, or cannot be
    true, is assumed, and the note says so.

    Args:
        path: Folder or file of a rosbag2 recording.
        image_topic: Topic of the frames; None where there are none.
        options: What the user says instead.
        settings: The field of view in place of intrinsics that cannot be true; None takes the
            defaults.

    Raises:
        BagError: The recording cannot be read.
    """
    fov_deg = (settings or CameraSettings()).horizontal_fov_deg
    info, info_topic, mounting, transforms_topic = None, None, None, None
    if image_topic is not None:
        with RawBag(path) as bag:
            info_topic = _info_topic(bag, image_topic)
            info = None if info_topic is None else _intrinsics(bag, info_topic, fov_deg)
            transforms_topic = next(
                (topic for topic in sorted(bag.types) if _is_static(topic, bag.types[topic])), None
            )
            if info is not None and transforms_topic is not None:
                mounting = _mounting(bag, transforms_topic, info.frame_id)
    return _camera(options, info, str(info_topic), mounting, str(transforms_topic))


def _is_static(topic: str, kind: str) -> bool:
    return kind == _TRANSFORMS_TYPE and topic.endswith('tf_static')


def _info_topic(bag: RawBag, image_topic: str) -> str | None:
    """Find the topic with the intrinsics: in the namespace of the images, or the only one."""
    found = sorted(topic for topic, kind in bag.types.items() if kind == _INFO_TYPE)
    parts = image_topic.removesuffix('/compressed').split('/')
    for length in (len(parts), len(parts) - 1):
        beside = '/'.join([*parts[:length], 'camera_info'])
        if beside in found:
            return beside
    return found[0] if len(found) == 1 else None


def _intrinsics(bag: RawBag, topic: str, fov_deg: float) -> CameraIntrinsics | None:
    first = next(bag.messages([topic]), None)
    if first is None:
        return None
    try:
        return camera_model_from_info(bag.deserialized(topic, first[2]), fov_deg)
    except SampleError:
        return None


def _mounting(
    bag: RawBag, topic: str, frame: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Follow the transforms from the camera to ``base_link``.

    Returns:
        Rotation (3, 3) from ``base_link`` to the optical frame and position (3,), or None where
        there is no way, or the camera does not look ahead from above the ground.
    """
    parents: dict[str, Any] = {}
    for _, _, data in bag.messages([topic]):
        message: Any = bag.deserialized(topic, data)
        parents |= {_name(item.child_frame_id): item for item in message.transforms}
    rotation, position = np.eye(3), np.zeros(3)
    frame = _name(frame)
    for _ in range(_LONGEST_CHAIN):
        if frame == _BASE_FRAME:
            ahead = rotation[:, 2]
            usable = ahead[0] > 0.5 and position[2] > 0.1
            return (rotation.T, position) if usable else None
        if frame not in parents:
            return None
        transform = parents[frame].transform
        turn = _matrix(transform.rotation)
        shift = transform.translation
        rotation, position = turn @ rotation, turn @ position + (shift.x, shift.y, shift.z)
        frame = _name(parents[frame].header.frame_id)
    return None


def _name(frame: str) -> str:
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


def _camera(
    options: CameraOptions,
    info: CameraIntrinsics | None,
    info_topic: str,
    mounting: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    transforms_topic: str,
) -> GroundCamera:
    """Put together what the user says, what the recording says, and what has to be assumed."""
    rotation, position = _level(HEIGHT_M, PITCH_DEG) if mounting is None else mounting
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
        (f'height {position[2]:.3g} m', options.height_m, mounting, transforms_topic),
        (f'pitch {pitch_deg:.2g}°', options.pitch_deg, mounting, transforms_topic),
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
