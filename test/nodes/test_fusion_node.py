# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The fusion node over real DDS: what comes in, what goes out, and the lifecycle between."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import pytest
from mm_fusion_msgs.msg import FusionStatus, ModalityStatus
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from sensor_msgs.msg import Image

from mm_fusion.ros.engine import Engine
from mm_fusion.ros.frame_memory import FrameMemory
from support.ros_graph import Car, Graph, activated, parameters, state_of

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.settings import Settings
    from mm_fusion.types.sensors import RawImage

pytestmark = pytest.mark.ros

SUCCESS = TransitionCallbackReturn.SUCCESS


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
    # Where sound came before the first frame, the filter has begun with an unknown surface.
    graph.until(
        lambda: car.roads[-1].surface_observed and car.roads[-1].friction_probabilities[0] > 0.99,
        'a surface that the filter is sure of',
    )
    road = car.roads[-1]
    assert road.header.frame_id == 'base_link'
    assert road.friction == road.FRICTION_DRY, 'the picture is red, which this bundle calls dry'
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
    assert list(status.stages) == [
        'receive',
        'align',
        'track',
        'preprocess',
        'image_encoder',
        'audio_encoder',
        'fusion',
        'decode',
        'publish',
    ]
    assert all(0 < latency < 5 for latency in status.stage_latencies)
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
    assert values['lost in transport'] == '0'
    fusion = car.diagnostic('fusion')
    assert fusion is not None
    told = {item.key: item.value for item in fusion.values}
    for name in (*(f'latency of {stage}' for stage in status.stages), 'stamp to publish'):
        low, middle, high = map(float, told[f'{name}, p50 p95 p99 [ms]'].split())
        assert 0 <= low <= middle <= high
    assert diagnostic.message.startswith('present, ')
    assert diagnostic.message.endswith(' Hz')


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
    assert diagnostic.message == f'none: {car.status[-1].level_reason}'
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


def test_raw_frames_are_shown_to_the_memory_by_the_thread_that_receives_them(
    graph: Graph, bundle: Path
) -> None:
    class Noted(FrameMemory):
        def see(self, frame: RawImage) -> None:
            seen.append((frame.pixels.shape, threading.current_thread()))

    seen: list[tuple[tuple[int, ...], threading.Thread]] = []
    activated(graph, bundle, memory=Noted())
    car = Car(graph, sensors=('audio',))
    camera = graph.add(Node('camera', context=graph.context))
    outlet = camera.create_publisher(Image, 'image', 5)

    def expose() -> None:
        image = Image(height=4, width=6, encoding='bgr8', step=18, data=bytes(72))
        image.header.stamp = camera.get_clock().now().to_msg()
        outlet.publish(image)

    camera.create_timer(0.05, expose)
    car.drive()
    graph.until(lambda: len(seen) > 1, 'raw frames')
    assert set(seen) == {((4, 6, 3), threading.main_thread())}
