# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that are changed while the node runs: what takes effect, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.logging import LoggingSeverity
from rclpy.node import Node
from rclpy.parameter import Parameter

from support.ros_graph import Car, Graph, activated, parameters

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.nodes.fusion_node import FusionNode

pytestmark = pytest.mark.ros


def change(node: FusionNode, **values: Any) -> tuple[bool, str]:
    """Change parameters at once; tell whether it was accepted, and the reason."""
    wanted = [Parameter(name.replace('__', '.'), value=value) for name, value in values.items()]
    result = node.set_parameters_atomically(wanted)
    return result.successful, result.reason


def test_horizon_and_step_change_between_two_predictions(graph: Graph, bundle: Path) -> None:
    node = activated(graph, bundle)
    car = Car(graph)
    graph.until(car.connected, 'the subscriptions')
    car.drive()
    graph.until(lambda: car.trajectories, 'a trajectory')
    assert len(car.trajectories[-1].modes[0].headings) == 12
    assert change(node, decoding__horizon_s=2.0, decoding__step_s=0.25) == (True, '')
    graph.until(lambda: len(car.trajectories[-1].modes[0].headings) == 8, 'the new horizon')


def test_the_siren_threshold_changes_what_is_said_of_the_same_sound(
    graph: Graph, bundle: Path
) -> None:
    node = activated(graph, bundle)
    car = Car(graph, sensors=('audio', 'velocity'))
    graph.until(car.connected, 'the subscriptions')
    car.drive()
    assert change(node, decoding__siren_threshold=1e-6)[0]
    graph.until(lambda: car.roads and car.roads[-1].siren, 'a siren')
    assert change(node, decoding__siren_threshold=1.0)[0]
    graph.until(lambda: not car.roads[-1].siren, 'none')


def test_the_rate_of_the_status_changes(graph: Graph, bundle: Path) -> None:
    node = activated(graph, bundle)
    car = Car(graph, sensors=())
    graph.until(lambda: car.status, 'a status')
    assert change(node, node__status_rate_hz=0.1)[0]
    seen = len(car.status)
    # One may have been under way.
    assert not graph.holds(lambda: len(car.status) > seen + 1, 1.0)
    assert change(node, node__status_rate_hz=50.0)[0]
    graph.until(lambda: len(car.status) > seen + 3, 'statuses at the new rate')


def test_the_log_level_changes(graph: Graph, bundle: Path) -> None:
    node = activated(graph, bundle)
    before = node.get_logger().get_effective_level()
    try:
        assert change(node, node__log_level='debug')[0]
        assert node.get_logger().get_effective_level() == LoggingSeverity.DEBUG
    finally:
        node.get_logger().set_level(before)


def test_a_log_level_that_is_given_counts_from_configure_on(graph: Graph, bundle: Path) -> None:
    node = graph.fusion(parameters(bundle, node__log_level='error'))
    before = node.get_logger().get_effective_level()
    try:
        node.trigger_configure()
        assert node.get_logger().get_effective_level() == LoggingSeverity.ERROR
    finally:
        node.get_logger().set_level(before)


def test_one_refusal_refuses_the_whole_change_and_names_every_problem(
    graph: Graph, bundle: Path
) -> None:
    node = activated(graph, bundle)
    accepted, reason = change(
        node,
        decoding__horizon_s=2.0,
        decoding__step_s=9.0,
        decoding__siren_threshold=7.0,
        alignment__deadline_s=0.1,
    )
    assert not accepted
    assert 'decoding.step_s: found 9.0, expected 0.01 to 5 s' in reason
    assert 'decoding.siren_threshold: found 7.0, expected 0 to 1' in reason
    assert 'alignment.deadline_s: read at configure; clean up the node first' in reason
    assert 'decoding.horizon_s' not in reason
    assert node.get_parameter('decoding.horizon_s').value == 6.0


def test_the_service_that_tools_call_names_every_problem(graph: Graph, bundle: Path) -> None:
    node = activated(graph, bundle)
    asker = graph.add(Node('tool', context=graph.context))
    client = asker.create_client(
        SetParametersAtomically, f'{node.get_fully_qualified_name()}/set_parameters_atomically'
    )
    graph.until(client.service_is_ready, 'the service')
    wanted = [
        Parameter('decoding.step_s', value=9.0),
        Parameter('decoding.horizon_s', value=90.0),
    ]
    request = SetParametersAtomically.Request(
        parameters=[parameter.to_parameter_msg() for parameter in wanted]
    )
    future = client.call_async(request)
    graph.until(future.done, 'the answer')
    result = future.result().result
    assert not result.successful
    assert 'decoding.step_s' in result.reason
    assert 'decoding.horizon_s' in result.reason


def test_a_change_before_activation_counts_from_then_on(graph: Graph, bundle: Path) -> None:
    node = graph.fusion(parameters(bundle))
    node.trigger_configure()
    assert change(node, decoding__horizon_s=2.0)[0]
    node.trigger_activate()
    car = Car(graph)
    graph.until(car.connected, 'the subscriptions')
    car.drive()
    graph.until(lambda: car.trajectories, 'a trajectory')
    assert len(car.trajectories[-1].modes[0].headings) == 4
