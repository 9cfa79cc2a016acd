# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated drive as serialised ROS messages, the same for a recording and for a live node."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from mm_fusion.bags.drive_content import DriveContent
from mm_fusion.bags.typestore import known_types
from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.samples import (
    CameraFrame,
    Delivery,
    DriveTruth,
    SoundBlock,
)
from mm_fusion.simulation.world import START_NS
from mm_fusion.types.sensors import GnssFix

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from mm_fusion.simulation.scenario import Scenario

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

ImageTransport: TypeAlias = Literal['compressed', 'raw', 'both']


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
    """

    def __init__(
        self, drive: Drive, images: ImageTransport = 'compressed', offset_ns: int = 0
    ) -> None:
        self._offset_ns = offset_ns
        self._drive = drive
        self._camera = PinholeCamera.from_settings(drive.scenario.camera)
        self._store = known_types()
        self._content = DriveContent(self._store.types, offset_ns)
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
            STATIC_TRANSFORMS, self._content.mounting(self._camera), START_NS, None
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
                yield IMAGE, self._content.compressed(sample, quality, corrupt)
            if self._images[IMAGE_RAW]:
                yield IMAGE_RAW, self._content.raw(sample, corrupt)
            yield CAMERA_INFO, self._content.camera_info(sample, self._camera)
        elif isinstance(sample, SoundBlock):
            yield AUDIO, self._content.audio(sample, corrupt)
        elif isinstance(sample, GnssFix):
            yield FIX, self._content.fix(sample, corrupt)
        else:
            yield VELOCITY, self._content.velocity(sample, corrupt)

    def _of_truth(self, truth: DriveTruth) -> Iterator[DriveMessage]:
        for topic, message in (
            (ODOMETRY, self._content.odometry(truth)),
            (ROAD_STATE, self._content.road_state(truth)),
            (SIRENS, self._content.sirens(truth)),
        ):
            yield self._serialised(topic, message, truth.received_ns, truth)
        if truth.path is not None:
            path = self._content.path(truth.stamp_ns, truth.path)
            yield self._serialised(PATH, path, truth.received_ns, truth)

    def _serialised(
        self, topic: str, message: Any, received_ns: int, source: Delivery | DriveTruth | None
    ) -> DriveMessage:
        data = bytes(self._store.serialize_cdr(message, TYPES[topic]))
        return DriveMessage(topic, data, received_ns + self._offset_ns, source)


def _time_of_arrival(item: Delivery | DriveTruth) -> int:
    return item.received_ns if isinstance(item, DriveTruth) else item.sample.received_ns
