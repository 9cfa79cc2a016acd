# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM at any time of a node's life ends it within a second of its own work."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros

LIMIT_S = 1.0
SLOW_LOAD = """\
import sys, time
from mm_fusion.nodes import fusion_node
load = fusion_node.load_for_good
def announced(settings):
    print('{moment}', file=sys.stderr, flush=True)
    return load(settings)
fusion_node.load_for_good = announced
inside = fusion_node.FusionNode.on_activate
def activate(node, state):
    print('activating', file=sys.stderr, flush=True)
    return inside(node, state)
fusion_node.FusionNode.on_activate = activate
fusion_node.main()
"""


@pytest.mark.parametrize('moment', ['configuring', 'activating'])
def test_a_signal_in_a_transition_ends_the_node_cleanly(bundle: Path, moment: str) -> None:
    code = SLOW_LOAD.format(moment='configuring')
    arguments = ['-p', f'inference.bundle:={bundle}', '-p', 'node.autostart:=true']
    with subprocess.Popen(
        [sys.executable, '-c', code, '--ros-args', *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.strip() == moment:
                break
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        logged = process.stderr.read()
        process.wait(60)
        assert time.monotonic() - start < LIMIT_S, logged
    assert process.returncode == 0, logged
    assert 'Traceback' not in logged
