# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The player sends what a recording holds, over real DDS."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from mm_fusion_msgs.msg import AudioStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import NavSatFix

from mm_fusion.bags import BagWriter
from mm_fusion.bags.raw import RawBag
from mm_fusion.errors import BagError, MmFusionError
from mm_fusion.nodes import play_outlets
from mm_fusion.nodes.bag_player import BagPlayer, PlayOptions, PlayReport
from support.recordings import TYPES, header
from support.truths import write_told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.ros_graph import Graph

pytestmark = pytest.mark.ros

START_NS = 1_700_000_000_000_000_000
STEP_NS = 20_000_000
COUNT = 8


def twist(speed: float) -> Any:
    vector = TYPES['geometry_msgs/msg/Vector3']
    zero = vector(x=0.0, y=0.0, z=0.0)
    return TYPES['geometry_msgs/msg/TwistStamped'](
        header=header(START_NS),
        twist=TYPES['geometry_msgs/msg/Twist'](linear=vector(x=speed, y=0.0, z=0.0), angular=zero),
    )


def sound(samples: list[int]) -> Any:
    data = TYPES['audio_common_msgs/msg/AudioData'](data=np.array(samples, '<i2').view(np.uint8))
    kind = TYPES['audio_common_msgs/msg/AudioDataStamped']
    return kind(header=header(START_NS), audio=data)


def sound_info(coding_format: str = 'wave') -> Any:
    return TYPES['audio_common_msgs/msg/AudioInfo'](
        channels=1,
        sample_rate=8000,
        sample_format='S16LE',
        bitrate=128_000,
        coding_format=coding_format,
    )


@pytest.fixture
def speeds(tmp_path: Path) -> Path:
    """A recording of one topic, speeds 0, 1, 2, ..."""
    path = tmp_path / 'speeds'
    with BagWriter(path) as bag:
        for i in range(COUNT):
            bag.write('/vehicle/velocity', twist(float(i)), START_NS + i * STEP_NS)
    return path


class Played:
    """A recording being played in a thread, into subscriptions of the test."""

    def __init__(self, graph: Graph, bag: RawBag, options: PlayOptions) -> None:
        self.graph = graph
        self.node = graph.add(Node('player', context=graph.context))
        self.player = BagPlayer(self.node, bag, options)
        self.report: PlayReport | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._play)

    def _play(self) -> None:
        try:
            self.report = self.player.play()
        except MmFusionError as error:
            self.error = error

    def start(self) -> None:
        self._thread.start()

    def to_its_end(self) -> PlayReport:
        self.start()
        self.graph.until(lambda: not self._thread.is_alive(), 'the end of playing')
        assert self.error is None
        assert self.report is not None
        return self.report


def listen(graph: Graph, kind: type, topic: str, store: Callable[[Any], None], **how: Any) -> None:
    node = graph.add(Node(f'listener{topic.replace("/", "_")}', context=graph.context))
    node.create_subscription(kind, topic, store, 500, **how)


def test_the_bytes_of_the_recording_arrive_in_order(graph: Graph, speeds: Path) -> None:
    heard: list[bytes] = []
    listen(graph, TwistStamped, '/vehicle/velocity', heard.append, raw=True)
    with RawBag(speeds) as bag:
        report = Played(graph, bag, PlayOptions()).to_its_end()
        graph.until(lambda: len(heard) == COUNT, 'all messages')

        assert heard == [data for _, _, data in bag.messages(bag.types)]
    assert report.published == {'/vehicle/velocity': COUNT}
    assert report.complete
    assert not report.unacknowledged
    assert not report.notices


@pytest.mark.parametrize('rate', [0.5, 2.0])
def test_the_pace_is_that_of_the_recording_times_the_rate(
    graph: Graph, speeds: Path, rate: float
) -> None:
    arrivals: list[float] = []
    listen(graph, TwistStamped, '/vehicle/velocity', lambda _: arrivals.append(time.monotonic()))
    with RawBag(speeds) as bag:
        Played(graph, bag, PlayOptions(rate=rate)).to_its_end()
        graph.until(lambda: len(arrivals) == COUNT, 'all messages')

    span = (COUNT - 1) * STEP_NS / 1e9 / rate
    # The first may be late on a busy machine, the last is never early.
    assert span - 0.1 < arrivals[-1] - arrivals[0] < span + 5.0


def test_a_loop_repeats_everything(graph: Graph, speeds: Path) -> None:
    heard: list[Any] = []
    listen(graph, TwistStamped, '/vehicle/velocity', heard.append)
    with RawBag(speeds) as bag:
        report = Played(graph, bag, PlayOptions(loops=2)).to_its_end()
        graph.until(lambda: len(heard) == 2 * COUNT, 'both passes')

    assert [message.twist.linear.x for message in heard] == 2 * list(range(COUNT))
    assert report.published == {'/vehicle/velocity': 2 * COUNT}


def test_by_role_the_inputs_have_the_names_of_the_node(graph: Graph, speeds: Path) -> None:
    heard: list[Any] = []
    listen(graph, TwistStamped, '/velocity', heard.append)
    with RawBag(speeds) as bag:
        report = Played(graph, bag, PlayOptions(by_role=True)).to_its_end()

    assert report.published == {'/velocity': COUNT}


def test_the_clock_runs_from_before_the_first_message_to_after_the_last(
    graph: Graph, speeds: Path
) -> None:
    ticks: list[int] = []
    listen(graph, TwistStamped, '/vehicle/velocity', lambda _: None)
    listen(
        graph,
        Clock,
        '/clock',
        lambda message: ticks.append(message.clock.sec * 10**9 + message.clock.nanosec),
    )
    with RawBag(speeds) as bag:
        Played(graph, bag, PlayOptions(clock_hz=100.0)).to_its_end()
        graph.until(lambda: ticks and ticks[-1] > bag.end_ns + 250_000_000, 'the last tick')

        assert ticks[0] < bag.start_ns
    assert ticks == sorted(ticks)
    assert set(np.diff(ticks)) == {10_000_000}


def test_too_few_subscribers_are_an_error_that_names_the_topic(graph: Graph, speeds: Path) -> None:
    with RawBag(speeds) as bag:
        played = Played(graph, bag, PlayOptions(wait_s=0.3))
        played.start()
        graph.until(lambda: played.error is not None, 'the error')

    assert str(played.error) == '/vehicle/velocity: fewer than 1 subscribers after 0.3 s'


def test_playing_can_be_ended_early(graph: Graph, speeds: Path) -> None:
    heard: list[Any] = []
    listen(graph, TwistStamped, '/vehicle/velocity', heard.append)
    with RawBag(speeds) as bag:
        played = Played(graph, bag, PlayOptions(rate=0.01))
        played.start()
        graph.until(lambda: heard, 'the first message')
        played.player.stop()
        graph.until(lambda: played.report is not None, 'the end')

    assert played.report is not None
    assert not played.report.complete
    assert played.report.published['/vehicle/velocity'] < COUNT


def test_sound_without_its_package_is_converted(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / 'sound'
    with BagWriter(path) as bag:
        bag.write('/audio/audio_info', sound_info(), START_NS)
        bag.write('/audio/audio_stamped', sound([16384, -8192]), START_NS + STEP_NS)
    heard: list[AudioStamped] = []
    listen(graph, AudioStamped, '/audio/audio_stamped', heard.append)

    with RawBag(path) as raw:
        report = Played(graph, raw, PlayOptions()).to_its_end()
        graph.until(lambda: heard, 'the sound')

    message = heard[0]
    assert (message.sample_rate, message.channels, message.sample_format) == (8000, 1, 'F32LE')
    assert np.frombuffer(message.data, '<f4').tolist() == [0.5, -0.25]
    assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == START_NS
    assert report.notices == (
        '/audio/audio_info: audio_common_msgs/msg/AudioInfo is not installed, read by the player',
        '/audio/audio_stamped: audio_common_msgs/msg/AudioDataStamped is not installed, '
        'played as mm_fusion_msgs/msg/AudioStamped',
    )


def test_sound_that_cannot_be_converted_is_counted(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / 'sound'
    with BagWriter(path) as bag:
        bag.write('/audio/audio_info', sound_info('mp3'), START_NS)
        bag.write('/audio/audio_stamped', sound([1, 2]), START_NS + STEP_NS)
        bag.write('/vehicle/velocity', twist(1.0), START_NS + 2 * STEP_NS)
    listen(graph, AudioStamped, '/audio/audio_stamped', lambda _: None)
    listen(graph, TwistStamped, '/vehicle/velocity', lambda _: None)

    with RawBag(path) as raw:
        report = Played(graph, raw, PlayOptions()).to_its_end()

    assert sum(report.refused.values()) >= 1
    assert report.published == {'/audio/audio_stamped': 0, '/vehicle/velocity': 1}


def test_a_type_that_is_not_installed_is_left_out_and_said(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / 'transforms'
    with BagWriter(path) as bag:
        bag.write('/tf', TYPES['tf2_msgs/msg/TFMessage'](transforms=[]), START_NS)
        bag.write('/vehicle/velocity', twist(1.0), START_NS)
    listen(graph, TwistStamped, '/vehicle/velocity', lambda _: None)

    with RawBag(path) as raw:
        report = Played(graph, raw, PlayOptions()).to_its_end()

    assert report.published == {'/vehicle/velocity': 1}
    assert report.notices == ('/tf: tf2_msgs/msg/TFMessage is not installed, left out',)


def test_a_recording_with_nothing_to_play_is_refused(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / 'transforms'
    with BagWriter(path) as bag:
        bag.write('/tf', TYPES['tf2_msgs/msg/TFMessage'](transforms=[]), START_NS)

    with RawBag(path) as raw, pytest.raises(BagError, match='none of its message types'):
        Played(graph, raw, PlayOptions())


def test_a_late_subscriber_gets_a_topic_of_one_single_message(
    graph: Graph, tmp_path: Path
) -> None:
    path = tmp_path / 'one'
    fix = TYPES['sensor_msgs/msg/NavSatFix'](
        header=header(START_NS),
        status=TYPES['sensor_msgs/msg/NavSatStatus'](status=0, service=1),
        latitude=1.0,
        longitude=2.0,
        altitude=3.0,
        position_covariance=np.zeros(9),
        position_covariance_type=0,
    )
    with BagWriter(path) as bag:
        bag.write('/fix', fix, START_NS)
    heard: list[Any] = []

    with RawBag(path) as raw:
        Played(graph, raw, PlayOptions(subscribers=0)).to_its_end()
        node = graph.add(Node('late', context=graph.context))
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(NavSatFix, '/fix', heard.append, latched)
        graph.until(lambda: heard, 'the message of the past')

    assert heard[0].latitude == 1.0


@pytest.mark.parametrize(
    ('field', 'value'), [('rate', 0.0), ('rate', float('nan')), ('loops', 0), ('clock_hz', -1.0)]
)
def test_options_out_of_bounds_are_refused(field: str, value: float) -> None:
    with pytest.raises(MmFusionError, match='expected'):
        PlayOptions(**{field: value})  # type: ignore[arg-type]


def test_truth_is_no_input(tmp_path: Path) -> None:
    with RawBag(write_told(tmp_path / 'told')) as bag:
        assert play_outlets._role_names(bag) == {
            '/image/compressed': 'image',
            '/audio': 'audio',
            '/fix': 'fix',
            '/velocity': 'velocity',
        }
