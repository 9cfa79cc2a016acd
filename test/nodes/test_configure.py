# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What configure refuses: bad parameters and bad bundles, each in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from support.ros_graph import Graph, log_lines, parameters, state_of

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.ros

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE


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
    assert repr(node.get_parameter('alignment.deadline_s').value) == '1.0'
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
