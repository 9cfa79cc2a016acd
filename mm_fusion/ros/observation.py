# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A short look at the ROS graph: who publishes the inputs, how, how fast, and by which clock."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import rclpy
from rcl_interfaces.srv import GetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rosgraph_msgs.msg import Clock

from mm_fusion.bags import match_topics
from mm_fusion.errors import BagError
from mm_fusion.messages import AUDIO_INFO_TYPE, ROLE_TYPES
from mm_fusion.ros.inputs import MODALITIES, message_class
from mm_fusion.ros.matching import node_of, obstacles, qos_of
from mm_fusion.ros.qos import Choice, choose, offer_of, subscription_qos

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rclpy.qos import QoSProfile

_NODE = 'mm_fusion_doctor'
_STATUS_TYPE = 'mm_fusion_msgs/msg/FusionStatus'
_DISCOVERY_S = 1.5
_ANSWER_S = 1.0
_DEPTH = 100
_MAX_STAMPS = 2000

EXPECTED = {
    **{role: ROLE_TYPES[modality] for role, modality in MODALITIES.items()},
    'audio_info': (AUDIO_INFO_TYPE,),
}
"""Types that each input is read from."""


@dataclass(slots=True)
class TopicView:
    """What was seen of one topic.

    Attributes:
        topic: Resolved name.
        publishers: Each node with its type and QoS.
        subscribers: The same of those who listen, but for the observer itself.
        obstacles: Publishers and subscribers between which nothing flows.
        problem: Why it could not be listened to; empty where it could.
        messages: Number that came.
        rate_hz: 0 below two messages.
        largest_bytes: Of the messages, serialised.
        stamp_age_s: Median age of the stamps by the machine's clock; None without stamps.
    """

    topic: str
    publishers: tuple[str, ...] = ()
    subscribers: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    problem: str = ''
    messages: int = 0
    rate_hz: float = 0.0
    largest_bytes: int = 0
    stamp_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen in the graph.

    Attributes:
        seconds: How long messages were listened to.
        inputs: By role.
        elsewhere: Topics of the graph that would serve a role whose topic has no publisher.
        clock: The topic /clock.
        clock_speed: Seconds of /clock in a second of the machine; None where it says nothing.
        fusion_nodes: Running fusion nodes, each with its ``use_sim_time``; None: no answer.
        middleware: Such as ``rmw_fastrtps_cpp``.
    """

    seconds: float
    inputs: Mapping[str, TopicView]
    elsewhere: Mapping[str, str]
    clock: TopicView
    clock_speed: float | None
    fusion_nodes: Mapping[str, bool | None]
    middleware: str


@dataclass(slots=True)
class _Tally:
    """What came on one topic."""

    stamped: bool
    arrivals_s: list[float] = field(default_factory=list)
    largest: int = 0
    ages_s: list[float] = field(default_factory=list)

    def add(self, data: bytes) -> None:
        self.arrivals_s.append(time.monotonic())
        self.largest = max(self.largest, len(data))
        if self.stamped and len(self.ages_s) < _MAX_STAMPS and len(data) >= 12:
            order = '<' if data[1] & 1 else '>'
            seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
            self.ages_s.append(time.time() - seconds - nanoseconds / 1e9)

    def rate_hz(self) -> float:
        if len(self.arrivals_s) < 2:
            return 0.0
        span_s = self.arrivals_s[-1] - self.arrivals_s[0]
        return (len(self.arrivals_s) - 1) / span_s if span_s > 0 else 0.0


def observe(
    topics: Mapping[str, str], *, namespace: str = '', seconds: float = 3.0
) -> Observation:
    """Look at the graph, then listen for a while.

    The topic of an input is the one that is given, or the input's own name in the namespace.

    Args:
        topics: Topic by role: image, audio, audio_info, fix, velocity.
        namespace: Of the fusion node.
        seconds: How long to listen.
    """
    context = Context()
    rclpy.init(args=[], context=context)
    node = Node(_NODE, context=context, namespace=namespace, enable_rosout=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        return _Observer(node, executor).observe(topics, seconds)
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()


class _Observer:
    """Looks through the eyes of a node."""

    def __init__(self, node: Node, executor: SingleThreadedExecutor) -> None:
        self._node = node
        self._executor = executor

    def observe(self, topics: Mapping[str, str], seconds: float) -> Observation:
        self._spin(_DISCOVERY_S)
        names = {
            role: self._node.resolve_topic_name(topics.get(role) or role) for role in EXPECTED
        }
        views = {role: self._view(name) for role, name in names.items()}
        clock = self._view('/clock')
        tallies = {role: self._listen(view, EXPECTED[role]) for role, view in views.items()}
        ticks: list[tuple[float, float]] = []
        clock_tally = self._listen_to_clock(clock, ticks)
        self._spin(seconds)
        for view, tally in ((clock, clock_tally), *((views[r], tallies[r]) for r in views)):
            if tally is not None:
                view.messages, view.rate_hz = len(tally.arrivals_s), tally.rate_hz()
                view.largest_bytes = tally.largest
                view.stamp_age_s = median(tally.ages_s) if tally.ages_s else None
        return Observation(
            seconds=seconds,
            inputs=views,
            elsewhere=self._elsewhere(views),
            clock=clock,
            clock_speed=_speed(ticks),
            fusion_nodes={name: self._uses_sim_time(name) for name in self._fusion_nodes()},
            middleware=rclpy.get_rmw_implementation_identifier(),
        )

    def _spin(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, 0.1))

    def _view(self, topic: str) -> TopicView:
        publishers = self._node.get_publishers_info_by_topic(topic)
        subscribers = [
            info
            for info in self._node.get_subscriptions_info_by_topic(topic)
            if info.node_name != _NODE
        ]
        return TopicView(
            topic,
            publishers=tuple(
                f'{node_of(info)} ({info.topic_type}, {qos_of(info)})' for info in publishers
            ),
            subscribers=tuple(f'{node_of(info)} ({qos_of(info)})' for info in subscribers),
            obstacles=tuple(obstacles(topic, publishers, subscribers)),
        )

    def _listen(self, view: TopicView, expected: tuple[str, ...]) -> _Tally | None:
        infos = self._node.get_publishers_info_by_topic(view.topic)
        choice = choose(view.topic, [offer_of(info) for info in infos], expected, Choice())
        view.problem = choice.problem
        if choice.type_name is None:
            return None
        try:
            kind = message_class(choice.type_name)
        except ImportError as error:
            view.problem = f'{view.topic}: {error}'
            return None
        return self._subscribe(kind, view.topic, subscription_qos(choice, _DEPTH))

    def _subscribe(self, kind: Any, topic: str, qos: QoSProfile) -> _Tally:
        fields = list(kind.get_fields_and_field_types().values())
        tally = _Tally(stamped=fields[0] == 'std_msgs/Header')
        self._node.create_subscription(kind, topic, tally.add, qos, raw=True)
        return tally

    def _listen_to_clock(self, view: TopicView, ticks: list[tuple[float, float]]) -> _Tally | None:
        if not view.publishers:
            return None
        tally = _Tally(stamped=False)

        def tick(data: bytes) -> None:
            tally.add(data)
            if len(data) >= 12:
                order = '<' if data[1] & 1 else '>'
                seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
                ticks.append((time.monotonic(), seconds + nanoseconds / 1e9))

        infos = self._node.get_publishers_info_by_topic(view.topic)
        choice = choose(view.topic, [offer_of(info) for info in infos], _CLOCK, Choice())
        view.problem = choice.problem
        if choice.type_name is None:
            return None
        qos = subscription_qos(choice, _DEPTH)
        self._node.create_subscription(Clock, view.topic, tick, qos, raw=True)
        return tally

    def _elsewhere(self, views: Mapping[str, TopicView]) -> dict[str, str]:
        """Find topics by their types, as for a recording, where the input's own has nobody."""
        types = {
            name: kinds[0]
            for name, kinds in self._node.get_topic_names_and_types()
            if self._node.count_publishers(name)
        }
        try:
            matched = match_topics(types)
        except BagError:  # nothing there, or several that nobody can tell apart
            return {}
        return {
            role: topic
            for role, view in views.items()
            if not view.publishers and (topic := getattr(matched, role)) is not None
        }

    def _fusion_nodes(self) -> list[str]:
        found = [
            node_of(info)
            for name, kinds in self._node.get_topic_names_and_types()
            if _STATUS_TYPE in kinds
            for info in self._node.get_publishers_info_by_topic(name)
        ]
        return sorted(set(found))

    def _uses_sim_time(self, name: str) -> bool | None:
        client = self._node.create_client(GetParameters, f'{name}/get_parameters')
        deadline = time.monotonic() + _ANSWER_S
        while not client.service_is_ready() and time.monotonic() < deadline:
            self._spin(0.05)
        future = client.call_async(GetParameters.Request(names=['use_sim_time']))
        self._executor.spin_until_future_complete(future, timeout_sec=_ANSWER_S)
        if not future.done() or not future.result().values:
            return None
        return bool(parameter_value_to_python(future.result().values[0]))


_CLOCK = ('rosgraph_msgs/msg/Clock',)


def _speed(ticks: list[tuple[float, float]]) -> float | None:
    if len(ticks) < 2 or ticks[-1][0] <= ticks[0][0]:
        return None
    return (ticks[-1][1] - ticks[0][1]) / (ticks[-1][0] - ticks[0][0])
