# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Bad messages over real DDS: each is counted under its name, and the good ones still pass."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from mm_fusion_msgs.msg import FusionStatus
from sensor_msgs.msg import Image, NavSatFix, NavSatStatus

from support.pictures import picture
from support.ros_graph import Car, Graph, to_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Spoil = Callable[[Any], None]

pytestmark = pytest.mark.ros

YEAR_S = 365 * 86_400


def truncate(message: Any) -> None:
    """Cut a picture in half."""
    message.data = message.data[: len(message.data) // 2]


def hollow(message: Any) -> None:
    """Keep the beginning and the end of a JPEG, and nothing to decode between."""
    message.data = bytes([*message.data[:4], *bytes(300), *message.data[-2:]])


def not_a_picture(message: Any) -> None:
    """Replace a picture by text."""
    message.data = b'this is not a picture'


def nan_speed(message: Any) -> None:
    """Spoil the speed."""
    message.twist.linear.x = math.nan


def infinite_yaw_rate(message: Any) -> None:
    """Spoil the yaw rate."""
    message.twist.angular.z = math.inf


def nan_latitude(message: Any) -> None:
    """Spoil the latitude."""
    message.latitude = math.nan


def no_fix(message: Any) -> None:
    """Say that there is no position."""
    message.status.status = NavSatStatus.STATUS_NO_FIX


def odd_bytes(message: Any) -> None:
    """Cut the last byte off."""
    message.data = message.data[:-1]


def mp3(message: Any) -> None:
    """Claim a format that is not read."""
    message.sample_format = 'mp3'


def zero_stamp(message: Any) -> None:
    """Take the time away."""
    message.header.stamp = to_time(0)


def future_stamp(message: Any) -> None:
    """Stamp with a time to come."""
    message.header.stamp.sec += YEAR_S


CASES = [
    ('image', truncate, 'camera', 'malformed'),
    ('image', not_a_picture, 'camera', 'unsupported'),
    ('image', zero_stamp, 'camera', 'zero_stamp'),
    ('image', future_stamp, 'camera', 'future'),
    ('velocity', nan_speed, 'velocity', 'not_finite'),
    ('velocity', infinite_yaw_rate, 'velocity', 'not_finite'),
    ('velocity', zero_stamp, 'velocity', 'zero_stamp'),
    ('velocity', future_stamp, 'velocity', 'future'),
    ('fix', nan_latitude, 'gnss', 'not_finite'),
    ('fix', no_fix, 'gnss', 'no_fix'),
    ('fix', zero_stamp, 'gnss', 'zero_stamp'),
    ('fix', future_stamp, 'gnss', 'future'),
    ('audio', odd_bytes, 'microphone', 'malformed'),
    ('audio', mp3, 'microphone', 'unsupported'),
    ('audio', zero_stamp, 'microphone', 'zero_stamp'),
    ('audio', future_stamp, 'microphone', 'future'),
]


def driving(graph: Graph, bundle: Path, **options: Any) -> Car:
    """Give a car whose sensors are all heard."""
    node = graph.fusion({'inference.bundle': str(bundle), 'node.status_rate_hz': 20.0})
    node.start()
    car = Car(graph, **options)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    graph.until(lambda: car.status and car.status[-1].level == FusionStatus.FULL, 'FULL')
    return car


def goes_on(graph: Graph, car: Car) -> None:
    """Check that good messages are still turned into predictions."""
    roads, trajectories = len(car.roads), len(car.trajectories)
    graph.until(lambda: len(car.roads) > roads + 2, 'road states afterwards')
    graph.until(lambda: len(car.trajectories) > trajectories + 2, 'trajectories afterwards')
    for road in car.roads:
        assert all(map(math.isfinite, road.friction_probabilities))
    for trajectory in car.trajectories:
        assert math.isfinite(trajectory.speed)
        assert all(map(math.isfinite, trajectory.modes[0].covariances))


@pytest.mark.parametrize(('role', 'spoil', 'modality', 'reason'), CASES)
def test_a_bad_message_is_counted_by_name_and_the_node_goes_on(
    graph: Graph, bundle: Path, role: str, spoil: Spoil, modality: str, reason: str
) -> None:
    car = driving(graph, bundle)
    assert car.dropped(modality, reason) == 0
    message = car.message(role, car.get_clock().now().nanoseconds)
    spoil(message)
    car.outlets[role].publish(message)
    graph.until(lambda: car.dropped(modality, reason) == 1, f'one {modality} {reason}')
    goes_on(graph, car)


def test_a_camera_whose_frames_do_not_decode_counts_as_missing(graph: Graph, bundle: Path) -> None:
    car = driving(graph, bundle)
    good = car.message

    def spoilt(role: str, stamp_ns: int) -> Any:
        message = good(role, stamp_ns)
        if role == 'image':
            hollow(message)
        return message

    car.message = spoilt  # type: ignore[method-assign]
    graph.until(lambda: car.dropped('camera', 'malformed') > 5, 'malformed frames')
    graph.until(lambda: car.status[-1].level == FusionStatus.REDUCED, 'REDUCED')
    assert 'camera' in car.status[-1].level_reason


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'encoding': 'bayer_rggb8'}, 'unsupported'),
        ({'step': 10}, 'malformed'),
        ({'height': 100}, 'malformed'),
        ({'width': 0, 'height': 0, 'step': 0}, 'malformed'),
    ],
)
def test_a_bad_raw_image_is_counted_by_name(
    graph: Graph, bundle: Path, changes: dict[str, Any], reason: str
) -> None:
    node = graph.fusion({'inference.bundle': str(bundle), 'node.status_rate_hz': 20.0})
    node.start()
    car = Car(graph, sensors=('audio', 'fix', 'velocity'))
    outlet = car.create_publisher(Image, '/image', 5)
    graph.until(lambda: car.connected() and outlet.get_subscription_count(), 'subscriptions')
    car.drive()
    message = Image(height=8, width=16, encoding='rgb8', step=48, data=bytes(8 * 48))
    message.header.stamp = to_time(car.get_clock().now().nanoseconds)
    for name, value in changes.items():
        setattr(message, name, value)
    outlet.publish(message)
    graph.until(lambda: car.dropped('camera', reason) == 1, f'one {reason}')

    pixels = picture(8, 16, (255, 0, 0)).tobytes()
    good = Image(height=8, width=16, encoding='bgr8', step=48, data=pixels)

    def publish() -> None:
        good.header.stamp = to_time(car.get_clock().now().nanoseconds)
        outlet.publish(good)

    car.create_timer(0.05, publish)
    graph.until(lambda: car.roads and car.roads[-1].surface_observed, 'a road state')
    assert car.roads[-1].friction == car.roads[-1].FRICTION_ICE, 'blue is ice in this bundle'
    goes_on(graph, car)


def has_duplicates(car: Car, modality: str) -> bool:
    """Tell whether two duplicates have been counted."""
    return car.dropped(modality, 'duplicate') == 2


def test_duplicates_are_counted(graph: Graph, bundle: Path) -> None:
    car = driving(graph, bundle)
    stamp_ns = car.get_clock().now().nanoseconds
    for role, modality in (('image', 'camera'), ('velocity', 'velocity'), ('fix', 'gnss')):
        message = car.message(role, stamp_ns)
        for _ in range(3):
            car.outlets[role].publish(message)
        graph.until(partial(has_duplicates, car, modality), f'two duplicates of {modality}')
    goes_on(graph, car)


def test_a_fix_without_altitude_and_covariance_is_used(graph: Graph, bundle: Path) -> None:
    node = graph.fusion({'inference.bundle': str(bundle), 'node.status_rate_hz': 20.0})
    node.start()
    car = Car(graph, sensors=('velocity',))
    outlet = car.create_publisher(NavSatFix, '/fix', 5)
    graph.until(lambda: car.connected() and outlet.get_subscription_count(), 'subscriptions')
    car.drive()

    def publish() -> None:
        message = NavSatFix(latitude=48.0, longitude=11.0, altitude=math.nan)
        message.status.status = NavSatStatus.STATUS_FIX
        message.header.stamp = to_time(car.get_clock().now().nanoseconds)
        outlet.publish(message)

    car.create_timer(0.1, publish)
    graph.until(lambda: (fix := car.modality('gnss')) and fix.state == fix.PRESENT, 'GNSS')
    goes_on_with_motion(graph, car)


def goes_on_with_motion(graph: Graph, car: Car) -> None:
    """Check that trajectories come."""
    count = len(car.trajectories)
    graph.until(lambda: len(car.trajectories) > count + 2, 'trajectories')
    assert math.isfinite(car.trajectories[-1].speed)
