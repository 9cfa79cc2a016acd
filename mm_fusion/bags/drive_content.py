# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the messages of a simulated drive hold: the fields of each, filled from a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mm_fusion.simulation.acoustics.synthesizer import MICROPHONE_FORWARD_M
from mm_fusion.simulation.samples import (
    CAMERA_FRAME,
    GNSS_FRAME,
    MICROPHONE_FRAME,
    PATH_STEP_S,
    CameraFrame,
    DriveTruth,
    SoundBlock,
)
from mm_fusion.simulation.sensors.gnss import HEIGHT_RATIO
from mm_fusion.simulation.world import START_NS, Motion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.simulation.camera import PinholeCamera
    from mm_fusion.types.sensors import GnssFix, VelocitySample

BASE_FRAME = 'base_link'
MAP_FRAME = 'map'

MICROPHONE_PLACE = (MICROPHONE_FORWARD_M, 0.0, 1.5)
ANTENNA_PLACE = (0.0, 0.0, 0.0)
"""In base_link, m: what the simulated sensors measure, so that no lever arm is hidden."""

_NS = 1_000_000_000
_JPEG_MAGIC = 3
"""Bytes by which a JPEG is told; a damaged one keeps them."""


class DriveContent:
    """Fill messages; a damaged one is what the adapters of the package refuse.

    Args:
        types: Message classes by name.
        offset_ns: Added to every stamp.
    """

    def __init__(self, types: Mapping[str, Any], offset_ns: int) -> None:
        self._types = types
        self._offset_ns = offset_ns

    def compressed(self, frame: CameraFrame, quality: int, corrupt: bool) -> Any:
        """Encode a frame; a damaged one is cut in half."""
        _, payload = cv2.imencode(
            '.jpg', frame.pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        return self._new(
            'sensor_msgs/msg/CompressedImage',
            header=self._header(frame.stamp_ns, CAMERA_FRAME),
            format='rgb8; jpeg compressed bgr8',
            data=payload[: max(payload.size // 2, _JPEG_MAGIC)] if corrupt else payload,
        )

    def raw(self, frame: CameraFrame, corrupt: bool) -> Any:
        """Give a frame as it is; a damaged one lacks half of its rows."""
        height, width, channels = frame.pixels.shape
        data = np.ascontiguousarray(frame.pixels).reshape(-1)
        return self._new(
            'sensor_msgs/msg/Image',
            header=self._header(frame.stamp_ns, CAMERA_FRAME),
            height=height,
            width=width,
            encoding='rgb8',
            is_bigendian=0,
            step=width * channels,
            data=data[: data.size // 2] if corrupt else data,
        )

    def camera_info(self, frame: CameraFrame, camera: PinholeCamera) -> Any:
        """Describe the camera, which has no distortion."""
        matrix = camera.intrinsics
        region = self._types['sensor_msgs/msg/RegionOfInterest']
        return self._new(
            'sensor_msgs/msg/CameraInfo',
            header=self._header(frame.stamp_ns, CAMERA_FRAME),
            height=camera.height,
            width=camera.width,
            distortion_model='plumb_bob',
            d=np.zeros(5),
            k=matrix.reshape(-1),
            r=np.eye(3).reshape(-1),
            p=np.hstack([matrix, np.zeros((3, 1))]).reshape(-1),
            binning_x=0,
            binning_y=0,
            roi=region(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
        )

    def audio(self, block: SoundBlock, corrupt: bool) -> Any:
        """Interleave the channels; damaged sound lacks its last byte."""
        data = np.ascontiguousarray(block.samples, '<i2').reshape(-1).view(np.uint8)
        return self._new(
            'mm_fusion_msgs/msg/AudioStamped',
            header=self._header(block.stamp_ns, MICROPHONE_FRAME),
            sample_rate=block.sample_rate_hz,
            channels=block.samples.shape[1],
            sample_format='S16LE',
            data=data[:-1] if corrupt else data,
        )

    def fix(self, fix: GnssFix, corrupt: bool) -> Any:
        """Give a position; a damaged one has no number for its latitude."""
        kind = self._types['sensor_msgs/msg/NavSatFix']
        status = self._types['sensor_msgs/msg/NavSatStatus']
        covariance = np.zeros((3, 3))
        covariance_type = kind.COVARIANCE_TYPE_UNKNOWN
        if fix.covariance is not None:
            covariance[:2, :2] = fix.covariance
            covariance[2, 2] = HEIGHT_RATIO**2 * fix.covariance[0, 0]
            covariance_type = kind.COVARIANCE_TYPE_KNOWN
        return kind(
            header=self._header(fix.stamp_ns, GNSS_FRAME),
            status=status(status=status.STATUS_FIX, service=status.SERVICE_GPS),
            latitude=math.nan if corrupt else fix.latitude_deg,
            longitude=fix.longitude_deg,
            altitude=fix.altitude_m,
            position_covariance=covariance.reshape(-1),
            position_covariance_type=covariance_type,
        )

    def velocity(self, sample: VelocitySample, corrupt: bool) -> Any:
        """Give speed and yaw rate; a damaged message has no number for the speed."""
        speed_mps = math.nan if corrupt else sample.speed_mps
        return self._new(
            'geometry_msgs/msg/TwistStamped',
            header=self._header(sample.stamp_ns, BASE_FRAME),
            twist=self._twist(speed_mps, sample.lateral_mps, sample.yaw_rate_rps or 0.0),
        )

    def odometry(self, truth: DriveTruth) -> Any:
        """Give the true pose and motion."""
        motion = truth.motion
        pose = self._pose(motion[Motion.X], motion[Motion.Y], motion[Motion.HEADING])
        twist = self._twist(motion[Motion.SPEED], 0.0, motion[Motion.YAW_RATE])
        exact = np.zeros(36)
        with_pose = self._types['geometry_msgs/msg/PoseWithCovariance']
        with_twist = self._types['geometry_msgs/msg/TwistWithCovariance']
        return self._new(
            'nav_msgs/msg/Odometry',
            header=self._header(truth.stamp_ns, MAP_FRAME),
            child_frame_id=BASE_FRAME,
            pose=with_pose(pose=pose, covariance=exact),
            twist=with_twist(twist=twist, covariance=exact),
        )

    def road_state(self, truth: DriveTruth) -> Any:
        """Give the true classes with probability 1."""
        surface: dict[str, Any] = {}
        for name, index, count in (
            ('friction', truth.friction, 6),
            ('material', truth.material, 5),
            ('unevenness', truth.unevenness, 3),
        ):
            certain = np.eye(count, dtype=np.float32)[index]
            surface[name] = index
            surface[f'{name}_probabilities'] = certain
            surface[f'{name}_probabilities_unfiltered'] = certain
        return self._new(
            'mm_fusion_msgs/msg/RoadState',
            header=self._header(truth.stamp_ns, BASE_FRAME),
            **surface,
            friction_coefficient_mean=truth.friction_coefficient,
            friction_coefficient_stddev=0.0,
            siren=truth.siren,
            siren_probability=float(truth.siren),
            siren_probability_unfiltered=float(truth.siren),
            surface_observed=True,
            siren_observed=True,
            modalities=[],
        )

    def path(self, stamp_ns: int, poses: NDArray[np.float64]) -> Any:
        """Give the true future, each pose with the time at which it is reached."""
        stamped = self._types['geometry_msgs/msg/PoseStamped']
        step_ns = round(PATH_STEP_S * _NS)
        return self._new(
            'nav_msgs/msg/Path',
            header=self._header(stamp_ns, BASE_FRAME),
            poses=[
                stamped(
                    header=self._header(stamp_ns + step * step_ns, BASE_FRAME),
                    pose=self._pose(x, y, heading),
                )
                for step, (x, y, heading) in enumerate(poses, start=1)
            ],
        )

    def sirens(self, truth: DriveTruth) -> Any:
        """Give the places of the vehicles whose sirens are on, nearest first."""
        return self._new(
            'geometry_msgs/msg/PoseArray',
            header=self._header(truth.stamp_ns, BASE_FRAME),
            poses=[self._pose(x, y, 0.0) for x, y in truth.siren_places],
        )

    def mounting(self, camera: PinholeCamera) -> Any:
        """Give where the sensors sit on the vehicle."""
        stamped = self._types['geometry_msgs/msg/TransformStamped']
        transform = self._types['geometry_msgs/msg/Transform']
        vector = self._types['geometry_msgs/msg/Vector3']
        upright = (0.0, 0.0, 0.0, 1.0)
        return self._new(
            'tf2_msgs/msg/TFMessage',
            transforms=[
                stamped(
                    header=self._header(START_NS, BASE_FRAME),
                    child_frame_id=frame,
                    transform=transform(
                        translation=vector(x=float(x), y=float(y), z=float(z)),
                        rotation=self._quaternion(*rotation),
                    ),
                )
                for frame, (x, y, z), rotation in (
                    (CAMERA_FRAME, camera.position, _quaternion(camera.rotation.T)),
                    (MICROPHONE_FRAME, MICROPHONE_PLACE, upright),
                    (GNSS_FRAME, ANTENNA_PLACE, upright),
                )
            ],
        )

    def _new(self, name: str, **fields: Any) -> Any:
        return self._types[name](**fields)

    def _header(self, stamp_ns: int, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(stamp_ns + self._offset_ns, _NS)
        stamp = self._types['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)
        return self._types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)

    def _pose(self, x: float, y: float, heading_rad: float) -> Any:
        point = self._types['geometry_msgs/msg/Point']
        half = float(heading_rad) / 2
        return self._types['geometry_msgs/msg/Pose'](
            position=point(x=float(x), y=float(y), z=0.0),
            orientation=self._quaternion(0.0, 0.0, math.sin(half), math.cos(half)),
        )

    def _quaternion(self, x: float, y: float, z: float, w: float) -> Any:
        return self._types['geometry_msgs/msg/Quaternion'](x=x, y=y, z=z, w=w)

    def _twist(self, forward_mps: float, left_mps: float, yaw_rate_rps: float) -> Any:
        vector = self._types['geometry_msgs/msg/Vector3']
        return self._types['geometry_msgs/msg/Twist'](
            linear=vector(x=float(forward_mps), y=float(left_mps), z=0.0),
            angular=vector(x=0.0, y=0.0, z=float(yaw_rate_rps)),
        )


def _quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Turn a rotation matrix with a trace over -1 + 1e-6 into x, y, z, w."""
    w = 0.5 * math.sqrt(1 + float(np.trace(rotation)))
    x, y, z = (
        (rotation[2, 1] - rotation[1, 2]) / (4 * w),
        (rotation[0, 2] - rotation[2, 0]) / (4 * w),
        (rotation[1, 0] - rotation[0, 1]) / (4 * w),
    )
    return float(x), float(y), float(z), w
