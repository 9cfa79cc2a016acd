# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Synthesises the microphone of a simulator that has none.

The node follows ``odometry`` (nav_msgs/Odometry) and ``objects`` (one of the types in
:mod:`mm_fusion.ros.sound_objects`, whichever is published) and publishes ``audio``
(mm_fusion_msgs/AudioStamped), at the pace of its own clock: with ``use_sim_time`` that of /clock.
What the road is comes from ``road_state`` (mm_fusion_msgs/RoadState) where that is published, and
from the parameters otherwise.
"""

from __future__ import annotations

import array
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import rclpy
from mm_fusion_msgs.msg import AudioStamped, RoadState
from nav_msgs.msg import Odometry
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from mm_fusion.errors import MmFusionError, SampleError
from mm_fusion.ros.conversions import to_header
from mm_fusion.ros.inputs import message_class
from mm_fusion.ros.qos import Choice, choose, offer_of
from mm_fusion.ros.record_parameters import read_record
from mm_fusion.ros.session import NodeClock
from mm_fusion.ros.sound_objects import OBJECT_TYPES
from mm_fusion.ros.sound_options import SoundOptions
from mm_fusion.ros.sound_source import SoundSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from mm_fusion.simulation.samples import SoundBlock

_DISCOVERY_PERIOD_S = 0.2
_INPUT_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Best effort gets what reliable and best-effort publishers send."""

_OUTPUT_QOS = QoSProfile(depth=200)
_SILENT_SINCE_S = 5.0
"""So long after the start it is said that nothing has come."""


class SoundNode(Node):
    """Publish what a microphone on the roof would hear.

    Args:
        **options: Those of ``rclpy.node.Node``.

    Attributes:
        source: Makes the sound.
        refused: Messages that could not be used.

    Raises:
        SettingsError: A parameter is unknown or has a value that is refused; all are listed.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('sound', automatically_declare_parameters_from_overrides=True, **options)
        self.options = read_record(self, SoundOptions())
        self.source = SoundSource(self.options)
        self.refused = 0
        self._clock_of_node = NodeClock(self)
        self._warned: set[str] = set()
        self._choice = Choice()
        self._audio = self.create_publisher(AudioStamped, 'audio', _OUTPUT_QOS)
        for kind, topic, take in (
            (Odometry, 'odometry', self.source.add_odometry),
            (RoadState, 'road_state', self.source.add_road_state),
        ):
            self.create_subscription(kind, topic, partial(self._receive, topic, take), _INPUT_QOS)
        # Timers run by the machine's clock, which never jumps; what is made follows the node's.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(self.options.chunk_s, self._publish, clock=steady)
        self.create_timer(_DISCOVERY_PERIOD_S, self._find_objects, clock=steady)
        self._waiting = self.create_timer(_SILENT_SINCE_S, self._say_what_is_missing, clock=steady)

    def _publish(self) -> None:
        """Publish what has become due."""
        for block in self.source.advance(self._clock_of_node.now_ns()):
            self._audio.publish(self._message(block))
        for notice in self.source.notices:
            self.get_logger().warning(notice)
        self.source.notices.clear()

    def _message(self, block: SoundBlock) -> AudioStamped:
        return AudioStamped(
            header=to_header(block.stamp_ns, self.options.frame_id),
            sample_rate=block.sample_rate_hz,
            channels=block.samples.shape[1],
            sample_format=AudioStamped.S16LE,
            data=array.array('B', block.samples.astype('<i2').tobytes()),
        )

    def _receive(self, topic: str, take: Callable[[Any], None], message: Any) -> None:
        # Time that went back is noticed before what comes after it is taken.
        self._publish()
        try:
            take(message)
        except SampleError as error:
            self.refused += 1
            self._warn_once(f'{self.resolve_topic_name(topic)}: {error.reason.value}: {error}')

    def _receive_objects(self, message: Any) -> None:
        self.source.add_objects(message, self._clock_of_node.now_ns())

    def _find_objects(self) -> None:
        """Subscribe to the objects once their type is known."""
        if self._choice.type_name is not None:
            return
        topic = self.resolve_topic_name('objects')
        offers = [offer_of(info) for info in self.get_publishers_info_by_topic(topic)]
        choice = choose(topic, offers, OBJECT_TYPES, self._choice)
        if choice.problem:
            self._warn_once(choice.problem)
        if choice.type_name is None:
            return
        self._choice = choice
        try:
            kind = message_class(choice.type_name)
        except ImportError as error:
            self._warn_once(f'{topic}: {error}')
            return
        take = partial(self._receive, 'objects', self._receive_objects)
        self.create_subscription(kind, 'objects', take, _INPUT_QOS)

    def _say_what_is_missing(self) -> None:
        self.destroy_timer(self._waiting)
        if self._clock_of_node.now_ns() == 0:
            self._warn_once('use_sim_time is set and nothing is published on /clock: no sound')
        elif not self.source.told:
            topic = self.resolve_topic_name('odometry')
            self._warn_once(f'{topic}: no odometry has come: no sound until then')

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self.get_logger().warning(f'{text} (logged once)')


def main(args: list[str] | None = None) -> int:
    """Publish sound until interrupted.

    Returns:
        0 after a signal, 2 where a parameter is refused.
    """
    # As in the fusion node: Python's own handler would raise in the middle of whatever runs.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    node = None
    try:
        rclpy.init(args=args)
        node = SoundNode()
        rclpy.spin(node)
    except ExternalShutdownException:
        pass
    except MmFusionError as error:
        rclpy.logging.get_logger('sound').error(str(error))
        return 2
    except Exception:
        # A signal shuts the context down, and whatever is under way then fails in its own way.
        if rclpy.ok():
            raise
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
