# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Both sides are named where nothing flows, over real DDS."""

from __future__ import annotations

from typing import Any

import pytest
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rclpy.type_hash import TypeHash
from std_msgs.msg import Float32, String

from mm_fusion.ros.matching import FlowWatch, obstacles
from support.ros_graph import Graph, graph, log_lines

__all__ = ['graph']

pytestmark = pytest.mark.ros

TOPIC = '/talk'
LEAST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
MOST = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
SILENT = {
    # What they say by default goes through a deprecated function of rclpy.
    'publisher': PublisherEventCallbacks(use_default_callbacks=False),
    'subscription': SubscriptionEventCallbacks(use_default_callbacks=False),
}


class Pair:
    """A talker and a listener on one topic.

    Args:
        graph: Where the listener lives.
        offered: QoS of the talker.
        asked: QoS of the listener.
        talking: Where the talker lives; default: with the listener.
        kind: Type that the listener reads.
    """

    def __init__(
        self,
        graph: Graph,
        offered: QoSProfile,
        asked: QoSProfile,
        *,
        talking: Graph | None = None,
        kind: type = String,
    ) -> None:
        self.listener = graph.add(Node('listener', context=graph.context))
        where = graph if talking is None else talking
        self.talker = where.add(Node('talker', context=where.context, namespace='car'))
        self.talker.create_publisher(String, TOPIC, offered, event_callbacks=SILENT['publisher'])
        self.listener.create_subscription(
            kind, TOPIC, lambda _: None, asked, event_callbacks=SILENT['subscription']
        )
        graph.until(lambda: all(self.sides(self.listener)), 'both sides, by the listener')
        graph.until(lambda: all(self.sides(self.talker)), 'both sides, by the talker')

    def sides(self, node: Any) -> tuple[list[TopicEndpointInfo], list[TopicEndpointInfo]]:
        return (
            node.get_publishers_info_by_topic(TOPIC),
            node.get_subscriptions_info_by_topic(TOPIC),
        )

    def obstacles(self) -> list[str]:
        return obstacles(TOPIC, *self.sides(self.listener))


@pytest.mark.parametrize(('offered', 'asked'), [(LEAST, LEAST), (MOST, LEAST), (MOST, MOST)])
def test_where_no_more_is_asked_than_offered_nothing_stands_between(
    graph: Graph, offered: QoSProfile, asked: QoSProfile
) -> None:
    assert Pair(graph, offered, asked).obstacles() == []


def test_more_than_is_offered_is_named_with_both_sides(graph: Graph) -> None:
    assert Pair(graph, LEAST, MOST).obstacles() == [
        '/talk: no data flows from /car/talker (best effort, volatile) to '
        '/listener (reliable, transient local): best effort publisher and reliable subscription, '
        'volatile publisher and transient local subscription'
    ]


def test_different_types_are_named(graph: Graph) -> None:
    other = Graph()  # one participant has one type to a topic
    try:
        (text,) = Pair(graph, LEAST, LEAST, talking=other, kind=Float32).obstacles()
    finally:
        other.close()
    assert text.endswith('one has type std_msgs/msg/String, the other std_msgs/msg/Float32')


@pytest.mark.parametrize('side', ['talker', 'listener'])
def test_either_node_warns_once(
    graph: Graph, side: str, capfd: pytest.CaptureFixture[str]
) -> None:
    pair = Pair(graph, LEAST, MOST)
    watch = FlowWatch(getattr(pair, side))
    watch.update()
    watch.update()
    assert len([line for line in log_lines(capfd, 'WARN') if 'no data flows' in line]) == 1


def test_a_node_does_not_warn_of_what_others_do(
    graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    Pair(graph, LEAST, MOST)
    bystander = graph.add(Node('bystander', context=graph.context))
    FlowWatch(bystander).update()
    assert not log_lines(capfd, 'WARN')


def endpoint(node: str, digest: int) -> TopicEndpointInfo:
    return TopicEndpointInfo(
        node_name=node,
        node_namespace='/',
        topic_type='std_msgs/msg/String',
        topic_type_hash=TypeHash(version=1 if digest else -1, value=bytes([digest] * 32)),
        qos_profile=LEAST,
    )


@pytest.mark.parametrize(('theirs', 'count'), [(1, 0), (2, 1), (0, 0)])
def test_a_type_that_is_defined_otherwise_is_an_obstacle(theirs: int, count: int) -> None:
    found = obstacles(TOPIC, [endpoint('talker', 1)], [endpoint('listener', theirs)])
    assert len(found) == count
    assert all('define std_msgs/msg/String differently' in text for text in found)
