# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from mm_fusion.ros.inputs import Inputs
from mm_fusion.ros.losses import Losses
from mm_fusion.settings import NodeSettings
from support.ros_graph import Graph, graph

__all__ = ['graph']

pytestmark = pytest.mark.ros


def info(number: int | None, publisher: bytes | None = b'a') -> dict[str, Any]:
    """Write what rclpy knows of a message; before Kilted, not who published it."""
    found: dict[str, Any] = {'publication_sequence_number': number}
    return found if publisher is None else {**found, 'publisher_gid': {'data': publisher}}


def counted(*messages: dict[str, Any], alone: bool = True) -> int:
    losses = Losses()
    losses.alone = alone
    for message in messages:
        losses.note(message)
    return losses.count


def test_gaps_between_the_numbers_of_a_publisher_are_counted() -> None:
    assert counted(info(7), info(8), info(11), info(12), info(14)) == 3


def test_each_publisher_has_numbers_of_its_own() -> None:
    assert counted(info(5), info(900, b'b'), info(6), info(902, b'b'), info(8)) == 2


def test_a_publisher_that_starts_anew_has_lost_nothing() -> None:
    assert counted(info(50, None), info(1, None), info(3, None)) == 1


def test_without_names_the_numbers_of_several_publishers_tell_nothing() -> None:
    assert counted(info(5, None), info(900, None), info(6, None), alone=False) == 0


def test_without_numbers_the_middleware_is_believed() -> None:
    losses = Losses()
    losses.note(info(None))
    losses.report(SimpleNamespace(total_count_change=2))
    losses.report(SimpleNamespace(total_count_change=3))
    assert losses.count == 5


def test_what_the_middleware_reports_is_part_of_the_gaps() -> None:
    losses = Losses()
    losses.note(info(1))
    losses.report(SimpleNamespace(total_count_change=2))
    losses.note(info(5))
    assert losses.count == 3


def test_what_was_published_between_two_subscriptions_is_not_lost() -> None:
    losses = Losses()
    losses.note(info(1))
    losses.note(info(3))
    losses.restart()
    losses.note(info(90))
    assert losses.count == 1


def test_publishers_that_come_and_go_are_forgotten() -> None:
    losses = Losses()
    for index in range(1000):
        losses.note(info(1, index.to_bytes(4, 'big')))
    assert len(losses._last) == 64


def test_every_frame_is_received_or_counted_while_the_executor_is_busy(graph: Graph) -> None:
    listener, talker = (
        graph.add(Node(name, context=graph.context)) for name in ('listener', 'talker')
    )
    came: list[Any] = []
    inputs = Inputs(
        listener,
        NodeSettings(image_type='sensor_msgs/msg/Image'),
        lambda role, message, arrived_ns: came.append((role, message, arrived_ns)),
    )
    inputs.update()
    outlet = talker.create_publisher(Image, 'image', qos_profile_sensor_data)
    graph.until(lambda: outlet.get_subscription_count() == 1, 'the subscription')
    outlet.publish(Image())
    graph.until(lambda: came, 'a first frame')
    # Nothing spins meanwhile, so that the history of five is overwritten again and again.
    for _ in range(30):
        outlet.publish(Image())
    graph.until(lambda: len(came) + inputs['image'].losses.count == 31, 'a full account')
    assert inputs['image'].losses.count >= 20
    role, message, arrived_ns = came[0]
    assert role == 'image'
    assert isinstance(message, Image)
    assert arrived_ns > 0
    inputs.close()
