# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The node that ``benchmarks.executors`` measures, with an executor of choice.

python -m benchmarks.executor_node EXECUTOR
"""

from __future__ import annotations

import importlib.util
import signal
import sys
from typing import TYPE_CHECKING, Any

import rclpy
from geometry_msgs.msg import TwistStamped
from mm_fusion_msgs.msg import AudioStamped, RoadState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image, NavSatFix

if TYPE_CHECKING:
    from rclpy.executors import Executor

SINGLE_THREADED = 'single-threaded'
SINGLE_THREADED_INFO = 'single-threaded, info'
EVENTS = 'events'
ANSWERS = '/bare/road_state'

_TURN_S = 1.0
"""The events executor of rclpy 9.1.2 never wakes from a wait without an end."""


def executor_names() -> tuple[str, ...]:
    """Name what this rclpy can be measured with; the events executor came with Kilted."""
    there = importlib.util.find_spec('rclpy.experimental') is not None
    return (SINGLE_THREADED, SINGLE_THREADED_INFO, *((EVENTS,) if there else ()))


class BareNode(Node):  # type: ignore[misc]
    """Hear the four sensors, and answer each frame with an empty road state.

    Args:
        info: Whether the callbacks ask for what the middleware knows of each message.
    """

    def __init__(self, *, info: bool) -> None:
        super().__init__('bare')
        self._outlet = self.create_publisher(RoadState, ANSWERS, QoSProfile(depth=10))
        for kind, topic, qos, take in (
            (Image, 'image', qos_profile_sensor_data, self._answer),
            (TwistStamped, 'velocity', 100, self._ignore),
            (AudioStamped, 'audio', 100, self._ignore),
            (NavSatFix, 'fix', 100, self._ignore),
        ):
            callback = (lambda message, _info, take=take: take(message)) if info else take
            self.create_subscription(kind, topic, callback, qos)

    def _answer(self, message: Any) -> None:
        self._outlet.publish(RoadState(header=message.header))

    def _ignore(self, message: Any) -> None:
        """Take it."""


def make_executor(name: str) -> Executor:
    """Make an executor by its name."""
    if name != EVENTS:
        return SingleThreadedExecutor()
    from rclpy.experimental import EventsExecutor

    return EventsExecutor()


def main() -> None:
    """Run the node until it is interrupted."""
    name = sys.argv[1]
    signal.signal(signal.SIGINT, lambda number, frame: None)
    rclpy.init()
    executor = make_executor(name)
    executor.add_node(BareNode(info=name == SINGLE_THREADED_INFO))
    try:
        while rclpy.ok():
            executor.spin_once(timeout_sec=_TURN_S)
    except rclpy.executors.ExternalShutdownException:
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
