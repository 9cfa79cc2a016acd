# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Types and QoS of the inputs over real DDS."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from geometry_msgs.msg import TwistStamped
from mm_fusion_msgs.msg import RoadState
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from support.ros_graph import Car, Graph, activated, log_lines, parameters

if TYPE_CHECKING:
    from pathlib import Path

    from rclpy.publisher import Publisher


pytestmark = pytest.mark.ros


def test_a_type_that_cannot_be_read_is_named_once(
    graph: Graph, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    activated(graph, bundle)
    car = Car(graph, sensors=())
    outlet = car.create_publisher(String, '/image', 10)
    graph.until(lambda: named(car), 'a diagnostic that names the type')
    expected = (
        '/image: found type std_msgs/msg/String from /car, expected one of '
        'sensor_msgs/msg/Image, sensor_msgs/msg/CompressedImage'
    )
    diagnostic = car.diagnostic('camera')
    assert diagnostic is not None
    assert diagnostic.message == expected
    count = len(car.status)
    graph.until(lambda: len(car.status) > count + 10, 'half a second more')
    assert len([line for line in log_lines(capfd, 'WARN') if expected in line]) == 1

    car.destroy_publisher(outlet)
    other = Car(graph, sensors=('image',))
    graph.until(other.connected, 'a subscription to the right type')


def named(car: Car) -> bool:
    """Tell whether the camera's diagnostic names a type."""
    diagnostic = car.diagnostic('camera')
    return diagnostic is not None and 'found type' in diagnostic.message


def test_publishers_of_any_reliability_are_heard(graph: Graph, bundle: Path) -> None:
    activated(graph, bundle)
    car = Car(graph, sensors=())
    outlets = []
    for reliability in (ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT):
        outlets.append(
            car.create_publisher(
                TwistStamped,
                '/velocity',
                QoSProfile(depth=10, reliability=reliability),
                # What it says by default goes through a deprecated function of rclpy.
                event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
            )
        )
        graph.until(
            lambda: all(outlet.get_subscription_count() for outlet in outlets),
            f'a subscription that a {reliability.name} publisher can serve',
        )

    def publish(outlet: Publisher[TwistStamped]) -> None:
        outlet.publish(car.message('velocity', car.get_clock().now().nanoseconds))

    for outlet in outlets:
        count = received(car)
        publish(outlet)
        graph.until(partial(has_received, car, count + 1), 'the message')


def has_received(car: Car, count: int) -> bool:
    """Tell whether so many velocities have come in."""
    return received(car) >= count


def received(car: Car) -> int:
    """Give how many velocities have come in."""
    status = car.modality('velocity')
    return 0 if status is None else int(status.received)


def test_a_type_whose_package_is_missing_is_named(
    graph: Graph, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    node = graph.fusion(
        parameters(bundle, node__velocity_type='autoware_vehicle_msgs/msg/VelocityReport')
    )
    node.start()
    car = Car(graph, sensors=('image',))
    graph.until(car.connected, 'the other subscriptions')
    expected = (
        '/velocity: type autoware_vehicle_msgs/msg/VelocityReport cannot be read: '
        'its package autoware_vehicle_msgs is not installed'
    )
    graph.until(lambda: message_of(car, 'velocity') == expected, 'the diagnostic')
    assert len([line for line in log_lines(capfd, 'WARN') if expected in line]) == 1


def message_of(car: Car, name: str) -> str:
    """Give the message of a diagnostic entry."""
    diagnostic = car.diagnostic(name)
    return '' if diagnostic is None else str(diagnostic.message)


def test_a_subscriber_that_asks_for_more_than_is_offered_is_named(
    graph: Graph, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    activated(graph, bundle)
    car = Car(graph, sensors=())
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    car.create_subscription(
        RoadState,
        '/mm_fusion/road_state',
        lambda _: None,
        latched,
        event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
    )
    lines: list[str] = []

    def warned() -> bool:
        lines.extend(log_lines(capfd, 'WARN'))
        return any('no data flows from /mm_fusion' in line for line in lines)

    graph.until(warned, 'the warning')
    (line,) = (line for line in lines if 'no data flows' in line)
    assert 'to /car (reliable, transient local)' in line
