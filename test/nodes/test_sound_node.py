# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound node over real DDS: paced by its clock, fed by odometry, objects and road state."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mm_fusion_msgs.msg import AudioStamped, RoadState
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import NavSatFix
from visualization_msgs.msg import Marker, MarkerArray

from mm_fusion.errors import SettingsError
from mm_fusion.messages import AudioAdapter
from mm_fusion.nodes.sound_node import SoundNode
from mm_fusion.settings import AudioSettings
from support.ros_graph import DEADLINE_S, Graph, log_lines, to_time

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.ros

SECOND_NS = 1_000_000_000
START_NS = 1_600_000_000 * SECOND_NS
STEP_NS = SECOND_NS // 20


class Simulator(Node):
    """Publish /clock and odometry as a simulator does, and keep what is heard."""

    def __init__(self, graph: Graph, **parameters: Any) -> None:
        super().__init__('simulator', context=graph.context)
        self.graph = graph
        graph.add(self)
        given = {'use_sim_time': True, 'self_noise_db': -120.0, **parameters}
        self.sound = graph.add(
            SoundNode(
                context=graph.context,
                parameter_overrides=[Parameter(name, value=v) for name, v in given.items()],
            )
        )
        self.heard: list[AudioStamped] = []
        self.now_ns = START_NS
        self.speed_mps = 0.0
        best_effort = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.create_subscription(AudioStamped, 'audio', self.heard.append, 500)
        self.clock_outlet = self.create_publisher(Clock, '/clock', 50)
        self.odometry_outlet = self.create_publisher(Odometry, 'odometry', best_effort)
        self.wait(
            lambda: (
                self.clock_outlet.get_subscription_count()
                and self.odometry_outlet.get_subscription_count()
                and self.sound.count_subscribers('audio')
            ),
            'subscriptions',
        )

    def wait(self, condition: Callable[[], object], what: str) -> None:
        self.graph.until(condition, what)

    def tick(self, *, told: bool = True) -> None:
        """Let 50 ms pass, and wait until the node knows."""
        if told:
            self.odometry_outlet.publish(self.odometry())
        self.clock_outlet.publish(Clock(clock=to_time(self.now_ns)))
        self.wait(
            lambda: self.sound.get_clock().now().nanoseconds == self.now_ns, 'the time in the node'
        )
        self.now_ns += STEP_NS

    def odometry(self) -> Odometry:
        message = Odometry(child_frame_id='base_link')
        message.header.frame_id = 'map'
        message.header.stamp = to_time(self.now_ns)
        message.pose.pose.position.x = self.speed_mps * (self.now_ns - START_NS) / SECOND_NS
        message.twist.twist.linear.x = self.speed_mps
        return message

    def drive(self, duration_s: float) -> None:
        for _ in range(round(duration_s * 20)):
            self.tick()

    def heard_until(self, stamp_ns: int) -> None:
        self.wait(lambda: self.heard and ends_ns(self.heard[-1]) >= stamp_ns, 'sound')


def stamp_ns(message: AudioStamped) -> int:
    return int(message.header.stamp.sec) * SECOND_NS + int(message.header.stamp.nanosec)


def ends_ns(message: AudioStamped) -> int:
    frames = len(message.data) // 2 // message.channels
    span_ns: int = frames * SECOND_NS // message.sample_rate
    return stamp_ns(message) + span_ns


def samples(messages: list[AudioStamped]) -> Any:
    return np.concatenate([np.frombuffer(bytes(m.data), '<i2') for m in messages])


def test_sound_follows_the_clock_without_gaps_and_the_fusion_reads_it(graph: Graph) -> None:
    simulator = Simulator(graph, channels=2, frame_id='roof')
    simulator.speed_mps = 14.0
    simulator.drive(1.0)
    simulator.heard_until(simulator.now_ns - STEP_NS - 125_000_000)

    first = simulator.heard[0]
    assert START_NS <= stamp_ns(first) < START_NS + SECOND_NS // 2
    assert (first.header.frame_id, first.channels, first.sample_rate) == ('roof', 2, 16_000)
    for one, following in zip(simulator.heard, simulator.heard[1:]):
        assert ends_ns(one) == stamp_ns(following)
    assert ends_ns(simulator.heard[-1]) <= simulator.now_ns - STEP_NS - 100_000_000
    chunk = AudioAdapter(AudioSettings()).chunk(first, simulator.now_ns)
    assert len(chunk.samples) == 320
    assert samples(simulator.heard).std() > 30


def test_time_that_stands_still_makes_no_sound(graph: Graph) -> None:
    simulator = Simulator(graph)
    simulator.drive(0.5)
    simulator.heard_until(simulator.now_ns - STEP_NS - 125_000_000)
    count = len(simulator.heard)

    assert not graph.holds(lambda: len(simulator.heard) > count, 0.3)


def test_without_odometry_there_is_no_sound_and_it_is_said_once(
    graph: Graph, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('mm_fusion.nodes.sound_node._SILENT_SINCE_S', 0.1)
    simulator = Simulator(graph)
    for _ in range(10):
        simulator.tick(told=False)
    lines: list[str] = []

    def said() -> bool:
        lines.extend(line for line in log_lines(capfd, 'WARN') if 'no odometry has come' in line)
        return bool(lines)

    simulator.wait(said, 'the warning')
    assert not graph.holds(lambda: simulator.heard, 0.3)
    said()
    assert len(lines) == 1
    assert '/odometry: ' in lines[0]

    simulator.drive(0.5)
    simulator.wait(lambda: simulator.heard, 'sound')


def test_a_clock_that_goes_back_begins_anew_and_is_counted(
    graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    simulator = Simulator(graph)
    for _ in range(2):
        simulator.now_ns = START_NS
        simulator.heard.clear()
        simulator.drive(1.0)
        simulator.heard_until(simulator.now_ns - STEP_NS - 125_000_000)
        assert stamp_ns(simulator.heard[0]) < START_NS + SECOND_NS // 2

    assert simulator.sound.source.restarts == 1
    assert sum('time went back by' in line for line in log_lines(capfd, 'WARN')) == 1


def test_a_marker_with_a_siren_is_heard(graph: Graph) -> None:
    simulator = Simulator(graph, engine='electric')
    outlet = simulator.create_publisher(MarkerArray, 'objects', 10)
    simulator.wait(outlet.get_subscription_count, 'the subscription to the objects')
    simulator.drive(0.5)
    simulator.heard_until(simulator.now_ns - STEP_NS - 125_000_000)
    assert not samples(simulator.heard).any()

    marker = Marker(ns='vehicles', id=3, type=Marker.TEXT_VIEW_FACING, text='siren: wail')
    marker.header.frame_id = 'map'
    marker.pose.position.x = 30.0
    for _ in range(20):
        marker.header.stamp = to_time(simulator.now_ns)
        outlet.publish(MarkerArray(markers=[marker]))
        simulator.tick()
    simulator.wait(lambda: np.abs(samples(simulator.heard)).max() > 1000, 'the siren')


def test_objects_of_another_type_are_named_and_left_out(
    graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    simulator = Simulator(graph)
    simulator.create_publisher(NavSatFix, 'objects', 10)
    lines: list[str] = []

    def said() -> bool:
        lines.extend(log_lines(capfd, 'WARN'))
        return any(
            '/objects: found type sensor_msgs/msg/NavSatFix from /simulator, expected' in line
            for line in lines
        )

    simulator.wait(said, 'the warning')


def test_the_surface_comes_from_the_road_state(graph: Graph) -> None:
    simulator = Simulator(graph, engine='electric')
    simulator.speed_mps = 20.0
    outlet = simulator.create_publisher(RoadState, 'road_state', 10)
    simulator.wait(outlet.get_subscription_count, 'the subscription to the road state')
    simulator.drive(0.6)
    simulator.heard_until(simulator.now_ns - STEP_NS - 125_000_000)
    dry = hiss(simulator.heard)
    message = RoadState(
        friction_probabilities=[0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        material_probabilities=[1.0, 0.0, 0.0, 0.0, 0.0],
        unevenness_probabilities=[1.0, 0.0, 0.0],
    )
    outlet.publish(message)
    simulator.wait(lambda: simulator.sound.source.surface[0][2] == 1.0, 'the road state')
    simulator.heard.clear()
    simulator.drive(0.6)
    simulator.heard_until(simulator.now_ns - STEP_NS - 125_000_000)

    assert hiss(simulator.heard[-10:]) > 3 * dry


def hiss(messages: list[AudioStamped]) -> float:
    """Give the mean amplitude above 3 kHz."""
    sound = samples(messages).astype(float)
    return float(np.abs(np.fft.rfft(sound))[len(sound) * 3 // 16 :].mean() / len(sound) ** 0.5)


def test_a_message_that_cannot_be_used_is_counted(graph: Graph) -> None:
    simulator = Simulator(graph)
    simulator.odometry_outlet.publish(Odometry())

    simulator.wait(lambda: simulator.sound.refused == 1, 'the count')


@pytest.mark.parametrize(
    ('parameters', 'problem'),
    [
        ({'chanels': 2}, 'chanels: unknown parameter'),
        ({'friction': 'muddy'}, "friction: found 'muddy', expected one of 'dry', 'wet'"),
        ({'delay_s': 9.0}, 'delay_s: found 9.0, expected 0 to 2 s'),
        ({'siren_ids': 'a'}, "siren_ids: found 'a', expected whole numbers"),
    ],
)
def test_bad_parameters_are_refused(
    graph: Graph, parameters: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem):
        SoundNode(
            context=graph.context,
            parameter_overrides=[Parameter(name, value=v) for name, v in parameters.items()],
        )


def test_parameters_are_described_and_cannot_change(graph: Graph) -> None:
    node = graph.add(SoundNode(context=graph.context))

    described = node.describe_parameter('delay_s')
    assert described.description.endswith('[s]; changes at start')
    assert described.read_only
    assert described.floating_point_range[0].to_value == 2.0


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_cleanly(graph: Graph, number: signal.Signals) -> None:
    listener = graph.add(Node('listener', context=graph.context))
    heard: list[AudioStamped] = []
    listener.create_subscription(AudioStamped, 'audio', heard.append, 50)
    outlet = listener.create_publisher(Odometry, 'odometry', 50)

    def drive() -> None:
        message = Odometry(child_frame_id='base_link')
        message.header.stamp = listener.get_clock().now().to_msg()
        outlet.publish(message)

    listener.create_timer(0.05, drive)
    command = [sys.executable, '-m', 'mm_fusion.nodes.sound_node']
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            graph.until(lambda: len(heard) > 5, 'sound')
            process.send_signal(number)
            _, logged = process.communicate(timeout=DEADLINE_S)
        finally:
            process.kill()
    assert process.returncode == 0, logged
    assert 'Traceback' not in logged


def test_a_process_with_a_bad_parameter_says_why_and_ends() -> None:
    command = [sys.executable, '-m', 'mm_fusion.nodes.sound_node']
    ended = subprocess.run(
        [*command, '--ros-args', '-p', 'channels:=3'],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )

    assert ended.returncode == 2
    assert 'channels: found 3, expected 1 to 2' in ended.stderr
    assert 'Traceback' not in ended.stderr
