# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The recorder keeps what is published, over real DDS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from geometry_msgs.msg import TwistStamped
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.serialization import deserialize_message
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Float32

from mm_fusion.bags import BagWriter
from mm_fusion.bags.raw import RawBag
from mm_fusion.cli.processes import PROFILE, profile_variable
from mm_fusion.errors import BagError
from mm_fusion.nodes.bag_recorder import BagRecorder
from mm_fusion.resources import config_path
from support.ros_graph import DEADLINE_S, to_time

if TYPE_CHECKING:
    from pathlib import Path

    from support.ros_graph import Graph

pytestmark = pytest.mark.ros


def speed(value: float) -> TwistStamped:
    message = TwistStamped()
    message.twist.linear.x = value
    return message


def test_what_is_published_is_recorded_as_it_is(graph: Graph, tmp_path: Path) -> None:
    car = graph.add(Node('car', context=graph.context))
    outlet = car.create_publisher(TwistStamped, '/velocity', 10)
    node = graph.add(Node('recorder', context=graph.context))
    sent = [speed(float(i)) for i in range(5)]
    begin_ns = time.time_ns()

    with BagWriter(tmp_path / 'bag') as bag:
        recorder = BagRecorder(node, bag, ['velocity', '/silent'])
        graph.until(outlet.get_subscription_count, 'the subscription')
        for message in sent:
            outlet.publish(message)
        graph.until(lambda: sum(recorder.counts.values()) == 5, 'the messages')
        report = recorder.finish()

    assert report.written == {'/silent': 0, '/velocity': 5}
    assert report.complete
    with RawBag(tmp_path / 'bag') as raw:
        assert raw.types == {'/velocity': 'geometry_msgs/msg/TwistStamped'}
        messages = list(raw.messages(raw.types))
        assert [deserialize_message(data, TwistStamped) for _, _, data in messages] == sent
        assert all(begin_ns <= stamp <= time.time_ns() for _, stamp, _ in messages)


def test_time_is_that_of_the_simulation(graph: Graph, tmp_path: Path) -> None:
    car = graph.add(Node('car', context=graph.context))
    outlet = car.create_publisher(TwistStamped, '/velocity', 10)
    clock = car.create_publisher(Clock, '/clock', 10)
    simulated = [Parameter('use_sim_time', value=True)]
    node = graph.add(Node('recorder', context=graph.context, parameter_overrides=simulated))

    with BagWriter(tmp_path / 'bag') as bag:
        recorder = BagRecorder(node, bag, ['/velocity'])
        graph.until(outlet.get_subscription_count, 'the subscription')
        outlet.publish(speed(1.0))
        graph.until(lambda: recorder.before_clock == 1, 'the message before the clock')
        graph.until(clock.get_subscription_count, 'the subscription to the clock')
        clock.publish(Clock(clock=to_time(5_000_000_000)))
        graph.until(lambda: node.get_clock().now().nanoseconds > 0, 'the time')
        outlet.publish(speed(2.0))
        graph.until(lambda: recorder.counts['/velocity'] == 1, 'the message')
        report = recorder.finish()

    assert report.before_clock == 1
    with RawBag(tmp_path / 'bag') as raw:
        assert [stamp for _, stamp, _ in raw.messages(raw.types)] == [5_000_000_000]


def test_other_topics_wait_for_the_first_ones(graph: Graph, tmp_path: Path) -> None:
    car = graph.add(Node('car', context=graph.context))
    other = car.create_publisher(TwistStamped, '/velocity', 10)
    node = graph.add(Node('recorder', context=graph.context))

    with BagWriter(tmp_path / 'bag') as bag:
        recorder = BagRecorder(node, bag, ['/velocity'], ['/output'])
        graph.until(lambda: node.count_publishers('/velocity'), 'discovery')
        for _ in range(3):
            recorder.discover()
        assert node.count_subscribers('/velocity') == 0
        first = car.create_publisher(Float32, '/output', 10)
        graph.until(other.get_subscription_count, 'the other subscription')
        assert first.get_subscription_count() == 1
        recorder.finish()


class Stuck:
    """A recording that writes nothing until it may."""

    def __init__(self) -> None:
        self.may_write = threading.Event()
        self.begun = threading.Event()

    def write_serialized(self, *_: Any) -> None:
        self.begun.set()
        assert self.may_write.wait(DEADLINE_S)


def test_what_does_not_fit_the_queue_is_counted(graph: Graph) -> None:
    car = graph.add(Node('car', context=graph.context))
    outlet = car.create_publisher(TwistStamped, '/velocity', 100)
    node = graph.add(Node('recorder', context=graph.context))
    bag = Stuck()

    recorder = BagRecorder(node, bag, ['/velocity'], capacity=3)  # type: ignore[arg-type]
    graph.until(outlet.get_subscription_count, 'the subscription')
    outlet.publish(speed(0.0))
    graph.until(bag.begun.is_set, 'the first message at the writer')
    for i in range(10):
        outlet.publish(speed(float(i)))
    graph.until(lambda: recorder.overflowed.get('/velocity') == 7, 'the overflow')
    bag.may_write.set()
    report = recorder.finish()

    assert report.written == {'/velocity': 4}
    assert report.overflowed == {'/velocity': 7}
    assert not report.complete


class Broken:
    """A recording on a full disk."""

    def write_serialized(self, *_: Any) -> None:
        raise BagError('the disk is full')


def test_a_failure_to_write_ends_in_an_error(graph: Graph) -> None:
    car = graph.add(Node('car', context=graph.context))
    outlet = car.create_publisher(TwistStamped, '/velocity', 100)
    node = graph.add(Node('recorder', context=graph.context))

    recorder = BagRecorder(node, Broken(), ['/velocity'])  # type: ignore[arg-type]
    graph.until(outlet.get_subscription_count, 'the subscription')
    outlet.publish(speed(0.0))
    graph.until(lambda: recorder.failed, 'the failure')

    with pytest.raises(BagError, match='the disk is full'):
        recorder.finish()


def test_a_signal_ends_the_process_with_a_whole_recording(graph: Graph, tmp_path: Path) -> None:
    car = graph.add(Node('car', context=graph.context))
    outlet = car.create_publisher(TwistStamped, '/velocity', 10)
    path, summary = tmp_path / 'bag', tmp_path / 'summary.json'
    process = subprocess.Popen(
        [sys.executable, '-m', 'mm_fusion.nodes.bag_recorder', str(path), '/velocity',
         '--drain', '2', '--summary', str(summary)],
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        graph.until(outlet.get_subscription_count, 'the subscription')
        for i in range(3):
            outlet.publish(speed(float(i)))
        # The writer knows the reader before the reader knows the writer: what is sent meanwhile
        # arrives with the next heartbeat, which is seconds later.
        assert outlet.wait_for_all_acked(Duration(seconds=DEADLINE_S))
        process.send_signal(signal.SIGINT)
        _, logged = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
        process.communicate()

    assert process.returncode == 0, logged
    assert 'recorded 3 messages' in logged
    assert '"/velocity": 3' in summary.read_text()
    with RawBag(path) as raw:
        assert raw.counts == {'/velocity': 3}


def test_an_existing_folder_is_refused(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, '-m', 'mm_fusion.nodes.bag_recorder', str(tmp_path), '/velocity'],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )

    assert result.returncode == 2
    assert 'exists already' in result.stderr
    assert 'Traceback' not in result.stderr


def test_the_profile_for_large_images_is_in_force(tmp_path: Path) -> None:
    program = tmp_path / 'segments.py'
    program.write_text(
        'from pathlib import Path\n'
        'import rclpy\n'
        'rclpy.init()\n'
        "node = rclpy.create_node('probe')\n"
        "mapped = [line.split()[-1] for line in Path('/proc/self/maps').open()]\n"
        "shared = [name for name in mapped if name.startswith('/dev/shm/fast')]\n"
        'print(max(Path(name).stat().st_size for name in shared))\n'
    )
    result = subprocess.run(
        [sys.executable, str(program)],
        check=True,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env=dict(os.environ) | {profile_variable(): str(config_path(PROFILE))},
    )

    assert int(result.stdout) >= 64 * 1024**2
    assert not result.stderr
