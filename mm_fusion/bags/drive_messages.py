# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated drive as serialised ROS messages, the same for a recording and for a live node."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import cv2
import numpy as np

from mm_fusion.bags.typestore import known_types
from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.samples import (
    CAMERA_FRAME,
    GNSS_FRAME,
    MICROPHONE_FRAME,
    PATH_STEP_S,
    CameraFrame,
    Delivery,
    DriveTruth,
    SoundBlock,
)
from mm_fusion.simulation.sensors.gnss import HEIGHT_RATIO
from mm_fusion.simulation.world import START_NS, Motion
from mm_fusion.types.sensors import GnssFix

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from mm_fusion.simulation.scenario import CameraSettings, Scenario
    from mm_fusion.types.sensors import VelocitySample

IMAGE = '/camera/image/compressed'
IMAGE_RAW = '/camera/image_raw'
CAMERA_INFO = '/camera/camera_info'
AUDIO = '/audio'
FIX = '/gnss/fix'
VELOCITY = '/vehicle/velocity'
ODOMETRY = '/ground_truth/odometry'
ROAD_STATE = '/ground_truth/road_state'
PATH = '/ground_truth/path'
SIRENS = '/ground_truth/siren'
STATIC_TRANSFORMS = '/tf_static'

TYPES = {
    IMAGE: 'sensor_msgs/msg/CompressedImage',
    IMAGE_RAW: 'sensor_msgs/msg/Image',
    CAMERA_INFO: 'sensor_msgs/msg/CameraInfo',
    AUDIO: 'mm_fusion_msgs/msg/AudioStamped',
    FIX: 'sensor_msgs/msg/NavSatFix',
    VELOCITY: 'geometry_msgs/msg/TwistStamped',
    ODOMETRY: 'nav_msgs/msg/Odometry',
    ROAD_STATE: 'mm_fusion_msgs/msg/RoadState',
    PATH: 'nav_msgs/msg/Path',
    SIRENS: 'geometry_msgs/msg/PoseArray',
    STATIC_TRANSFORMS: 'tf2_msgs/msg/TFMessage',
}
"""Message type of each topic."""

BASE_FRAME = 'base_link'
MAP_FRAME = 'map'

MICROPHONE_PLACE = (0.0, 0.0, 1.5)
ANTENNA_PLACE = (0.0, 0.0, 0.0)
"""In base_link, m: what the simulated sensors measure, so that no lever arm is hidden."""

ImageTransport: TypeAlias = Literal['compressed', 'raw', 'both']

_NS = 1_000_000_000
_JPEG_MAGIC = 3
"""Bytes by which a JPEG is told; a damaged one keeps them."""


class Drive(Protocol):
    """The part of :class:`~mm_fusion.simulation.drive.SimulatedDrive` that is used here."""

    @property
    def scenario(self) -> Scenario:
        """What it was made from."""

    def deliveries(self) -> Iterator[Delivery]:
        """Yield what the sensors deliver, in order of arrival."""

    def truths(self, rate_hz: float = 20.0) -> Iterator[DriveTruth]:
        """Yield the truth, in order of time."""


@dataclass(frozen=True, slots=True, eq=False)
class DriveMessage:
    """One message on its way to the receiver.

    Attributes:
        topic: Where it is published.
        data: The message as CDR.
        received_ns: Time of arrival.
        source: What it was made from; None for the mounting of the sensors.
    """

    topic: str
    data: bytes
    received_ns: int
    source: Delivery | DriveTruth | None


class DriveMessages:
    """The messages of a drive.

    Args:
        drive: The drive.
        images: How camera frames are sent: as JPEG, as rgb8, or both.
        offset_ns: Added to every time, so that one drive can follow another.

    Attributes:
        topics: Message type of each topic that the drive may have a message on.
        offset_ns: The same.
    """

    def __init__(
        self, drive: Drive, images: ImageTransport = 'compressed', offset_ns: int = 0
    ) -> None:
        self.offset_ns = offset_ns
        self._drive = drive
        self._camera = camera_of(drive.scenario.camera)
        self._store = known_types()
        self._messages = _Messages(dict(self._store.types), offset_ns)
        self._images = {
            IMAGE: images in ('compressed', 'both'),
            IMAGE_RAW: images in ('raw', 'both'),
        }
        scenario = drive.scenario
        absent = {topic for topic, wanted in self._images.items() if not wanted}
        if not scenario.camera.enabled:
            absent |= {IMAGE, IMAGE_RAW, CAMERA_INFO}
        for sensor, topic in (
            (scenario.microphone, AUDIO),
            (scenario.gnss, FIX),
            (scenario.velocity, VELOCITY),
        ):
            if not sensor.enabled:
                absent.add(topic)
        self.topics = {topic: kind for topic, kind in TYPES.items() if topic not in absent}

    def __iter__(self) -> Generator[DriveMessage, None, None]:
        """Yield every message, in order of arrival: the mounting first, truth before sensors."""
        yield self._serialised(
            STATIC_TRANSFORMS, self._messages.mounting(self._camera), START_NS, None
        )
        sources: tuple[Iterator[Delivery | DriveTruth], ...] = (
            self._drive.truths(),
            self._drive.deliveries(),
        )
        for item in heapq.merge(*sources, key=_time_of_arrival):
            if isinstance(item, DriveTruth):
                yield from self._of_truth(item)
            else:
                yield from self._of_delivery(item)

    def _of_delivery(self, delivery: Delivery) -> Iterator[DriveMessage]:
        sample = delivery.sample
        for topic, message in self._sensor_messages(delivery):
            yield self._serialised(topic, message, sample.received_ns, delivery)

    def _sensor_messages(self, delivery: Delivery) -> Iterator[tuple[str, Any]]:
        sample, corrupt = delivery.sample, delivery.corrupt
        if isinstance(sample, CameraFrame):
            if self._images[IMAGE]:
                quality = self._drive.scenario.camera.jpeg_quality
                yield IMAGE, self._messages.compressed(sample, quality, corrupt)
            if self._images[IMAGE_RAW]:
                yield IMAGE_RAW, self._messages.raw(sample, corrupt)
            yield CAMERA_INFO, self._messages.camera_info(sample, self._camera)
        elif isinstance(sample, SoundBlock):
            yield AUDIO, self._messages.audio(sample, corrupt)
        elif isinstance(sample, GnssFix):
            yield FIX, self._messages.fix(sample, corrupt)
        else:
            yield VELOCITY, self._messages.velocity(sample, corrupt)

    def _of_truth(self, truth: DriveTruth) -> Iterator[DriveMessage]:
        for topic, message in (
            (ODOMETRY, self._messages.odometry(truth)),
            (ROAD_STATE, self._messages.road_state(truth)),
            (SIRENS, self._messages.sirens(truth)),
        ):
            yield self._serialised(topic, message, truth.received_ns, truth)
        if truth.path is not None:
            path = self._messages.path(truth.stamp_ns, truth.path)
            yield self._serialised(PATH, path, truth.received_ns, truth)

    def _serialised(
        self, topic: str, message: Any, received_ns: int, source: Delivery | DriveTruth | None
    ) -> DriveMessage:
        data = bytes(self._store.serialize_cdr(message, TYPES[topic]))
        return DriveMessage(topic, data, received_ns + self.offset_ns, source)


def _time_of_arrival(item: Delivery | DriveTruth) -> int:
    return item.received_ns if isinstance(item, DriveTruth) else item.sample.received_ns


def camera_of(settings: CameraSettings) -> PinholeCamera:
    """Make the camera that a scenario describes."""
    half_fov = math.radians(settings.horizontal_fov_deg) / 2
    return PinholeCamera(
        width=settings.width,
        height=settings.height,
        focal_px=settings.width / 2 / math.tan(half_fov),
        forward_m=settings.forward_m,
        up_m=settings.up_m,
        pitch_down_rad=math.radians(settings.pitch_down_deg),
    )


class _Messages:
    """Fill messages; a damaged one is what the adapters of the package refuse."""

    def __init__(self, types: dict[str, Any], offset_ns: int) -> None:
        self._types = types
        self._offset_ns = offset_ns

    def compressed(self, frame: CameraFrame, quality: int, corrupt: bool) -> Any:
        """Encode a frame; a damaged one is cut in half."""
        _, payload = cv2.imencode(
            '.jpg', frame.pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        return self._new(
            IMAGE,
            header=self._header(frame.stamp_ns, CAMERA_FRAME),
            format='rgb8; jpeg compressed bgr8',
            data=payload[: max(payload.size // 2, _JPEG_MAGIC)] if corrupt else payload,
        )

    def raw(self, frame: CameraFrame, corrupt: bool) -> Any:
        """Give a frame as it is; a damaged one lacks half of its rows."""
        height, width, channels = frame.pixels.shape
        data = np.ascontiguousarray(frame.pixels).reshape(-1)
        return self._new(
            IMAGE_RAW,
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
            CAMERA_INFO,
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
            AUDIO,
            header=self._header(block.stamp_ns, MICROPHONE_FRAME),
            sample_rate=block.sample_rate_hz,
            channels=block.samples.shape[1],
            sample_format='S16LE',
            data=data[:-1] if corrupt else data,
        )

    def fix(self, fix: GnssFix, corrupt: bool) -> Any:
        """Give a position; a damaged one has no number for its latitude."""
        kind = self._types[TYPES[FIX]]
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
            VELOCITY,
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
            ODOMETRY,
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
            ROAD_STATE,
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
            PATH,
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
            SIRENS,
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
            STATIC_TRANSFORMS,
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

    def _new(self, topic: str, **fields: Any) -> Any:
        return self._types[TYPES[topic]](**fields)

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
