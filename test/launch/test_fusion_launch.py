# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file, run by the real launch service where that is installed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mm_fusion.ros.inputs import AUDIO_INFO, MODALITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.ros

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILE = ROOT / 'launch' / 'fusion.launch.py'
RUNNER = Path(__file__).with_name('run_launch_file.py')
DEADLINE_S = 60


def launch(goal: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the launch file until the node reaches a state, in a process of its own.

    The launch service wants the main thread and installs signal handlers.
    """
    return subprocess.run(
        [sys.executable, str(RUNNER), str(LAUNCH_FILE), goal, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.launch
def test_the_node_reaches_active_with_its_topics_remapped(bundle: Path) -> None:
    done = launch(
        'active',
        f'bundle:={bundle}',
        'namespace:=car',
        'image_topic:=/camera/image_raw',
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'bundle tiny 0.0.1' in done.stdout + done.stderr


@pytest.mark.launch
def test_without_autostart_the_node_waits(bundle: Path) -> None:
    done = launch('unconfigured', f'bundle:={bundle}', 'autostart:=false')
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.launch
def test_a_missing_bundle_is_said_and_the_node_is_not_activated() -> None:
    done = launch('active', 'bundle:=/nowhere')
    assert done.returncode == 1
    assert 'configure refused: /nowhere' in done.stdout + done.stderr


def strings_in(path: Path) -> Sequence[str]:
    """Give every string in a Python file."""
    tree = ast.parse(path.read_text())
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]


def test_every_input_has_an_argument_to_remap_it() -> None:
    names = strings_in(LAUNCH_FILE)
    for topic in (*MODALITIES, AUDIO_INFO):
        assert topic in names
        assert f'{topic}_topic' in names
