# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The node's subscriptions, each opened once the type and QoS on its topic are known."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError

from mm_fusion.messages import AUDIO_INFO_TYPE, ROLE_TYPES
from mm_fusion.ros.losses import Losses
from mm_fusion.ros.qos import Choice, choose, offer_of, subscription_qos
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rclpy.node import Node
    from rclpy.subscription import MessageInfo, Subscription

    from mm_fusion.settings import NodeSettings

AUDIO_INFO = 'audio_info'
MODALITIES = {
    'image': Modality.CAMERA,
    'audio': Modality.MICROPHONE,
    'fix': Modality.GNSS,
    'velocity': Modality.VELOCITY,
}
"""Modality that each topic feeds."""

_DEPTHS = {'image': 5, 'audio': 200, AUDIO_INFO: 1, 'fix': 100, 'velocity': 400}
"""Messages kept while the executor is busy: few large ones, seconds of small ones."""


@dataclass(slots=True)
class Input:
    """One topic that the node reads.

    Attributes:
        topic: Resolved name.
        expected: Types that it reads, the preferred first.
        configured: Whether the user has set the type, so that none has to be found out.
        choice: What it subscribes to now.
        problem: Why nothing is read, or what is ignored; empty where all is well.
        losses: Messages that were published and never came.
        subscription: None until there is something that can be read.
    """

    topic: str
    expected: tuple[str, ...]
    configured: bool = False
    choice: Choice = field(default_factory=Choice)
    problem: str = ''
    losses: Losses = field(default_factory=Losses)
    subscription: Subscription[Any] | None = None


class Inputs:
    """Subscribe to what is published, and follow it when that changes.

    Args:
        node: Owns the subscriptions.
        settings: The types to read.
        receive: Called with the topic's role, each message, and the time at which the middleware
            had it: ns by the clock of the system, 0 where it does not say.
    """

    def __init__(
        self, node: Node, settings: NodeSettings, receive: Callable[[str, Any, int], None]
    ) -> None:
        self._node = node
        self._receive = receive
        self._inputs = {
            role: Input(node.resolve_topic_name(role), expected, configured)
            for role, expected, configured in _expected_types(settings)
        }

    def __getitem__(self, role: str) -> Input:
        """Give the state of one input."""
        return self._inputs[role]

    def update(self) -> None:
        """Compare what is published with what is subscribed to; warn once of each problem."""
        for role, item in self._inputs.items():
            offers = [
                offer_of(info) for info in self._node.get_publishers_info_by_topic(item.topic)
            ]
            # None is seen yet where a publisher has just come.
            item.losses.alone = len(offers) <= 1
            choice = choose(item.topic, offers, item.expected, item.choice, eager=item.configured)
            if choice != item.choice:
                item.choice = choice
                self._subscribe(role, item)

    def close(self) -> None:
        """End every subscription."""
        for item in self._inputs.values():
            self._unsubscribe(item)
            item.choice = Choice()

    def _subscribe(self, role: str, item: Input) -> None:
        self._unsubscribe(item)
        problem = item.choice.problem
        if item.choice.type_name is not None:
            try:
                message_type = message_class(item.choice.type_name)
            except ImportError as error:
                problem = f'{item.topic}: {error}'
            else:
                item.subscription = self._open(role, item, message_type)
        if problem:
            self._node.get_logger().warning(problem)
        item.problem = problem

    def _open(self, role: str, item: Input, message_type: type) -> Subscription[Any]:
        def hear(message: Any, info: MessageInfo) -> None:
            item.losses.note(info)
            self._receive(role, message, info['received_timestamp'])

        item.losses.restart()
        open_subscription = functools.partial(
            self._node.create_subscription,
            message_type,
            role,
            hear,
            subscription_qos(item.choice, _DEPTHS[role]),
        )
        # The default callbacks say that no messages will come; update() sees to it that they do.
        quiet = SubscriptionEventCallbacks(use_default_callbacks=False)
        counting = SubscriptionEventCallbacks(
            message_lost=item.losses.report, use_default_callbacks=False
        )
        try:
            return open_subscription(event_callbacks=counting)
        except UnsupportedEventTypeError:  # a middleware that does not report losses
            return open_subscription(event_callbacks=quiet)

    def _unsubscribe(self, item: Input) -> None:
        if item.subscription is not None:
            self._node.destroy_subscription(item.subscription)
            item.subscription = None


def message_class(type_name: str) -> type:
    """Import the class of a message type such as ``sensor_msgs/msg/Image``.

    Raises:
        ImportError: Its package is not installed, or has no such message.
    """
    package, _, name = type_name.split('/')
    try:
        found: type = getattr(importlib.import_module(f'{package}.msg'), name)
    except ModuleNotFoundError:
        raise ImportError(
            f'type {type_name} cannot be read: its package {package} is not installed'
        ) from None
    except AttributeError:
        raise ImportError(
            f'type {type_name} cannot be read: the package {package} has none such here'
        ) from None
    return found


def _expected_types(settings: NodeSettings) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    configured: Mapping[str, str] = {
        'image': settings.image_type,
        'audio': settings.audio_type,
        'fix': settings.fix_type,
        'velocity': settings.velocity_type,
    }
    for role, type_name in configured.items():
        auto = type_name == 'auto'
        yield role, ROLE_TYPES[MODALITIES[role]] if auto else (type_name,), not auto
    yield AUDIO_INFO, (AUDIO_INFO_TYPE,), False
