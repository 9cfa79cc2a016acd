# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS messages to sensor samples, by field names alone.

Nothing here imports ROS: rclpy objects and objects of the ``rosbags`` library have the same
fields, and so the same code reads both. A message that cannot be used raises
:class:`~mm_fusion.errors.SampleError` with the reason that it is counted under, whatever garbage
its fields hold; no other exception leaves these functions.
"""

from __future__ import annotations

from mm_fusion.messages.audio import AudioAdapter
from mm_fusion.messages.camera_info import CameraIntrinsics, camera_model_from_info
from mm_fusion.messages.images import image_sample
from mm_fusion.messages.odometry import OdometryPose, odometry_pose
from mm_fusion.messages.positions import position_sample
from mm_fusion.messages.velocities import velocity_sample
from mm_fusion.types.sensors import Modality

ROLE_TYPES: dict[Modality, tuple[str, ...]] = {
    Modality.CAMERA: ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'),
    Modality.MICROPHONE: (
        'mm_fusion_msgs/msg/AudioStamped',
        'audio_common_msgs/msg/AudioDataStamped',
        'audio_common_msgs/msg/AudioStamped',
    ),
    Modality.GNSS: (
        'sensor_msgs/msg/NavSatFix',
        'geometry_msgs/msg/PoseStamped',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
        'geometry_msgs/msg/Pose',
    ),
    Modality.VELOCITY: (
        'geometry_msgs/msg/TwistStamped',
        'geometry_msgs/msg/TwistWithCovarianceStamped',
        'nav_msgs/msg/Odometry',
        'autoware_vehicle_msgs/msg/VelocityReport',
        'std_msgs/msg/Float32',
    ),
}
"""Message types that each modality is read from, the preferred first."""

AUDIO_INFO_TYPE = 'audio_common_msgs/msg/AudioInfo'
"""The ros-drivers message that says what ``AudioDataStamped`` holds."""

ODOMETRY_TYPE = 'nav_msgs/msg/Odometry'
CAMERA_INFO_TYPE = 'sensor_msgs/msg/CameraInfo'

__all__ = [
    'AUDIO_INFO_TYPE',
    'CAMERA_INFO_TYPE',
    'ODOMETRY_TYPE',
    'ROLE_TYPES',
    'AudioAdapter',
    'CameraIntrinsics',
    'OdometryPose',
    'camera_model_from_info',
    'image_sample',
    'odometry_pose',
    'position_sample',
    'velocity_sample',
]
