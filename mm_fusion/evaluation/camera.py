# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How the camera of a recording sees the road: read where it says so, assumed where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mm_fusion.bags.raw import RawBag
from mm_fusion.drawing.ground_camera import (
    NO_OPTIONS,
    CameraOptions,
    GroundCamera,
    frame_name,
    ground_camera,
    mounting,
)
from mm_fusion.errors import SampleError
from mm_fusion.messages.camera_info import camera_model_from_info
from mm_fusion.settings import CameraSettings

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.messages.camera_info import CameraIntrinsics

_INFO_TYPE = 'sensor_msgs/msg/CameraInfo'
_TRANSFORMS_TYPE = 'tf2_msgs/msg/TFMessage'


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
    info, info_topic, mounted, transforms_topic = None, None, None, None
    if image_topic is not None:
        with RawBag(path) as bag:
            info_topic = _info_topic(bag, image_topic)
            info = None if info_topic is None else _intrinsics(bag, info_topic, fov_deg)
            transforms_topic = next(
                (topic for topic in sorted(bag.types) if _is_static(topic, bag.types[topic])), None
            )
            if info is not None and transforms_topic is not None:
                mounted = _mounting(bag, transforms_topic, info.frame_id)
    return ground_camera(options, info, str(info_topic), mounted, str(transforms_topic))


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
    transforms: dict[str, Any] = {}
    for _, _, data in bag.messages([topic]):
        message: Any = bag.deserialized(topic, data)
        transforms |= {frame_name(item.child_frame_id): item for item in message.transforms}
    return mounting(transforms, frame)
