# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM at any time of a node's life ends it, whatever is under way."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest

from support.ros_graph import DEADLINE_S, Car, Graph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

pytestmark = pytest.mark.ros

LIMIT_S = 5.0
"""Promised is a second; a machine that does other things as well gets more."""
NODE = """\
import dataclasses, os, threading
from mm_fusion.nodes import fusion_node

def tell(moment):
    os.write(2, (moment + chr(10)).encode())  # in one piece: stages run side by side
    if moment == '{blocked}':
        threading.Event().wait()

class Telling:
    def __init__(self, backend):
        self.name, self.reason, self.close = backend.name, backend.reason, backend.close
        self.concurrent, self.inner = backend.concurrent, backend

    def run(self, stage, inputs):
        tell('inferring')
        return self.inner.run(stage, inputs)

def told_load(settings):
    tell('configuring')
    engine = load(settings)
    return dataclasses.replace(engine, backend=Telling(engine.backend))

def told_activation(node, state):
    tell('activating')
    return activate(node, state)

load, fusion_node.load_for_good = fusion_node.load_for_good, told_load
activate = fusion_node.FusionNode.on_activate
fusion_node.FusionNode.on_activate = told_activation
fusion_node.main()
"""


@contextmanager
def node(bundle: Path, blocked: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run a node that tells its moments, and blocks for ever in one; give it and its lines."""
    arguments = ['-p', f'inference.bundle:={bundle}', '-p', 'node.autostart:=true']
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, '-c', NODE.format(blocked=blocked), '--ros-args', *arguments],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        stderr = cast('IO[str]', process.stderr)
        reader = threading.Thread(target=lambda: lines.extend(map(str.strip, stderr)))
        reader.start()
        try:
            yield process, lines
        finally:
            process.kill()
            reader.join()


@pytest.mark.parametrize(
    ('moment', 'blocked'),
    [
        ('configuring', False),
        ('configuring', True),
        ('activating', False),
        ('activating', True),
        ('inferring', True),
    ],
)
def test_a_signal_ends_the_node_in_time(
    graph: Graph, bundle: Path, moment: str, blocked: bool
) -> None:
    with node(bundle, moment if blocked else '') as (process, lines):
        car = Car(graph)
        car.drive()
        assert graph.holds(lambda: moment in lines, DEADLINE_S), lines
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        process.wait(DEADLINE_S)
        duration_s = time.monotonic() - start
    assert duration_s < LIMIT_S, lines
    assert process.returncode == 0, lines
    assert not any('Traceback' in line for line in lines)
    assert not blocked or any('still busy' in line for line in lines)
