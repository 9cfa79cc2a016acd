# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated drive becomes messages that the package's own adapters read, or refuse."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from mm_fusion.bags import drive_messages as dm
from mm_fusion.bags.drive_messages import DriveMessage, DriveMessages
from mm_fusion.bags.typestore import known_types
from mm_fusion.errors import SampleError
from mm_fusion.messages import (
    AudioAdapter,
    image_sample,
    odometry_pose,
    position_sample,
    velocity_sample,
)
from mm_fusion.settings import AudioSettings
from mm_fusion.simulation.acoustics.synthesizer import MICROPHONE_FORWARD_M
from mm_fusion.simulation.scenario import GnssSettings, Scenario
from mm_fusion.simulation.world import START_NS
from mm_fusion.types.sensors import CompressedImage, DropReason, GnssFix, RawImage
from support.fake_drive import (
    HEIGHT,
    LATENCY_NS,
    RATE_HZ,
    STEP_NS,
    STEPS,
    WIDTH,
    FakeDrive,
    pixels,
    scenario,
    sound,
)

if TYPE_CHECKING:
    from collections.abc import Callable

STORE = known_types()


def read(message: DriveMessage) -> Any:
    return STORE.deserialize_cdr(message.data, dm.TYPES[message.topic])


def on(topic: str, **how: Any) -> list[Any]:
    return [
        read(message) for message in DriveMessages(FakeDrive(), **how) if message.topic == topic
    ]


def stamp(message: Any) -> int:
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def test_every_topic_has_its_messages_in_order_of_arrival() -> None:
    messages = DriveMessages(FakeDrive())
    found = list(messages)

    assert Counter(message.topic for message in found) == {
        '/camera/image/compressed': STEPS,
        '/camera/camera_info': STEPS,
        '/audio': STEPS,
        '/gnss/fix': STEPS,
        '/vehicle/velocity': STEPS,
        '/ground_truth/odometry': STEPS,
        '/ground_truth/road_state': STEPS,
        '/ground_truth/siren': STEPS,
        '/ground_truth/path': STEPS - 1,
        '/tf_static': 1,
    }
    assert messages.topics.keys() == {message.topic for message in found}
    times = [message.received_ns for message in found]
    assert times == sorted(times)
    assert found[0].topic == '/tf_static'
    # What is true comes before what is measured at the same time.
    together = [message.topic for message in found if message.received_ns == START_NS]
    assert together[1] == '/ground_truth/odometry'
    assert together[-1] == '/vehicle/velocity'
    assert times[-1] == START_NS + (STEPS - 1) * STEP_NS + LATENCY_NS


def test_frames_arrive_as_they_were_rendered() -> None:
    compressed = on(dm.IMAGE)
    raw = on(dm.IMAGE_RAW, images='raw')

    for step, message in enumerate(compressed):
        sample = image_sample(message, 5)
        assert isinstance(sample, CompressedImage)
        assert (sample.stamp_ns, sample.encoding) == (START_NS + step * STEP_NS, 'jpeg')
        picture = cv2.imdecode(sample.payload, cv2.IMREAD_COLOR)
        assert picture is not None
        assert np.abs(picture[:, :, ::-1].astype(int) - pixels(step)).mean() < 3
    for step, message in enumerate(raw):
        sample = image_sample(message, 5)
        assert isinstance(sample, RawImage)
        assert sample.encoding == 'rgb8'
        assert np.array_equal(sample.pixels, pixels(step))


@pytest.mark.parametrize(
    ('images', 'expected'),
    [
        ('compressed', {dm.IMAGE, dm.CAMERA_INFO}),
        ('raw', {dm.IMAGE_RAW, dm.CAMERA_INFO}),
        ('both', {dm.IMAGE, dm.IMAGE_RAW, dm.CAMERA_INFO}),
    ],
)
def test_images_are_sent_as_asked_for(images: Any, expected: set[str]) -> None:
    messages = DriveMessages(FakeDrive(), images)

    assert {topic for topic in messages.topics if topic.startswith('/camera/')} == expected
    assert {m.topic for m in messages if m.topic.startswith('/camera/')} == expected


def test_the_quality_of_the_jpeg_is_that_of_the_scenario() -> None:
    def size(quality: int) -> int:
        made = scenario()
        camera = dataclasses.replace(made.camera, jpeg_quality=quality)
        drive = FakeDrive(dataclasses.replace(made, camera=camera))
        return next(len(m.data) for m in DriveMessages(drive) if m.topic == dm.IMAGE)

    assert size(20) < size(95)


def test_the_camera_is_described_exactly() -> None:
    (info, *_) = on(dm.CAMERA_INFO)

    focal = WIDTH / 2 / math.tan(math.radians(75.0) / 2)
    assert info.k.tolist() == [focal, 0, (WIDTH - 1) / 2, 0, focal, (HEIGHT - 1) / 2, 0, 0, 1]
    assert info.p.reshape(3, 4)[:, :3].ravel().tolist() == info.k.tolist()
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    assert not info.d.any()
    assert (stamp(info), info.header.frame_id) == (START_NS, 'camera_optical_frame')


def test_the_mounting_turns_the_optical_axis_ahead_and_down() -> None:
    (message,) = on(dm.STATIC_TRANSFORMS)

    frames = {t.child_frame_id: t.transform for t in message.transforms}
    assert frames.keys() == {'camera_optical_frame', 'microphone', 'gnss_antenna'}
    camera = frames['camera_optical_frame']
    assert (camera.translation.x, camera.translation.z) == (1.6, 1.45)
    assert frames['microphone'].translation.x == MICROPHONE_FORWARD_M
    x, y, z, w = (getattr(camera.rotation, axis) for axis in 'xyzw')
    ahead = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
    pitch = math.radians(3.4)
    assert ahead == pytest.approx([math.cos(pitch), 0.0, -math.sin(pitch)])


def test_two_channels_of_sound_are_interleaved() -> None:
    for step, message in enumerate(on(dm.AUDIO)):
        samples = message.data.view('<i2').reshape(-1, 2)
        assert np.array_equal(samples, sound(step))
        assert (message.channels, message.sample_rate, message.sample_format) == (
            2, RATE_HZ, 'S16LE',
        )  # fmt: skip
        assert stamp(message) == START_NS + (step - 1) * STEP_NS


def test_position_and_velocity_arrive_as_measured() -> None:
    (fix, *_) = on(dm.FIX)
    velocities = [velocity_sample(message, 5) for message in on(dm.VELOCITY)]

    sample = position_sample(fix, 5)
    assert isinstance(sample, GnssFix)
    assert (sample.latitude_deg, sample.longitude_deg, sample.altitude_m) == (48.0, 11.0, 520.0)
    assert sample.covariance is not None
    assert sample.covariance.tolist() == [[4.0, 0.0], [0.0, 4.0]]
    assert [v.speed_mps for v in velocities] == [10.0 + step for step in range(STEPS)]
    assert {v.yaw_rate_rps for v in velocities} == {0.1}


def test_truth_is_pose_surface_siren_and_future() -> None:
    pose = odometry_pose(on(dm.ODOMETRY)[3])
    road = on(dm.ROAD_STATE)[3]
    sirens = on(dm.SIRENS)
    path = on(dm.PATH)[3]

    assert (pose.x_m, pose.y_m, pose.speed_mps, pose.yaw_rate_rps) == (3.0, 2.0, 10.0, 0.1)
    assert pose.heading_rad == pytest.approx(0.5)
    assert (road.friction, road.material, road.unevenness) == (1, 2, 0)
    assert road.friction_probabilities.tolist() == [0, 1, 0, 0, 0, 0]
    assert road.material_probabilities_unfiltered.tolist() == [0, 0, 1, 0, 0]
    assert road.friction_coefficient_mean == pytest.approx(0.65)
    assert (road.siren, road.siren_probability) == (True, 1.0)
    assert sirens[2].poses == []
    assert [(p.position.x, p.position.y) for p in sirens[3].poses] == [(10.0, 3.0), (-20.0, 0.0)]
    assert {m.header.frame_id for m in (road, path, sirens[3])} == {'base_link'}
    times = [stamp(item) - stamp(path) for item in path.poses]
    assert times == [500_000_000 * step for step in range(1, 13)]
    last = path.poses[-1].pose
    assert (last.position.x, last.position.y) == (60.0, 12.0)
    assert 2 * math.atan2(last.orientation.z, last.orientation.w) == pytest.approx(1.2)


@pytest.mark.parametrize('channels', [1, 2])
def test_what_is_damaged_is_refused_by_the_adapters(channels: int) -> None:
    drive = FakeDrive(scenario(channels), corrupt=True)
    audio = AudioAdapter(AudioSettings())
    adapters: dict[str, Callable[[Any, int], Any]] = {
        dm.IMAGE: image_sample,
        dm.IMAGE_RAW: image_sample,
        dm.AUDIO: audio.chunk,
        dm.FIX: position_sample,
        dm.VELOCITY: velocity_sample,
    }
    reasons: dict[str, set[DropReason]] = {topic: set() for topic in adapters}
    for message in DriveMessages(drive, 'both'):
        if message.topic in adapters:
            with pytest.raises(SampleError) as refused:
                adapters[message.topic](read(message), message.received_ns)
            reasons[message.topic].add(refused.value.reason)

    assert reasons == {
        dm.IMAGE: {DropReason.MALFORMED},
        dm.IMAGE_RAW: {DropReason.MALFORMED},
        dm.AUDIO: {DropReason.MALFORMED},
        dm.FIX: {DropReason.NOT_FINITE},
        dm.VELOCITY: {DropReason.NOT_FINITE},
    }


def test_an_offset_moves_every_stamp() -> None:
    offset_ns = 7 * 10**9 + 11
    moved = DriveMessages(FakeDrive(), 'both', offset_ns)

    for a, b in zip(DriveMessages(FakeDrive(), 'both'), moved, strict=True):
        assert (a.topic, a.received_ns + offset_ns) == (b.topic, b.received_ns)
        for one, other in zip(stamps_of(read(a)), stamps_of(read(b)), strict=True):
            assert other - one == offset_ns


def stamps_of(message: Any) -> list[int]:
    parts = [message] if hasattr(message, 'header') else []
    parts += getattr(message, 'transforms', [])
    if message.__msgtype__ == 'nav_msgs/msg/Path':
        parts += message.poses
    assert parts
    return [stamp(part) for part in parts]


def test_a_sensor_that_the_vehicle_lacks_has_no_topic() -> None:
    drive = FakeDrive(Scenario(gnss=GnssSettings(enabled=False)))

    assert dm.FIX not in DriveMessages(drive).topics
    assert dm.FIX in DriveMessages(FakeDrive()).topics
