# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The node as a process of its own: autostart, signals, parameter files."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import rclpy
from rclpy.executors import ExternalShutdownException

from mm_fusion.nodes import fusion_node
from mm_fusion.ros.frame_memory import FrameMemory
from mm_fusion.ros.parameter_file import parameter_file
from support.ros_graph import DEADLINE_S, Car, Graph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ros


@contextmanager
def fusion_process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the node in a process that is ended after the test."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'mm_fusion.nodes.fusion_node', '--ros-args', *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_running_node_cleanly(
    graph: Graph, bundle: Path, number: signal.Signals
) -> None:
    arguments = ('-p', f'inference.bundle:={bundle}', '-p', 'node.autostart:=true')
    with fusion_process(*arguments) as process:
        car = Car(graph)
        graph.until(car.connected, 'subscriptions')
        car.drive()
        graph.until(lambda: len(car.roads) > 3, 'road states')
        process.send_signal(number)
        _, logged = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, logged
    assert 'Traceback' not in logged
    assert 'terminate' not in logged


def test_the_parameter_file_is_accepted_and_the_node_waits_for_a_manager(
    graph: Graph, bundle: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'fusion.param.yaml'
    file.write_text(parameter_file().replace('autostart: false', 'autostart: true'))
    arguments = ('--params-file', str(file), '-p', f'inference.bundle:={bundle}')
    with fusion_process(*arguments):
        car = Car(graph, sensors=('velocity',))
        graph.until(car.connected, 'the subscription of an active node')


def test_a_parameter_file_with_an_unknown_name_is_refused_and_the_node_lives(
    graph: Graph, bundle: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'fusion.param.yaml'
    file.write_text(
        '/**:\n  ros__parameters:\n    node:\n      autostart: true\n      colour: 1\n'
    )
    with fusion_process('--params-file', str(file)) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert 'configure refused: node.colour: unknown parameter' in line
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, logged


@pytest.mark.parametrize('kept', [True, False])
def test_the_process_keeps_freed_memory_before_anything_else(
    kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []

    def keep() -> bool:
        order.append('memory')
        return kept

    def node(**options: object) -> None:
        order.append(options['memory'])
        raise ExternalShutdownException

    monkeypatch.setattr(fusion_node, 'keep_freed_memory', keep)
    monkeypatch.setattr(rclpy, 'init', lambda args: order.append('rclpy'))
    monkeypatch.setattr(fusion_node, 'FusionNode', node)
    handler = signal.getsignal(signal.SIGINT)
    try:
        fusion_node.main([])
    finally:
        signal.signal(signal.SIGINT, handler)
    assert order[:2] == ['memory', 'rclpy']
    assert isinstance(order[2], FrameMemory) is kept
