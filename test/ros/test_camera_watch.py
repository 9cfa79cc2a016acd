# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from mm_fusion.ros.camera_watch import CameraWatch, info_topic
from mm_fusion.settings import CameraSettings, Settings
from mm_fusion.simulation.camera import PinholeCamera
from support.ros_graph import Graph, graph

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ['graph']

pytestmark = pytest.mark.ros

CAMERA = PinholeCamera(640, 360, 410.0, forward_m=1.6, up_m=1.4, pitch_down_rad=0.0)
GROUND = np.array([[8.0, 0.0], [20.0, -3.0]])


def node_of(graph: Graph, *rules: str) -> Node:
    arguments = [part for rule in rules for part in ('-r', rule)]
    options = ['--ros-args', *arguments] if arguments else []
    return graph.add(Node('watching', context=graph.context, cli_args=options))


@pytest.mark.parametrize(
    ('rules', 'expected'),
    [
        ((), '/camera_info'),
        (('image:=/front/image_raw',), '/front/camera_info'),
        (('image:=/front/image_raw/compressed',), '/front/camera_info'),
        (('image:=/front/image_raw', 'camera_info:=/rear/info'), '/rear/info'),
    ],
)
def test_the_intrinsics_are_looked_for_beside_the_images(
    graph: Graph, rules: Sequence[str], expected: str
) -> None:
    assert info_topic(node_of(graph, *rules)) == expected


def info(**changes: Any) -> CameraInfo:
    message = CameraInfo(width=640, height=360, k=CAMERA.intrinsics.ravel(), **changes)
    message.header.frame_id = 'lens'
    message.header.stamp = Time(sec=5)
    return message


def mounted() -> SimpleNamespace:
    """Give what tf2_msgs/TFMessage holds, which the wheels lack: x right, y down, z ahead."""
    transform = TransformStamped()
    transform.header.frame_id, transform.child_frame_id = 'base_link', 'lens'
    transform.transform.translation.x, transform.transform.translation.z = 1.6, 1.4
    turn = transform.transform.rotation
    turn.x, turn.y, turn.z, turn.w = -0.5, 0.5, -0.5, 0.5
    return SimpleNamespace(transforms=[transform])


def test_what_is_published_is_used_and_named(graph: Graph) -> None:
    node = node_of(graph)
    watch = CameraWatch(node, Settings())
    assert watch.camera(None).note.count('(assumed)') == 3
    outlet = node.create_publisher(CameraInfo, 'camera_info', 1)
    watch.open()
    graph.until(outlet.get_subscription_count, 'a subscription')
    outlet.publish(info())
    graph.until(lambda: '/camera_info' in watch.camera(None).note, 'the intrinsics')
    watch._add_transforms(mounted())

    camera = watch.camera(None)

    points = np.column_stack([GROUND, np.zeros(2)])
    assert camera.project(GROUND, 640, 360) == pytest.approx(CAMERA.project(points)[0] + 0.5)
    assert 'height 1.4 m (/tf_static)' in camera.note
    watch.close()
    graph.until(lambda: not outlet.get_subscription_count(), 'the end of the subscription')
    assert watch.camera(None).note == camera.note, 'what was heard is kept'


def test_what_the_user_says_goes_before_it(graph: Graph) -> None:
    settings = Settings(camera=CameraSettings(height_m=2.5, pitch_down_deg=4.0, forward_m=1.0))
    watch = CameraWatch(node_of(graph), settings)
    watch._add_transforms(mounted())
    camera = watch.camera(None)
    assert camera.position.tolist() == [1.0, 0.0, 2.5]
    assert 'height 2.5 m (given), pitch 4° (given)' in camera.note


def test_intrinsics_that_cannot_be_true_are_not_used(graph: Graph) -> None:
    watch = CameraWatch(node_of(graph), Settings())
    watch._see(info())
    watch._see(CameraInfo(width=640, height=360))
    assert 'field of view 90° (assumed)' in watch.camera(None).note
