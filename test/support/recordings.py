# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Real message objects, as a recording holds them and as rclpy delivers them."""

from __future__ import annotations

import array
import importlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mm_fusion.bags import known_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STAMP_NS = 1_600_000_000_250_000_000
RECEIVED_NS = STAMP_NS + 3_000_000
TYPES: dict[str, Any] = dict(known_types().types)
MGONZS13_TYPES: dict[str, Any] = dict(known_types('mgonzs13').types)


def header(stamp_ns: int = STAMP_NS, frame_id: str = 'sensor') -> Any:
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    stamp = TYPES['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)
    return TYPES['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)


def image(
    pixels: NDArray[np.uint8], encoding: str, *, padding: int = 0, stamp_ns: int = STAMP_NS
) -> Any:
    """Make a ``sensor_msgs/Image`` with ``padding`` bytes of 255 behind each row."""
    rows = pixels.reshape(pixels.shape[0], -1)
    data = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    return TYPES['sensor_msgs/msg/Image'](
        header=header(stamp_ns),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=data.shape[1],
        data=data.ravel(),
    )


def encoded(suffix: str = '.jpg', height: int = 24, width: int = 32, seed: int = 0) -> bytes:
    """Encode a picture with some detail, so that half of the file is really half a picture."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    return cv2.imencode(suffix, pixels)[1].tobytes()


def compressed(
    payload: bytes, image_format: str = 'rgb8; jpeg compressed bgr8', stamp_ns: int = STAMP_NS
) -> Any:
    return TYPES['sensor_msgs/msg/CompressedImage'](
        header=header(stamp_ns), format=image_format, data=np.frombuffer(payload, np.uint8)
    )


def camera_info(
    width: int,
    height: int,
    focal_px: float,
    *,
    centre: tuple[float, float] | None = None,
    stamp_ns: int = STAMP_NS,
) -> Any:
    """Make a ``sensor_msgs/CameraInfo``, with its principal point in the middle by default."""
    cx, cy = (width / 2, height / 2) if centre is None else centre
    region = TYPES['sensor_msgs/msg/RegionOfInterest']
    return TYPES['sensor_msgs/msg/CameraInfo'](
        header=header(stamp_ns, 'camera'),
        height=height,
        width=width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=np.array([focal_px, 0, cx, 0, focal_px, cy, 0, 0, 1.0]),
        r=np.eye(3).ravel(),
        p=np.array([focal_px, 0, cx, 0, 0, focal_px, cy, 0, 0, 0, 1.0, 0]),
        binning_x=0,
        binning_y=0,
        roi=region(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    )


def own_audio(
    data: bytes,
    *,
    rate: int = 16_000,
    channels: int = 1,
    sample_format: str = 'S16LE',
    stamp_ns: int = STAMP_NS,
) -> Any:
    return TYPES['mm_fusion_msgs/msg/AudioStamped'](
        header=header(stamp_ns),
        sample_rate=rate,
        channels=channels,
        sample_format=sample_format,
        data=np.frombuffer(data, np.uint8),
    )


def ros_drivers_audio(data: bytes, stamp_ns: int = STAMP_NS) -> Any:
    return TYPES['audio_common_msgs/msg/AudioDataStamped'](
        header=header(stamp_ns),
        audio=TYPES['audio_common_msgs/msg/AudioData'](data=np.frombuffer(data, np.uint8)),
    )


def audio_info(
    *, rate: int = 16_000, channels: int = 1, sample_format: str = 'S16LE', coding: str = 'wave'
) -> Any:
    return TYPES['audio_common_msgs/msg/AudioInfo'](
        channels=channels,
        sample_rate=rate,
        sample_format=sample_format,
        bitrate=0,
        coding_format=coding,
    )


def mgonzs13_audio(
    field: str,
    values: NDArray[Any],
    *,
    code: int,
    rate: int = 16_000,
    channels: int = 1,
    stamp_ns: int = STAMP_NS,
) -> Any:
    arrays = {
        'float32_data': np.zeros(0, np.float32),
        'int32_data': np.zeros(0, np.int32),
        'int16_data': np.zeros(0, np.int16),
        'int8_data': np.zeros(0, np.int8),
        'uint8_data': np.zeros(0, np.uint8),
    }
    prefix = 'audio_common_msgs/msg'
    return MGONZS13_TYPES[f'{prefix}/AudioStamped'](
        header=header(stamp_ns),
        audio=MGONZS13_TYPES[f'{prefix}/Audio'](
            audio_data=MGONZS13_TYPES[f'{prefix}/AudioData'](**{**arrays, field: values}),
            info=MGONZS13_TYPES[f'{prefix}/AudioInfo'](
                format=code, channels=channels, rate=rate, chunk=values.size // channels
            ),
        ),
    )


def nav_sat_fix(
    latitude: float = 48.1,
    longitude: float = 11.5,
    altitude: float = 520.0,
    *,
    status: int = 0,
    covariance: Sequence[float] = (4.0, 0.5, 0.0, 0.5, 9.0, 0.0, 0.0, 0.0, 16.0),
    covariance_type: int = 3,
    stamp_ns: int = STAMP_NS,
) -> Any:
    return TYPES['sensor_msgs/msg/NavSatFix'](
        header=header(stamp_ns),
        status=TYPES['sensor_msgs/msg/NavSatStatus'](status=status, service=1),
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        position_covariance=np.array(covariance, np.float64),
        position_covariance_type=covariance_type,
    )


def pose(x: float, y: float, heading_rad: float = 0.0) -> Any:
    return TYPES['geometry_msgs/msg/Pose'](
        position=TYPES['geometry_msgs/msg/Point'](x=x, y=y, z=0.0),
        orientation=TYPES['geometry_msgs/msg/Quaternion'](
            x=0.0, y=0.0, z=float(np.sin(heading_rad / 2)), w=float(np.cos(heading_rad / 2))
        ),
    )


def pose_stamped(x: float, y: float, stamp_ns: int = STAMP_NS) -> Any:
    return TYPES['geometry_msgs/msg/PoseStamped'](header=header(stamp_ns), pose=pose(x, y))


def pose_with_covariance(x: float, y: float, covariance: NDArray[np.float64]) -> Any:
    return TYPES['geometry_msgs/msg/PoseWithCovarianceStamped'](
        header=header(),
        pose=TYPES['geometry_msgs/msg/PoseWithCovariance'](pose=pose(x, y), covariance=covariance),
    )


def twist(speed: float, yaw_rate: float = 0.0, lateral: float = 0.0) -> Any:
    vector = TYPES['geometry_msgs/msg/Vector3']
    return TYPES['geometry_msgs/msg/Twist'](
        linear=vector(x=speed, y=lateral, z=0.0), angular=vector(x=0.0, y=0.0, z=yaw_rate)
    )


def twist_stamped(
    speed: float, yaw_rate: float = 0.0, lateral: float = 0.0, stamp_ns: int = STAMP_NS
) -> Any:
    return TYPES['geometry_msgs/msg/TwistStamped'](
        header=header(stamp_ns), twist=twist(speed, yaw_rate, lateral)
    )


def twist_with_covariance(speed: float, yaw_rate: float, covariance: NDArray[np.float64]) -> Any:
    return TYPES['geometry_msgs/msg/TwistWithCovarianceStamped'](
        header=header(),
        twist=TYPES['geometry_msgs/msg/TwistWithCovariance'](
            twist=twist(speed, yaw_rate), covariance=covariance
        ),
    )


def odometry(
    x: float,
    y: float,
    heading_rad: float,
    speed: float,
    yaw_rate: float = 0.0,
    stamp_ns: int = STAMP_NS,
) -> Any:
    return TYPES['nav_msgs/msg/Odometry'](
        header=header(stamp_ns, 'map'),
        child_frame_id='base_link',
        pose=TYPES['geometry_msgs/msg/PoseWithCovariance'](
            pose=pose(x, y, heading_rad), covariance=np.zeros(36)
        ),
        twist=TYPES['geometry_msgs/msg/TwistWithCovariance'](
            twist=twist(speed, yaw_rate), covariance=np.zeros(36)
        ),
    )


def velocity_report(speed: float, lateral: float, yaw_rate: float) -> Any:
    return TYPES['autoware_vehicle_msgs/msg/VelocityReport'](
        header=header(),
        longitudinal_velocity=speed,
        lateral_velocity=lateral,
        heading_rate=yaw_rate,
    )


def number(value: float) -> Any:
    return TYPES['std_msgs/msg/Float32'](data=value)


def to_rclpy(msg: Any) -> Any:
    """Make the rclpy object with the same type and values."""
    package, _, name = msg.__msgtype__.split('/')
    target = getattr(importlib.import_module(f'{package}.msg'), name)()
    for field, kind in target.get_fields_and_field_types().items():
        value = getattr(msg, field)
        if hasattr(value, '__msgtype__'):
            value = to_rclpy(value)
        elif kind == 'sequence<uint8>':
            value = array.array('B', value.tobytes())
        setattr(target, field, value)
    return target
