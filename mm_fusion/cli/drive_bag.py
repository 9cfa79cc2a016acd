# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Write a made drive as a recording, with the topics and types of a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.bags import BagWriter
from mm_fusion.simulation import short_drive
from mm_fusion.types.sensors import AudioChunk, CompressedImage, GnssFix, VelocitySample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mm_fusion.simulation.short_drive import DriveSample, ShortDrive, TruthSample

IMAGE = '/camera/image/compressed'
CAMERA_INFO = '/camera/camera_info'
AUDIO = '/audio'
FIX = '/gnss/fix'
VELOCITY = '/vehicle/velocity'
TRUTH = '/ground_truth/odometry'
STATIC_TRANSFORMS = '/tf_static'

_NS = 1_000_000_000


def write_drive(
    drive: ShortDrive, path: Path, progress: Callable[[int], None] = lambda frames: None
) -> None:
    """Write a drive as an MCAP recording.

    Args:
        drive: The drive.
        path: Folder to make.
        progress: Called with the number of frames written so far.

    Raises:
        BagError: The folder exists.
    """
    frames = 0
    with BagWriter(path) as bag:
        messages = _Messages(bag.types, drive)
        bag.write(STATIC_TRANSFORMS, messages.mounting(), short_drive.START_NS)
        for sample in drive.samples():
            for topic, message in messages.of(sample):
                bag.write(topic, message, sample.received_ns)
            if isinstance(sample, CompressedImage):
                frames += 1
                progress(frames)


class _Messages:
    """Turn samples into messages."""

    def __init__(self, types: Mapping[str, Any], drive: ShortDrive) -> None:
        self._types = types
        self._camera = drive.camera

    def of(self, sample: DriveSample) -> list[tuple[str, Any]]:
        """Give the topic and the message of each thing that a sample stands for."""
        if isinstance(sample, CompressedImage):
            return [(IMAGE, self._image(sample)), (CAMERA_INFO, self._camera_info(sample))]
        if isinstance(sample, AudioChunk):
            return [(AUDIO, self._audio(sample))]
        if isinstance(sample, GnssFix):
            return [(FIX, self._fix(sample))]
        if isinstance(sample, VelocitySample):
            return [(VELOCITY, self._velocity(sample))]
        return [(TRUTH, self._odometry(sample))]

    def mounting(self) -> Any:
        """Give where the camera sits on the vehicle."""
        x, y, z = self._camera.position
        transform = self._new(
            'geometry_msgs/msg/Transform',
            translation=self._new('geometry_msgs/msg/Vector3', x=x, y=y, z=z),
            rotation=self._quaternion(_quaternion(self._camera.rotation.T)),
        )
        stamped = self._new(
            'geometry_msgs/msg/TransformStamped',
            header=self._header(short_drive.START_NS, 'base_link'),
            child_frame_id=short_drive.CAMERA_FRAME,
            transform=transform,
        )
        return self._new('tf2_msgs/msg/TFMessage', transforms=[stamped])

    def _new(self, name: str, **fields: Any) -> Any:
        return self._types[name](**fields)

    def _header(self, stamp_ns: int, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(stamp_ns, _NS)
        stamp = self._new('builtin_interfaces/msg/Time', sec=seconds, nanosec=nanoseconds)
        return self._new('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)

    def _quaternion(self, xyzw: tuple[float, float, float, float]) -> Any:
        x, y, z, w = xyzw
        return self._new('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w)

    def _twist(self, forward_mps: float, yaw_rate_rps: float) -> Any:
        vector = 'geometry_msgs/msg/Vector3'
        return self._new(
            'geometry_msgs/msg/Twist',
            linear=self._new(vector, x=forward_mps, y=0.0, z=0.0),
            angular=self._new(vector, x=0.0, y=0.0, z=yaw_rate_rps),
        )

    def _image(self, sample: CompressedImage) -> Any:
        return self._new(
            'sensor_msgs/msg/CompressedImage',
            header=self._header(sample.stamp_ns, sample.frame_id),
            format='jpeg',
            data=sample.payload,
        )

    def _camera_info(self, sample: CompressedImage) -> Any:
        matrix = self._camera.intrinsics
        return self._new(
            'sensor_msgs/msg/CameraInfo',
            header=self._header(sample.stamp_ns, sample.frame_id),
            height=self._camera.height,
            width=self._camera.width,
            distortion_model='plumb_bob',
            d=np.zeros(5),
            k=matrix.reshape(-1),
            r=np.eye(3).reshape(-1),
            p=np.hstack([matrix, np.zeros((3, 1))]).reshape(-1),
            binning_x=0,
            binning_y=0,
            roi=self._new(
                'sensor_msgs/msg/RegionOfInterest',
                x_offset=0, y_offset=0, height=0, width=0, do_rectify=False,
            ),
        )  # fmt: skip

    def _audio(self, sample: AudioChunk) -> Any:
        samples = np.rint(sample.samples * 32768).clip(-32768, 32767).astype('<i2')
        return self._new(
            'mm_fusion_msgs/msg/AudioStamped',
            header=self._header(sample.stamp_ns, sample.frame_id),
            sample_rate=sample.sample_rate_hz,
            channels=1,
            sample_format='S16LE',
            data=samples.view(np.uint8),
        )

    def _fix(self, sample: GnssFix) -> Any:
        covariance = short_drive.GNSS_VARIANCE_M2 * np.eye(3)
        kind = self._types['sensor_msgs/msg/NavSatFix']
        status = self._types['sensor_msgs/msg/NavSatStatus']
        return kind(
            header=self._header(sample.stamp_ns, sample.frame_id),
            status=status(status=status.STATUS_FIX, service=status.SERVICE_GPS),
            latitude=sample.latitude_deg,
            longitude=sample.longitude_deg,
            altitude=sample.altitude_m,
            position_covariance=covariance.reshape(-1),
            position_covariance_type=kind.COVARIANCE_TYPE_DIAGONAL_KNOWN,
        )

    def _velocity(self, sample: VelocitySample) -> Any:
        return self._new(
            'geometry_msgs/msg/TwistStamped',
            header=self._header(sample.stamp_ns, 'base_link'),
            twist=self._twist(sample.speed_mps, sample.yaw_rate_rps or 0.0),
        )

    def _odometry(self, sample: TruthSample) -> Any:
        truth = sample.truth
        half = truth.heading_rad / 2
        pose = self._new(
            'geometry_msgs/msg/Pose',
            position=self._new('geometry_msgs/msg/Point', x=truth.x_m, y=truth.y_m, z=0.0),
            orientation=self._quaternion((0.0, 0.0, float(np.sin(half)), float(np.cos(half)))),
        )
        twist = self._twist(truth.speed_mps, truth.yaw_rate_rps)
        unknown = np.zeros(36)
        return self._new(
            'nav_msgs/msg/Odometry',
            header=self._header(sample.stamp_ns, 'map'),
            child_frame_id='base_link',
            pose=self._new('geometry_msgs/msg/PoseWithCovariance', pose=pose, covariance=unknown),
            twist=self._new(
                'geometry_msgs/msg/TwistWithCovariance', twist=twist, covariance=unknown
            ),
        )


def _quaternion(rotation: Any) -> tuple[float, float, float, float]:
    """Turn a rotation matrix with a trace over -1 + 1e-6 into x, y, z, w."""
    w = 0.5 * float(np.sqrt(1 + np.trace(rotation)))
    x, y, z = (
        (rotation[2, 1] - rotation[1, 2]) / (4 * w),
        (rotation[0, 2] - rotation[2, 0]) / (4 * w),
        (rotation[1, 0] - rotation[0, 1]) / (4 * w),
    )
    return float(x), float(y), float(z), w
