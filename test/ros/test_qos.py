# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from mm_fusion.ros.qos import Choice, Offer, choose, subscription_qos
from support.ros_graph import Graph, graph

__all__ = ['graph']

pytestmark = pytest.mark.ros

RAW, JPEG, TEXT = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage', 'std_msgs/msg/String'
EXPECTED = (RAW, JPEG)
NOTHING = Choice()


def offer(type_name: str = RAW, *, reliable: bool = True, latched: bool = False) -> Offer:
    return Offer(type_name, reliable, latched)


def test_nothing_published_waits() -> None:
    assert choose('/image', [], EXPECTED, NOTHING) == NOTHING


def test_a_configured_type_is_subscribed_to_before_anybody_publishes() -> None:
    assert choose('/image', [], (JPEG,), NOTHING, eager=True) == Choice(JPEG)
    current = Choice(JPEG, reliable=True)
    assert choose('/image', [], (JPEG,), current, eager=True) == current


def test_a_publisher_that_leaves_changes_nothing() -> None:
    current = Choice(JPEG, reliable=True)
    assert choose('/image', [], EXPECTED, current) == current


@pytest.mark.parametrize('type_name', EXPECTED)
def test_the_published_type_is_taken(type_name: str) -> None:
    found = choose('/image', [offer(type_name)], EXPECTED, NOTHING)
    assert found == Choice(type_name, reliable=True)


def test_reliable_only_where_every_publisher_of_the_type_is() -> None:
    offers = [offer(), offer(reliable=False)]
    assert choose('/image', offers, EXPECTED, NOTHING) == Choice(RAW, reliable=False)


def test_the_qos_of_a_publisher_of_another_type_does_not_matter() -> None:
    offers = [offer(), offer(TEXT, reliable=False)]
    assert choose('/image', offers, EXPECTED, NOTHING).reliable


@pytest.mark.parametrize(
    ('offers', 'latched'),
    [
        ([offer(latched=True)], True),
        ([offer(latched=True), offer()], False),
        ([offer(latched=True, reliable=False)], False),
    ],
)
def test_latched_only_where_every_publisher_is(offers: list[Offer], latched: bool) -> None:
    assert choose('/image', offers, EXPECTED, NOTHING).latched is latched


def test_a_type_that_is_not_expected_is_named_with_what_is() -> None:
    found = choose('/image', [offer(TEXT)], EXPECTED, Choice(RAW))
    assert found.type_name is None
    assert found.problem == f'/image: found type {TEXT}, expected one of {RAW}, {JPEG}'
    found = choose('/image', [offer(TEXT), offer(JPEG)], (RAW,), NOTHING)
    assert found.problem == f'/image: found type {JPEG}, {TEXT}, expected {RAW}'


def test_who_publishes_a_type_that_is_not_expected_is_named() -> None:
    offers = [replace(offer(TEXT), node=node) for node in ('/b', '/a', '/a')]
    found = choose('/image', offers, (RAW,), NOTHING)
    assert found.problem == f'/image: found type {TEXT} from /a, /b, expected {RAW}'


def test_of_two_types_the_one_in_use_stays() -> None:
    offers = [offer(RAW), offer(JPEG)]
    assert choose('/image', offers, EXPECTED, NOTHING).type_name == RAW
    found = choose('/image', offers, EXPECTED, Choice(JPEG))
    assert found.type_name == JPEG
    assert found.problem == f'/image: reads {JPEG} and ignores {RAW}'


def test_a_choice_becomes_a_profile() -> None:
    profile = subscription_qos(Choice(RAW, reliable=True, latched=True), 7)
    assert profile.depth == 7
    assert profile.reliability == ReliabilityPolicy.BEST_AVAILABLE
    assert profile.durability == DurabilityPolicy.BEST_AVAILABLE
    profile = subscription_qos(Choice(RAW), 1)
    assert profile.reliability == ReliabilityPolicy.BEST_EFFORT
    assert profile.durability == DurabilityPolicy.VOLATILE


@pytest.mark.parametrize('offered', [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_a_publisher_that_came_since_the_choice_is_heard(
    graph: Graph, offered: ReliabilityPolicy
) -> None:
    talker = graph.add(Node('talker', context=graph.context))
    listener = graph.add(Node('listener', context=graph.context))
    heard: list[String] = []
    outlet = talker.create_publisher(String, '/late', QoSProfile(depth=5, reliability=offered))
    graph.until(lambda: listener.count_publishers('/late'), 'the publisher')
    qos = subscription_qos(Choice(TEXT, reliable=True), 5)
    listener.create_subscription(String, '/late', heard.append, qos)
    graph.until(outlet.get_subscription_count, 'the subscription')
    outlet.publish(String(data='here'))
    graph.until(lambda: heard, 'the message')
