# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Choice of type and QoS for each input, from what is published on its topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from mm_fusion.ros.matching import node_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rclpy.topic_endpoint_info import TopicEndpointInfo

OUTPUT_QOS = QoSProfile(depth=10)
"""Outputs and diagnostics: reliable and volatile, as every tool expects."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one publisher offers.

    Attributes:
        type_name: Such as ``sensor_msgs/msg/Image``.
        reliable: Whether it resends what was lost.
        latched: Whether a late subscriber gets the last message (transient local).
        node: Full name of the node that publishes; empty where it is not known.
    """

    type_name: str
    reliable: bool
    latched: bool
    node: str = ''


@dataclass(frozen=True, slots=True)
class Choice:
    """How to subscribe to a topic.

    Attributes:
        type_name: None where nothing that is published can be read.
        reliable: Ask for reliable delivery.
        latched: Ask for the last message of a latched topic.
        problem: One sentence for the user; empty where all is well.
    """

    type_name: str | None = None
    reliable: bool = False
    latched: bool = False
    problem: str = ''


def offer_of(publisher: TopicEndpointInfo) -> Offer:
    """Read what a publisher offers from the ROS graph."""
    qos = publisher.qos_profile
    return Offer(
        type_name=publisher.topic_type,
        reliable=qos.reliability == ReliabilityPolicy.RELIABLE,
        latched=qos.durability == DurabilityPolicy.TRANSIENT_LOCAL,
        node=node_of(publisher),
    )


def choose(
    topic: str,
    offers: Sequence[Offer],
    expected: Sequence[str],
    current: Choice,
    *,
    eager: bool = False,
) -> Choice:
    """Choose the type and the QoS that fit what is published.

    Reliable delivery and the last message of a latched topic are asked for only where every
    publisher of the type offers them: a subscription that asks for more than is offered gets
    nothing at all. While nobody publishes, the current choice stays.

    Args:
        topic: Its resolved name, for the problem's sentence.
        offers: One for each publisher.
        expected: Types that the input reads, the preferred first.
        current: The choice in force.
        eager: Subscribe before anybody publishes, which takes an only expected type.
    """
    if not offers:
        return Choice(expected[0]) if eager and current.type_name is None else current
    found = sorted({offer.type_name for offer in offers})
    usable = [name for name in expected if name in found]
    if not usable:
        wanted = expected[0] if len(expected) == 1 else 'one of ' + ', '.join(expected)
        return Choice(problem=f'{topic}: found type {_named(offers)}, expected {wanted}')
    name = current.type_name if current.type_name in usable else usable[0]
    same = [offer for offer in offers if offer.type_name == name]
    reliable = all(offer.reliable for offer in same)
    others = [other for other in found if other != name]
    return Choice(
        type_name=name,
        reliable=reliable,
        latched=reliable and all(offer.latched for offer in same),
        problem=f'{topic}: reads {name} and ignores {", ".join(others)}' if others else '',
    )


def _named(offers: Sequence[Offer]) -> str:
    """List the types that are published, each with the nodes that do so."""
    nodes: dict[str, set[str]] = {}
    for offer in offers:
        nodes.setdefault(offer.type_name, set()).update({offer.node} - {''})
    return ', '.join(
        f'{kind} from {", ".join(sorted(names))}' if names else kind
        for kind, names in sorted(nodes.items())
    )


def subscription_qos(choice: Choice, depth: int) -> QoSProfile:
    """Write a choice as a QoS profile that keeps the newest ``depth`` messages.

    More than the least is left to the middleware as best available: should a publisher that offers
    less have come since the choice was made, it is heard as well.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=(
            ReliabilityPolicy.BEST_AVAILABLE if choice.reliable else ReliabilityPolicy.BEST_EFFORT
        ),
        durability=(
            DurabilityPolicy.BEST_AVAILABLE if choice.latched else DurabilityPolicy.VOLATILE
        ),
    )
