# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the tests in two sessions: side by side what computes, one after the other what uses ROS.

    python -m tools.run_tests [ARGUMENTS OF PYTEST]

Nodes that exchange messages in time would wait for the cores that other tests have; the rest has
nothing to do with each other. Where the arguments choose by marker (``-m``) or say how many
processes there are (``-n``), pytest runs them as they stand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PROCESSES = ('-n', '--numprocesses')
_OWN = ('-m', *_PROCESSES)
_SESSIONS = (('-m', 'not ros', '-n', 'auto', '--dist', 'worksteal'), ('-m', 'ros'))


def run_tests(arguments: Sequence[str], run: Callable[[list[str]], int]) -> int:
    """Run both sessions, the second whatever became of the first.

    Args:
        arguments: Of pytest, for both.
        run: Runs pytest with arguments and gives its exit status.

    Returns:
        The first status that is not good; that a session has no tests is, where the other has.
    """
    if any(argument.startswith(_OWN) for argument in arguments):
        return run(list(arguments))
    found = [run([*session, *arguments]) for session in _SESSIONS]
    empty = int(pytest.ExitCode.NO_TESTS_COLLECTED)
    if all(status == empty for status in found):
        return empty
    return next((status for status in found if status not in {0, empty}), 0)


def environment(arguments: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a session: side by side, torch and BLAS take a core each."""
    several = any(argument.startswith(_PROCESSES) for argument in arguments)
    return ({'OMP_NUM_THREADS': '1'} if several else {}) | dict(given)


def _run(arguments: list[str]) -> int:
    command = [sys.executable, '-m', 'pytest', *arguments]
    return subprocess.run(command, env=environment(arguments, os.environ), check=False).returncode


if __name__ == '__main__':
    raise SystemExit(run_tests(sys.argv[1:], _run))
