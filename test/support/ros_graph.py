# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Real nodes over real DDS for the tests: waiting is for events, each with a deadline."""

from __future__ import annotations

import gc
import time
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import pytest
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from lifecycle_msgs.srv import GetState
from mm_fusion_msgs.msg import (
    AudioStamped,
    FusionStatus,
    ModalityStatus,
    RoadState,
    TrajectoryPrediction,
)
from nav_msgs.msg import Path as PathMessage
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import CompressedImage, NavSatFix, NavSatStatus

from mm_fusion.nodes.fusion_node import FusionNode
from support.pictures import noise, picture

with warnings.catch_warnings():
    # Message packages import it when first used; its parser warns on Python 3.11 and newer.
    warnings.simplefilter('ignore', DeprecationWarning)
    import rosidl_generator_py  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rclpy.topic_endpoint_info import TopicEndpointInfo

AUDIO_RATE_HZ = 16_000
TICK_S = 0.05
DEADLINE_S = 60.0

_Node = TypeVar('_Node', bound=Node)


class Graph:
    """A ROS context with an executor that spins until something has happened."""

    def __init__(self) -> None:
        self.context = Context()
        rclpy.init(args=[], context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._nodes: list[Node] = []

    def add(self, node: _Node) -> _Node:
        """Spin a node from now on."""
        self._nodes.append(node)
        self._executor.add_node(node)
        return node

    def fusion(self, parameters: dict[str, Any], **options: Any) -> FusionNode:
        """Add a fusion node with parameters as if they were given on its command line."""
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        node = FusionNode(context=self.context, parameter_overrides=overrides, **options)
        return self.add(node)

    def holds(self, condition: Callable[[], object], patience_s: float) -> bool:
        """Spin until a condition holds, or patience ends; tell which."""
        deadline = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._executor.spin_once(timeout_sec=0.02)
        return True

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Spin until a condition holds, or fail."""
        assert self.holds(condition, DEADLINE_S), f'waited {DEADLINE_S:g} s for: {what}'

    def close(self) -> None:
        """Shut everything down."""
        for node in self._nodes:
            if isinstance(node, FusionNode):
                node.release()
            node.destroy_node()
        self._executor.shutdown()
        self.context.try_shutdown()
        # Else the participant lives on, seen by the next test, until the collector of garbage
        # happens to run, in whichever thread that is.
        self.context.destroy()
        self._nodes.clear()
        gc.collect()


@pytest.fixture
def graph() -> Iterator[Graph]:
    """Give a graph that is closed after the test."""
    made = Graph()
    yield made
    made.close()


def topics_of(node: Node, infos: Callable[[str], list[TopicEndpointInfo]]) -> dict[str, list[str]]:
    """Give the topics at which a node has an endpoint, and their types, as DDS sees them.

    Not asked by ``get_..._names_and_types_by_node``: that takes the first participant with a node
    of this name, which may be one that has just left, of the test before, and is not forgotten.
    Such a one has no endpoint but those of its lifecycle, so that it adds nothing here.

    Args:
        node: Whose topics.
        infos: Its ``get_publishers_info_by_topic`` or ``get_subscriptions_info_by_topic``.
    """
    return {
        topic: types
        for topic, types in node.get_topic_names_and_types()
        if any(info.node_name == node.get_name() for info in infos(topic))
    }


class Car(Node):
    """Publish the four sensors, and keep what the fusion node says.

    Args:
        graph: The graph that it lives in.
        sensors: The topics to publish at each tick.
        simulated: Publish /clock, and stamp by a time that only ``tick`` moves.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        sensors: tuple[str, ...] = ('image', 'audio', 'fix', 'velocity'),
        simulated: bool = False,
    ) -> None:
        super().__init__('car', context=graph.context)
        graph.add(self)
        self.sensors = sensors
        self.status: list[FusionStatus] = []
        self.diagnostics: list[DiagnosticArray] = []
        self.roads: list[RoadState] = []
        self.trajectories: list[TrajectoryPrediction] = []
        self.paths: list[PathMessage] = []
        types = {
            'image': CompressedImage,
            'audio': AudioStamped,
            'fix': NavSatFix,
            'velocity': TwistStamped,
        }
        self.outlets = {role: self.create_publisher(types[role], role, 50) for role in sensors}
        for message_type, topic, store in (
            (FusionStatus, '/mm_fusion/status', self.status),
            (DiagnosticArray, '/diagnostics', self.diagnostics),
            (RoadState, '/mm_fusion/road_state', self.roads),
            (TrajectoryPrediction, '/mm_fusion/trajectory_prediction', self.trajectories),
            (PathMessage, '/mm_fusion/path', self.paths),
        ):
            self.create_subscription(message_type, topic, store.append, 50)
        self.simulated = simulated
        self.now_ns = 0
        self._clock_outlet = self.create_publisher(ClockMessage, '/clock', 50)
        self._ticks = 0

    def drive(self, at_ns: int | None = None) -> None:
        """Publish every sensor at each tick from now on; in simulation, from a time on."""
        if at_ns is not None:
            self.now_ns = at_ns
        self.create_timer(TICK_S, self.tick)

    def tick(self) -> None:
        """Publish one tick of every sensor, at the time now."""
        if self.simulated:
            self.now_ns += round(TICK_S * 1e9)
            self._clock_outlet.publish(ClockMessage(clock=to_time(self.now_ns)))
            now_ns = self.now_ns
        else:
            now_ns = self.get_clock().now().nanoseconds
        self._ticks += 1
        for role in self.sensors:
            self.publish(role, self.message(role, now_ns))

    def publish(self, role: str, message: Any) -> None:
        """Publish one message of a tick."""
        self.outlets[role].publish(message)

    def message(self, role: str, stamp_ns: int) -> Any:
        """Make a sound message of one sensor."""
        if role == 'image':
            message = CompressedImage(format='jpeg', data=jpeg(self._ticks))
        elif role == 'audio':
            samples = noise(round(TICK_S * AUDIO_RATE_HZ), 8000.0, self._ticks).astype('<i2')
            message = AudioStamped(
                sample_rate=AUDIO_RATE_HZ,
                channels=1,
                sample_format=AudioStamped.S16LE,
                data=samples.tobytes(),
            )
            stamp_ns -= round(TICK_S * 1e9)
        elif role == 'fix':
            message = NavSatFix(latitude=48.0, longitude=11.0 + 1e-9 * self._ticks, altitude=500.0)
            message.status.status = NavSatStatus.STATUS_FIX
        else:
            message = TwistStamped()
            message.twist.linear.x = 10.0
            message.twist.angular.z = 0.1
        message.header.stamp = to_time(stamp_ns)
        return message

    def connected(self) -> bool:
        """Tell whether the fusion node listens to every sensor."""
        return all(outlet.get_subscription_count() for outlet in self.outlets.values())

    def modality(self, name: str) -> ModalityStatus | None:
        """Give the newest status of one sensor."""
        if not self.status:
            return None
        return next(item for item in self.status[-1].modalities if item.name == name)

    def dropped(self, name: str, reason: str) -> int:
        """Give how many messages of a sensor were dropped for a reason."""
        status = self.modality(name)
        if status is None or reason not in status.drop_reasons:
            return 0
        return int(status.drop_counts[list(status.drop_reasons).index(reason)])

    def diagnostic(self, name: str) -> DiagnosticStatus | None:
        """Give the newest diagnostic entry of the fusion or of one sensor."""
        if not self.diagnostics:
            return None
        return next(
            item for item in self.diagnostics[-1].status if item.name.endswith(f': {name}')
        )


def to_time(stamp_ns: int) -> Time:
    """Write a time."""
    return Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)


def jpeg(seed: int = 0) -> bytes:
    """Encode a red picture."""
    # One field of the chessboard is one pixel of the tiny network: else it is averaged to grey.
    encoded: bytes = cv2.imencode('.jpg', picture(32, 64, (0, 0, 255), seed))[1].tobytes()
    return encoded


def parameters(bundle: Path, **more: Any) -> dict[str, Any]:
    """Give parameters for a quick test."""
    values = {'inference.bundle': str(bundle), 'node.status_rate_hz': 20.0}
    return {**values, **{name.replace('__', '.'): value for name, value in more.items()}}


def activated(graph: Graph, bundle: Path, **options: Any) -> FusionNode:
    """Add an active node."""
    node = graph.fusion(parameters(bundle), **options)
    node.start()
    return node


def state_of(graph: Graph, node: FusionNode) -> str:
    """Ask the node for its lifecycle state, as a lifecycle manager does."""
    asker = graph.add(Node('manager', context=graph.context))
    service = f'{node.get_fully_qualified_name()}/get_state'
    for _ in range(10):
        # Fast DDS now and then never matches a client with a service of its own process.
        client = asker.create_client(GetState, service)
        if graph.holds(client.service_is_ready, 5.0):
            break
    assert client.service_is_ready()
    future = client.call_async(GetState.Request())
    graph.until(future.done, 'the lifecycle state')
    return str(future.result().current_state.label)


def log_lines(capfd: pytest.CaptureFixture[str], level: str) -> list[str]:
    """Give what has been logged at a level."""
    return [line for line in capfd.readouterr().err.splitlines() if f'[{level}]' in line]
