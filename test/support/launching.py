# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a launch file of the package in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = ROOT / 'launch'
_RUNNER = ROOT / 'test' / 'launch' / 'run_launch_file.py'
_DEADLINE_S = 90


def launch(file: str, goal: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a launch file until the node reaches a state, in a process of its own.

    The launch service wants the main thread and installs signal handlers.

    Args:
        file: Name of the launch file.
        goal: Lifecycle state.
        arguments: Of the launch file, and options of the runner.
    """
    return subprocess.run(
        [sys.executable, str(_RUNNER), str(LAUNCH / file), goal, *arguments],
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
