# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A graph with known publishers, as it is seen from outside."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import pytest
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from mm_fusion.ros.observation import observe
from support.bundles import write_tiny_bundle
from support.ros_graph import Car, Graph, activated, graph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ['graph']

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp('bundles') / 'tiny')


@contextlib.contextmanager
def spinning(graph: Graph) -> Iterator[None]:
    """Spin a graph in a thread."""
    ended = threading.Event()
    thread = threading.Thread(target=lambda: graph.holds(ended.is_set, 60.0))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_publishers_types_rates_sizes_and_ages_are_seen(graph: Graph, bundle: Path) -> None:
    activated(graph, bundle)
    car = Car(graph, sensors=('image', 'velocity'))
    car.drive()
    with spinning(graph):
        seen = observe({}, seconds=2.0)
    image = seen.inputs['image']
    assert image.publishers == ('/car (sensor_msgs/msg/CompressedImage, reliable, volatile)',)
    assert [text.split()[0] for text in image.subscribers] == ['/mm_fusion']
    assert image.messages > 5
    assert 5.0 < image.rate_hz < 25.0
    assert image.largest_bytes > 500
    assert image.stamp_age_s is not None
    assert 0.0 <= image.stamp_age_s < 1.0
    assert not image.obstacles
    assert seen.inputs['fix'].publishers == ()
    assert seen.fusion_nodes == {'/mm_fusion': False}
    assert seen.middleware


def test_topics_of_other_names_are_found_by_their_types(graph: Graph) -> None:
    car = Car(graph, sensors=())
    car.create_publisher(type(car.message('fix', 1)), '/gnss/fix', 5)
    seen = observe({}, seconds=0.1)
    assert seen.elsewhere == {'fix': '/gnss/fix'}
    # Each observer discovers the publisher anew, which takes as long as the machine is busy.
    for _ in range(20):
        seen = observe({'fix': '/gnss/fix'}, seconds=0.1)
        if seen.inputs['fix'].publishers:
            break
    assert seen.inputs['fix'].publishers
    assert seen.elsewhere == {}


def test_a_type_that_is_not_read_is_a_problem(graph: Graph) -> None:
    car = Car(graph, sensors=())
    car.create_publisher(
        String,
        '/image',
        QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT),
        event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
    )
    seen = observe({}, seconds=0.1)
    assert 'found type std_msgs/msg/String from /car' in seen.inputs['image'].problem


def test_the_clock_is_seen_with_its_speed(graph: Graph) -> None:
    car = Car(graph, sensors=(), simulated=True)
    begin = time.monotonic()
    car.drive(at_ns=10**12)
    with spinning(graph):
        seen = observe({}, seconds=2.0)
    assert seen.clock.messages > 5
    assert seen.clock_speed is not None
    assert 0.2 < seen.clock_speed < 1.3
    assert time.monotonic() - begin < 30.0
