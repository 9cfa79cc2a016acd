# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Publishers and subscribers of one topic between which nothing flows, and why."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    ReliabilityPolicy,
    qos_check_compatible,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rclpy.node import Node
    from rclpy.topic_endpoint_info import TopicEndpointInfo


def obstacles(
    topic: str,
    publishers: Sequence[TopicEndpointInfo],
    subscribers: Sequence[TopicEndpointInfo],
) -> list[str]:
    """Name each publisher and subscriber that do not match: both sides, and what stands between.

    They match where the type is the same in name and definition, and the QoS that is asked for
    is not more than the QoS that is offered.
    """
    found = []
    for publisher, subscriber in itertools.product(publishers, subscribers):
        why = _obstacle(publisher, subscriber)
        if why:
            found.append(
                f'{topic}: no data flows from {_side(publisher)} to {_side(subscriber)}: {why}'
            )
    return found


class FlowWatch:
    """Tell of every obstacle on the topics of a node, once each.

    A type that an input does not read is none of them: the input itself says so.

    Args:
        node: Whose topics to watch.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._told: set[str] = set()

    def update(self) -> None:
        """Look at the graph and warn of what is new."""
        for text in self._found():
            if text not in self._told:
                self._told.add(text)
                self._node.get_logger().warning(text)

    def _found(self) -> Iterator[str]:
        node = self._node
        for topic in sorted({publisher.topic_name for publisher in node.publishers}):
            own = [info for info in node.get_publishers_info_by_topic(topic) if self._is_own(info)]
            yield from obstacles(topic, own, node.get_subscriptions_info_by_topic(topic))
        for topic in sorted({subscription.topic_name for subscription in node.subscriptions}):
            for own_info in node.get_subscriptions_info_by_topic(topic):
                if self._is_own(own_info):
                    same = [
                        info
                        for info in node.get_publishers_info_by_topic(topic)
                        if info.topic_type == own_info.topic_type
                    ]
                    yield from obstacles(topic, same, [own_info])

    def _is_own(self, info: TopicEndpointInfo) -> bool:
        return node_of(info) == str(self._node.get_fully_qualified_name())


def node_of(info: TopicEndpointInfo) -> str:
    """Give the full name of the node that an endpoint belongs to."""
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'


def qos_of(info: TopicEndpointInfo) -> str:
    """Write the reliability and durability of an endpoint."""
    qos = info.qos_profile
    reliable = qos.reliability == ReliabilityPolicy.RELIABLE
    latched = qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
    return (
        f'{"reliable" if reliable else "best effort"}, '
        f'{"transient local" if latched else "volatile"}'
    )


def _side(info: TopicEndpointInfo) -> str:
    return f'{node_of(info)} ({qos_of(info)})'


def _obstacle(publisher: TopicEndpointInfo, subscriber: TopicEndpointInfo) -> str:
    if publisher.topic_type != subscriber.topic_type:
        return f'one has type {publisher.topic_type}, the other {subscriber.topic_type}'
    hashes = {str(info.topic_type_hash) for info in (publisher, subscriber) if _hashed(info)}
    if len(hashes) > 1:
        return f'their packages define {publisher.topic_type} differently'
    verdict, reason = qos_check_compatible(publisher.qos_profile, subscriber.qos_profile)
    if verdict != QoSCompatibility.ERROR:
        return ''
    return ', '.join(
        part.removeprefix('ERROR: ').lower() for part in reason.split(';') if 'ERROR' in part
    )


def _hashed(info: TopicEndpointInfo) -> bool:
    """Tell whether the other side says how it defines its type; not every middleware does."""
    return bool(info.topic_type_hash.version > 0)
