# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How the camera sees the road, from ``CameraInfo`` and ``/tf_static``, for those who draw on it.

Nothing else of the node needs either, so they are subscribed to only while somebody looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo

from mm_fusion.drawing.ground_camera import (
    CameraOptions,
    GroundCamera,
    frame_name,
    ground_camera,
    mounting,
)
from mm_fusion.errors import SampleError
from mm_fusion.messages.camera_info import camera_model_from_info
from mm_fusion.ros.inputs import message_class

if TYPE_CHECKING:
    from rclpy.node import Node
    from rclpy.subscription import Subscription

    from mm_fusion.messages.camera_info import CameraIntrinsics
    from mm_fusion.settings import Settings
    from mm_fusion.types.sensors import ImageSample

_TRANSFORMS_TOPIC = '/tf_static'
_TRANSFORMS_TYPE = 'tf2_msgs/msg/TFMessage'
_INFO_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_TRANSFORMS_QOS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class CameraWatch:
    """Listen to what is said of the camera.

    Args:
        node: Owns the subscriptions.
        settings: What the user says of the camera goes before it.
    """

    def __init__(self, node: Node, settings: Settings) -> None:
        self._node = node
        self._settings = settings
        self._info_topic = info_topic(node)
        self._info: CameraIntrinsics | None = None
        self._transforms: dict[str, Any] = {}
        self._subscriptions: list[Subscription[Any]] = []

    def open(self) -> None:
        """Subscribe."""
        self._subscriptions = [
            self._node.create_subscription(CameraInfo, self._info_topic, self._see, _INFO_QOS)
        ]
        try:
            transforms_type = message_class(_TRANSFORMS_TYPE)
        except ImportError:
            return  # the note of the camera says that its mounting is assumed
        self._subscriptions.append(
            self._node.create_subscription(
                transforms_type, _TRANSFORMS_TOPIC, self._add_transforms, _TRANSFORMS_QOS
            )
        )

    def close(self) -> None:
        """End the subscriptions; what was heard is kept."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def camera(self, frame: ImageSample | None) -> GroundCamera:
        """Tell how the camera of a frame sees the road, and what that was taken from."""
        info, settings = self._info, self._settings.camera
        frame_id = info.frame_id if info is not None else '' if frame is None else frame.frame_id
        given = settings.height_m > 0
        options = CameraOptions(
            height_m=settings.height_m if given else None,
            pitch_deg=settings.pitch_down_deg if given else None,
            forward_m=settings.forward_m if given else None,
            horizontal_fov_deg=(settings.horizontal_fov_deg or None) if info is None else None,
        )
        mounted = mounting(self._transforms, frame_name(frame_id), self._settings.node.base_frame)
        return ground_camera(options, info, self._info_topic, mounted, _TRANSFORMS_TOPIC)

    def _see(self, message: CameraInfo) -> None:
        try:
            self._info = camera_model_from_info(message, self._settings.camera.horizontal_fov_deg)
        except SampleError:
            self._info = None

    def _add_transforms(self, message: Any) -> None:
        self._transforms = self._transforms | {
            frame_name(item.child_frame_id): item for item in message.transforms
        }


def info_topic(node: Node) -> str:
    """Name the topic of the intrinsics.

    Returns:
        Where ``camera_info`` is remapped to, or else the topic of that name beside the images, as
        image_transport has it.
    """
    named = node.resolve_topic_name('camera_info')
    if named != node.resolve_topic_name('camera_info', only_expand=True):
        return str(named)
    images = str(node.resolve_topic_name('image')).removesuffix('/compressed')
    return f'{images.rpartition("/")[0]}/camera_info'
