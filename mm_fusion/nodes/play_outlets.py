# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the messages of a recording go: one publisher for each topic that can be played."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.qos import DurabilityPolicy, QoSProfile

from mm_fusion.bags import match_topics
from mm_fusion.bags.topics import ROLE_MODALITIES
from mm_fusion.errors import BagError
from mm_fusion.messages import AUDIO_INFO_TYPE, ODOMETRY_TYPE, ROLE_TYPES, AudioAdapter
from mm_fusion.ros.inputs import message_class
from mm_fusion.settings import AudioSettings
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.node import Node
    from rclpy.publisher import Publisher

    from mm_fusion.bags.raw import RawBag

SOUND_TYPE = 'mm_fusion_msgs/msg/AudioStamped'
_DEPTH = 200
_NS = 1_000_000_000
# Odometry is ground truth as often as it is an input.
_INPUT_TYPES = {kind for kinds in ROLE_TYPES.values() for kind in kinds} - {ODOMETRY_TYPE}


@dataclass(slots=True)
class Outlet:
    """What becomes of the messages of one recorded topic.

    Attributes:
        publisher: None for a topic that is only read.
        convert: Makes what is published, or None, from the recorded bytes and their log time.
        awaited: Whether playing waits for its subscribers.
        published: Messages sent.
        refused: Messages that could not be converted.
    """

    publisher: Publisher[Any] | None
    convert: Callable[[bytes, int], Any]
    awaited: bool = False
    published: int = 0
    refused: int = 0


class Outlets:
    """Open a publisher for each topic of a recording.

    Sound whose message package is not installed is converted to ``mm_fusion_msgs``; other topics
    whose type is not installed are left out.

    Args:
        node: Owns the publishers.
        bag: An open recording.
        by_role: Publish the inputs under the names that the fusion node listens to.
        on_matched: Called when a subscriber comes or goes.

    Attributes:
        notices: What was changed or left out, a sentence each.

    Raises:
        BagError: None of the topics can be played.
    """

    def __init__(
        self, node: Node, bag: RawBag, *, by_role: bool, on_matched: Callable[[Any], None]
    ) -> None:
        self._node = node
        self._bag = bag
        self._on_matched = on_matched
        self._sound = AudioAdapter(AudioSettings())
        self.notices: list[str] = []
        self.by_topic: dict[str, Outlet] = {}
        names = _role_names(bag) if by_role else {}
        for topic, type_name in bag.types.items():
            outlet = self._open(topic, names.get(topic, topic), type_name)
            if outlet is not None:
                outlet.awaited = topic in names if by_role else type_name in _INPUT_TYPES
                self.by_topic[topic] = outlet
        if not any(outlet.publisher for outlet in self.by_topic.values()):
            raise BagError(f'{bag.path}: none of its message types is installed')

    def publisher(
        self, kind: type, topic: str, depth: int = _DEPTH, *, latched: bool = False
    ) -> Publisher[Any]:
        """Open a reliable publisher that reports its subscribers."""
        durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
        return self._node.create_publisher(
            kind,
            topic,
            QoSProfile(depth=depth, durability=durability),
            event_callbacks=PublisherEventCallbacks(matched=self._on_matched),
        )

    def _open(self, topic: str, name: str, type_name: str) -> Outlet | None:
        try:
            kind = message_class(type_name)
        except ImportError:
            return self._substitute(topic, name, type_name)
        publisher = self.publisher(kind, name, latched=topic in self._bag.latched)
        return Outlet(publisher, lambda data, _: data)

    def _substitute(self, topic: str, name: str, type_name: str) -> Outlet | None:
        """Find another way for a topic whose type is not installed; None where there is none."""
        if type_name == AUDIO_INFO_TYPE:
            self.notices.append(f'{topic}: {type_name} is not installed, read by the player')
            return Outlet(None, self._learn_format(topic))
        if type_name in ROLE_TYPES[Modality.MICROPHONE]:
            self.notices.append(f'{topic}: {type_name} is not installed, played as {SOUND_TYPE}')
            publisher = self.publisher(message_class(SOUND_TYPE), name)
            return Outlet(publisher, self._as_sound(topic))
        self.notices.append(f'{topic}: {type_name} is not installed, left out')
        return None

    def _learn_format(self, topic: str) -> Callable[[bytes, int], Any]:
        def learn(data: bytes, _: int) -> None:
            self._sound.set_info(self._bag.deserialized(topic, data))

        return learn

    def _as_sound(self, topic: str) -> Callable[[bytes, int], Any]:
        kind = message_class(SOUND_TYPE)

        def convert(data: bytes, received_ns: int) -> Any:
            chunk = self._sound.chunk(self._bag.deserialized(topic, data), received_ns)
            message = kind(sample_rate=chunk.sample_rate_hz, channels=1, sample_format='F32LE')
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(chunk.stamp_ns, _NS)
            message.header.frame_id = chunk.frame_id
            message.data = array('B', np.asarray(chunk.samples, '<f4').tobytes())
            return message

        return convert


def _role_names(bag: RawBag) -> dict[str, str]:
    """Give each input topic the name under which the fusion node listens."""
    roles = match_topics(bag.types).roles()
    return {topic: own[0] for topic, own in roles.items() if ROLE_MODALITIES[own[0]]}
