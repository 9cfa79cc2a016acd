# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A publisher for each topic of a simulated drive, and who listens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builtin_interfaces.msg import Time
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from mm_fusion.bags import drive_messages as topics
from mm_fusion.ros.inputs import message_class
from mm_fusion.ros.listeners import Listeners, unacknowledged

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.node import Node
    from rclpy.publisher import Publisher

CLOCK = '/clock'
_NS = 1_000_000_000

_DEPTHS = {topics.IMAGE: 10, topics.IMAGE_RAW: 10, topics.STATIC_TRANSFORMS: 1}
_DEPTH = 200
"""Messages kept for a slow reader: few large ones, seconds of small ones."""

_SENSORS = (
    topics.IMAGE,
    topics.IMAGE_RAW,
    topics.CAMERA_INFO,
    topics.AUDIO,
    topics.FIX,
    topics.VELOCITY,
)
_AWAITED = (topics.AUDIO, topics.FIX, topics.VELOCITY)


class DrivePublishers:
    """Publish serialised messages and the time.

    Args:
        node: Owns the publishers.
        types: Message type of each topic.
        reliable: Whether the sensors offer to send again what was lost.
        clock: Whether to publish /clock.

    Attributes:
        published: Messages by topic.
        notices: What is left out, a sentence each.
    """

    def __init__(self, node: Node, types: dict[str, str], *, reliable: bool, clock: bool) -> None:
        self.published: dict[str, int] = {}
        self.notices: list[str] = []
        self._node = node
        self._listeners = Listeners()
        self._publishers: dict[str, Publisher[Any]] = {}
        for topic, type_name in types.items():
            self._open(topic, type_name, reliable=reliable or topic not in _SENSORS)
        self._clock = self._publisher(Clock, CLOCK, reliable=True) if clock else None

    def publish(self, topic: str, data: bytes) -> None:
        """Publish a message whose type is installed."""
        publisher = self._publishers.get(topic)
        if publisher is not None:
            publisher.publish(data)
            self.published[topic] += 1

    def tick(self, stamp_ns: int) -> None:
        """Publish the time."""
        if self._clock is not None:
            seconds, nanoseconds = divmod(stamp_ns, _NS)
            self._clock.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))

    def wake(self) -> None:
        """Make whoever waits look whether to stop."""
        self._listeners.notify()

    def await_subscribers(self, count: int, timeout_s: float, stopped: Callable[[], bool]) -> None:
        """Wait until each sensor has subscribers; one way of sending images is enough.

        Raises:
            MmFusionError: They did not come in time.
        """
        self._listeners.wait(lambda: self._missing(count), count, timeout_s, stopped)

    def unacknowledged(self) -> tuple[str, ...]:
        """Wait until all that was sent is confirmed; list the topics of which some is not."""
        return unacknowledged(self._publishers)

    def _open(self, topic: str, type_name: str, *, reliable: bool) -> None:
        try:
            kind = message_class(type_name)
        except ImportError:
            self.notices.append(f'{topic}: {type_name} is not installed, left out')
            return
        self._publishers[topic] = self._publisher(kind, topic, reliable=reliable)
        self.published[topic] = 0

    def _publisher(self, kind: type, topic: str, *, reliable: bool) -> Publisher[Any]:
        latched = topic == topics.STATIC_TRANSFORMS
        return self._node.create_publisher(
            kind,
            topic,
            QoSProfile(
                depth=_DEPTHS.get(topic, _DEPTH),
                reliability=(
                    ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
                ),
                durability=(
                    DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
                ),
            ),
            event_callbacks=PublisherEventCallbacks(matched=self._listeners.notify),
        )

    def _missing(self, count: int) -> list[str]:
        """List the topics that have too few subscribers."""
        images = [t for t in (topics.IMAGE, topics.IMAGE_RAW) if t in self._publishers]
        groups = [images] + [[topic] for topic in _AWAITED if topic in self._publishers]
        return [
            ' or '.join(group)
            for group in groups
            if group and all(self._subscribers(topic) < count for topic in group)
        ]

    def _subscribers(self, topic: str) -> int:
        return int(self._publishers[topic].get_subscription_count())
