# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The monitor, over real DDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builtin_interfaces.msg import Time
from mm_fusion_msgs.msg import FusionStatus, ModalityStatus, RoadState, TrajectoryPrediction
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from mm_fusion.nodes.live_monitor import LiveMonitor

if TYPE_CHECKING:
    from support.ros_graph import Graph

pytestmark = pytest.mark.ros

TRUTH = '/ground_truth/road_state'


def road(friction: int) -> RoadState:
    message = RoadState(friction=friction, siren=True, siren_probability=0.75)
    message.friction_probabilities[friction] = 0.5
    return message


def status() -> FusionStatus:
    camera = ModalityStatus(name='camera', state=ModalityStatus.STALE, received=7)
    camera.drop_reasons, camera.drop_counts = ['late', 'malformed'], [2, 0]
    return FusionStatus(modalities=[camera], stamp_to_publish=0.25, snapshots_superseded=4)


def test_it_says_the_newest_of_everything(
    graph: Graph, capsys: pytest.CaptureFixture[str]
) -> None:
    node = graph.add(Node('monitor', context=graph.context))
    monitor = LiveMonitor(node, TRUTH)
    assert monitor.state()['road'] is monitor.state()['truth'] is None
    sender = graph.add(Node('sender', context=graph.context))
    messages: dict[str, Any] = {
        '/mm_fusion/road_state': road(3),
        '/mm_fusion/trajectory_prediction': TrajectoryPrediction(speed=12.5),
        '/mm_fusion/status': status(),
        TRUTH: road(0),
        '/clock': Clock(clock=Time(sec=100)),
    }
    publishers = {
        topic: sender.create_publisher(type(message), topic, 10)
        for topic, message in messages.items()
    }
    assert graph.holds(lambda: all(p.get_subscription_count() for p in publishers.values()), 60.0)
    for topic, publisher in publishers.items():
        publisher.publish(messages[topic])
    assert graph.holds(
        lambda: all(monitor.state()[name] for name in ('road', 'truth', 'sensors')), 60.0
    )
    publishers['/clock'].publish(Clock(clock=Time(sec=103)))
    assert graph.holds(lambda: monitor.state()['time_s'] == 3.0, 60.0)

    state = monitor.state()
    assert state['road']['friction'] == ['fresh_snow', 0.5]
    assert state['road']['siren_probability'] == 0.75
    assert state['truth']['friction'][0] == 'dry'
    assert (state['speed_mps'], state['latency_s']) == (12.5, 0.25)
    assert state['superseded'] == 4
    assert state['outputs'] == 1
    assert state['sensors'] == {'camera': {'state': 'stale', 'received': 7, 'drops': {'late': 2}}}
    assert '"outputs": 1' in capsys.readouterr().out or graph.holds(
        lambda: '"outputs": 1' in capsys.readouterr().out, 60.0
    )
