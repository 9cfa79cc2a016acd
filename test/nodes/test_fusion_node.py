# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The fusion node over real DDS: lifecycle, outputs, parameters, defects."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from lifecycle_msgs.srv import GetState
from mm_fusion_msgs.msg import FusionStatus, ModalityStatus
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import String

from mm_fusion.errors import InferenceError
from mm_fusion.ros.engine import Engine
from support.ros_graph import Car, Graph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.nodes.fusion_node import FusionNode
    from mm_fusion.settings import Settings

pytestmark = pytest.mark.ros

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
TOPICS = ('image', 'audio', 'fix', 'velocity')


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
        if graph.holds(client.service_is_ready, 2.0):
            break
    assert client.service_is_ready()
    future = client.call_async(GetState.Request())
    graph.until(future.done, 'the lifecycle state')
    return str(future.result().current_state.label)


class FlakyBackend:
    """A backend that fails as told.

    Args:
        backend: What runs where no failure is set.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.name = backend.name
        self.reason = backend.reason
        self.failure: Exception | None = None

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run a stage, or fail."""
        if self.failure is not None:
            raise self.failure
        outputs: dict[str, NDArray[Any]] = self._backend.run(stage, inputs)
        return outputs


@pytest.fixture
def flaky() -> tuple[list[FlakyBackend], Callable[[Settings], Engine]]:
    """Give a loader whose backends can be made to fail."""
    backends: list[FlakyBackend] = []

    def load(settings: Settings) -> Engine:
        engine = Engine.load(settings)
        backends.append(FlakyBackend(engine.backend))
        return replace(engine, backend=backends[-1])

    return backends, load


def test_all_sensors_in_all_predictions_out(graph: Graph, bundle: Path) -> None:
    activated(graph, bundle)
    car = Car(graph)
    graph.until(car.connected, 'subscriptions to what is published')
    car.drive()
    graph.until(
        lambda: car.status and car.status[-1].level == FusionStatus.FULL and car.paths,
        'the level FULL and a path',
    )

    graph.until(
        lambda: car.roads and car.roads[-1].surface_observed and car.roads[-1].siren,
        'the siren, once the window of sound is full',
    )
    road = car.roads[-1]
    assert road.header.frame_id == 'base_link'
    assert road.friction == road.FRICTION_DRY, 'the picture is red, which this bundle calls dry'
    assert road.friction_probabilities[0] > 0.99
    assert sum(road.material_probabilities) == pytest.approx(1)
    assert road.siren_observed, 'the sound is loud, which this bundle calls a siren'
    assert [item.name for item in road.modalities] == ['camera', 'microphone', 'gnss', 'velocity']
    assert all(item.state == ModalityStatus.PRESENT for item in road.modalities)
    assert sum(item.weight for item in road.modalities) == pytest.approx(1)

    graph.until(lambda: abs(car.trajectories[-1].speed - 10) < 0.5, 'the speed of the car')
    trajectory = car.trajectories[-1]
    mode = trajectory.modes[0]
    assert trajectory.source == 'ego_filter'
    assert mode.probability == 1
    assert [t.sec + t.nanosec / 1e9 for t in mode.time_from_start] == pytest.approx(
        [0.5 * step for step in range(1, 13)]
    )
    assert len(mode.positions) == len(mode.headings) == 12
    assert len(mode.covariances) == 48
    assert all(map(math.isfinite, [*mode.headings, *mode.covariances]))
    path = car.paths[-1]
    assert len(path.poses) == 12
    first, last = path.poses[0].header.stamp, path.poses[-1].header.stamp
    assert (last.sec - first.sec) + (last.nanosec - first.nanosec) / 1e9 == pytest.approx(5.5)

    graph.until(lambda: car.status[-1].outputs > 0, 'a status that counts outputs')
    status = car.status[-1]
    assert (status.bundle, status.bundle_version) == ('tiny', '0.0.1')
    assert status.backend == 'onnxruntime-cpu'
    assert 'fusion' in status.stages
    assert len(status.stage_latencies) == len(status.stages)
    assert 0 < status.stamp_to_publish < 5
    assert 0 < status.outputs <= status.snapshots_emitted <= status.snapshots_opened
    graph.until(
        lambda: (camera := car.diagnostic('camera')) and camera.level == camera.OK,
        'a camera that diagnostics call good',
    )
    diagnostic = car.diagnostic('camera')
    assert diagnostic is not None
    values = {item.key: item.value for item in diagnostic.values}
    assert values['type'] == 'sensor_msgs/msg/CompressedImage'
    assert values['topic'] == '/image'
    assert values['reliability'] == 'reliable'


def test_velocity_alone_gives_a_trajectory_and_says_what_is_missing(
    graph: Graph, bundle: Path
) -> None:
    activated(graph, bundle)
    car = Car(graph, sensors=('velocity',))
    graph.until(car.connected, 'a subscription')
    car.drive()
    graph.until(lambda: len(car.trajectories) > 3, 'trajectories')
    graph.until(
        lambda: car.status and car.status[-1].level == FusionStatus.MOTION_ONLY, 'MOTION_ONLY'
    )
    assert car.status[-1].level_reason == (
        'no road state: camera never seen, microphone never seen, gnss never seen'
    )
    assert not car.roads


def test_without_any_sensor_the_status_says_why_nothing_comes(graph: Graph, bundle: Path) -> None:
    activated(graph, bundle)
    car = Car(graph, sensors=())
    graph.until(lambda: len(car.status) > 2 and len(car.diagnostics) > 2, 'status')
    assert car.status[-1].level == FusionStatus.NONE
    assert car.status[-1].level_reason.startswith('no sensor speaks: camera never seen, ')
    diagnostic = car.diagnostic('fusion')
    assert diagnostic is not None
    assert diagnostic.level == diagnostic.ERROR
    assert diagnostic.message == car.status[-1].level_reason
    assert not car.roads
    assert not car.trajectories


def test_a_sensor_that_dies_is_named_and_the_rest_goes_on(graph: Graph, bundle: Path) -> None:
    activated(graph, bundle)
    car = Car(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    graph.until(lambda: car.status and car.status[-1].level == FusionStatus.FULL, 'FULL')
    car.sensors = ('audio', 'fix', 'velocity')
    graph.until(lambda: car.status[-1].level == FusionStatus.REDUCED, 'REDUCED')
    assert car.status[-1].level_reason.startswith('camera silent for ')
    seen = len(car.trajectories)
    graph.until(lambda: len(car.trajectories) > seen + 3, 'more trajectories')


def test_a_lifecycle_round_trip_keeps_the_networks_and_forgets_the_drive(
    graph: Graph, bundle: Path
) -> None:
    loads = []

    def load(settings: Settings) -> Engine:
        loads.append(settings)
        return Engine.load(settings)

    node = graph.fusion(parameters(bundle), load=load)
    assert state_of(graph, node) == 'unconfigured'
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    car = Car(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    graph.until(lambda: len(car.roads) > 2, 'road states')

    assert node.trigger_deactivate() == SUCCESS
    assert state_of(graph, node) == 'inactive'
    graph.until(
        lambda: not any(outlet.get_subscription_count() for outlet in car.outlets.values()),
        'the end of the subscriptions',
    )
    for store in (car.roads, car.status):
        store.clear()
    assert node.trigger_activate() == SUCCESS
    assert len(loads) == 1, 'deactivate must keep the networks'
    graph.until(lambda: car.roads and car.status, 'road states after the second activation')
    assert car.status[0].outputs < 20, 'counters start anew with each activation'

    assert node.trigger_deactivate() == SUCCESS
    assert node.trigger_cleanup() == SUCCESS
    assert state_of(graph, node) == 'unconfigured'
    assert node.trigger_configure() == SUCCESS
    assert len(loads) == 2
    assert node.trigger_activate() == SUCCESS
    car.roads.clear()
    graph.until(lambda: car.roads, 'road states after the second configuration')
    assert node.trigger_shutdown() == SUCCESS
    assert state_of(graph, node) == 'finalized'


def log_lines(capfd: pytest.CaptureFixture[str], level: str) -> list[str]:
    """Give what has been logged at a level."""
    return [line for line in capfd.readouterr().err.splitlines() if f'[{level}]' in line]


def test_every_bad_parameter_is_named_in_one_line_and_the_node_lives(
    graph: Graph, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    node = graph.fusion(
        parameters(
            bundle,
            alignment__deadlin_s=0.1,
            alignment__deadline_s=9.0,
            inference__threads='two',
            use_sim_time=False,
        )
    )
    assert node.trigger_configure() == FAILURE
    (line,) = log_lines(capfd, 'ERROR')
    assert 'alignment.deadlin_s: unknown parameter' in line
    assert 'alignment.deadline_s: found 9.0, expected 0 to 2 s' in line
    assert "inference.threads: found 'two', expected int" in line
    assert 'use_sim_time' not in line
    assert state_of(graph, node) == 'unconfigured'

    results = node.set_parameters(
        [
            Parameter('alignment.deadlin_s'),
            Parameter('alignment.deadline_s', value=0.1),
            Parameter('inference.threads', value=1),
        ]
    )
    assert [result.reason for result in results] == ['', '', '']
    assert node.trigger_configure() == SUCCESS


def test_a_whole_number_is_taken_for_a_real_one(graph: Graph, bundle: Path) -> None:
    node = graph.fusion(parameters(bundle, alignment__deadline_s=1))
    assert node.get_parameter('alignment.deadline_s').value == 1.0
    assert node.trigger_configure() == SUCCESS


def test_parameters_are_frozen_while_configured(graph: Graph, bundle: Path) -> None:
    node = graph.fusion(parameters(bundle))
    change = [Parameter('alignment.deadline_s', value=0.2)]
    assert node.trigger_configure() == SUCCESS
    (result,) = node.set_parameters(change)
    assert not result.successful
    assert 'alignment.deadline_s: read at configure' in result.reason
    assert node.trigger_cleanup() == SUCCESS
    (result,) = node.set_parameters(change)
    assert result.successful
    descriptor = node.describe_parameter('alignment.deadline_s')
    assert descriptor.floating_point_range[0].to_value == 2.0
    assert descriptor.description


@pytest.mark.parametrize('damage', ['missing', 'one byte changed', 'not JSON'])
def test_a_bad_bundle_fails_configure_in_one_line(
    graph: Graph, bundle: Path, tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / 'broken'
    if damage != 'missing':
        broken.mkdir()
        for path in bundle.iterdir():
            (broken / path.name).write_bytes(path.read_bytes())
    if damage == 'one byte changed':
        graph_file = broken / 'fusion.onnx'
        content = bytearray(graph_file.read_bytes())
        content[len(content) // 2] ^= 1
        graph_file.write_bytes(bytes(content))
    if damage == 'not JSON':
        (broken / 'manifest.json').write_text('{')
    node = graph.fusion(parameters(broken))
    assert node.trigger_configure() == FAILURE
    (line,) = log_lines(capfd, 'ERROR')
    assert 'configure refused: ' in line
    assert 'broken' in line
    assert state_of(graph, node) == 'unconfigured'
    node.set_parameters([Parameter('inference.bundle', value=str(bundle))])
    assert node.trigger_configure() == SUCCESS


def test_failed_inference_is_counted_named_and_survived(
    graph: Graph,
    bundle: Path,
    flaky: tuple[list[FlakyBackend], Callable[[Settings], Engine]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    backends, load = flaky
    activated(graph, bundle, load=load)
    car = Car(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    graph.until(lambda: car.roads, 'road states')
    backends[-1].failure = InferenceError('the device is gone')
    graph.until(
        lambda: (
            car.status and car.status[-1].level_reason == 'inference fails: the device is gone'
        ),
        'the reason',
    )
    assert car.status[-1].level == FusionStatus.NONE
    graph.until(lambda: failures(car) > 3, 'a count of the failures')
    assert len([line for line in log_lines(capfd, 'WARN') if 'the device is gone' in line]) == 1

    backends[-1].failure = None
    graph.until(lambda: car.status[-1].level == FusionStatus.FULL, 'recovery')
    assert failures(car) > 3


def failures(car: Car) -> int:
    """Give the number of failed inferences that diagnostics tell."""
    diagnostic = car.diagnostic('fusion')
    assert diagnostic is not None
    values = {item.key: item.value for item in diagnostic.values}
    return int(values['inference failures'])


def test_a_defect_goes_through_error_processing_and_can_be_recovered_from(
    graph: Graph,
    bundle: Path,
    flaky: tuple[list[FlakyBackend], Callable[[Settings], Engine]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    backends, load = flaky
    node = activated(graph, bundle, load=load)
    car = Car(graph)
    graph.until(car.connected, 'subscriptions')
    car.drive()
    graph.until(lambda: car.roads, 'road states')
    backends[-1].failure = ZeroDivisionError('a defect')
    graph.until(lambda: not car.outlets['image'].get_subscription_count(), 'the end')
    assert state_of(graph, node) == 'unconfigured'
    logged = capfd.readouterr().err
    assert 'ZeroDivisionError: a defect' in logged
    assert 'in run' in logged, 'the traceback is what the maintainers need'

    node.start()
    car.roads.clear()
    graph.until(lambda: car.roads, 'road states after recovery')


def test_a_type_that_cannot_be_read_is_named_once(
    graph: Graph, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    activated(graph, bundle)
    car = Car(graph, sensors=())
    outlet = car.create_publisher(String, '/image', 10)
    graph.until(lambda: named(car), 'a diagnostic that names the type')
    expected = (
        '/image: found type std_msgs/msg/String, expected one of '
        'sensor_msgs/msg/Image, sensor_msgs/msg/CompressedImage'
    )
    diagnostic = car.diagnostic('camera')
    assert diagnostic is not None
    assert diagnostic.message == expected
    count = len(car.status)
    graph.until(lambda: len(car.status) > count + 10, 'half a second more')
    assert len([line for line in log_lines(capfd, 'WARN') if expected in line]) == 1

    car.destroy_publisher(outlet)
    other = Car(graph, sensors=('image',))
    graph.until(other.connected, 'a subscription to the right type')


def named(car: Car) -> bool:
    """Tell whether the camera's diagnostic names a type."""
    diagnostic = car.diagnostic('camera')
    return diagnostic is not None and 'found type' in diagnostic.message
