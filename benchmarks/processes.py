# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes under measurement in processes of their own, and what the system says of a process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mm_fusion.cli.processes import own_environment, profile_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FINISH_S = 30.0
_LOG_LINES = 15
_TICKS_S = os.sysconf('SC_CLK_TCK')


class NodeFailedError(RuntimeError):
    """A node under measurement ended by itself."""


class Measured:
    """A node in a process of its own.

    Args:
        process: Of the node.
        log: Where its output goes.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def check(self) -> None:
        """Refuse that it has ended."""
        if self._process.poll() is not None:
            lines = self._log.read_text(encoding='utf-8', errors='replace').splitlines()
            raise NodeFailedError('\n'.join(lines[-_LOG_LINES:]))

    def cpu_s(self) -> float:
        """CPU time that it has used so far."""
        return cpu_seconds(self._proc('stat'))

    def memory_mib(self) -> tuple[float, float]:
        """Resident memory, and the part of it that is shared with nobody."""
        return resident_mib(self._proc('status'))

    def _proc(self, name: str) -> str:
        self.check()
        return Path(f'/proc/{self._process.pid}/{name}').read_text(encoding='utf-8')


def cpu_seconds(stat: str) -> float:
    """Take user and system time from the text of /proc/PID/stat."""
    # The name of the program, in parentheses, may hold anything.
    fields = stat.rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


def resident_mib(status: str) -> tuple[float, float]:
    """Take VmRSS and RssAnon from the text of /proc/PID/status."""
    sizes = {
        name: int(value.split()[0]) / 1024
        for name, _, value in (line.partition(':') for line in status.splitlines())
        if name in ('VmRSS', 'RssAnon')
    }
    return sizes['VmRSS'], sizes['RssAnon']


@contextlib.contextmanager
def own_domain(folder: Path, *, profile: bool = True) -> Iterator[None]:
    """Give this process, and those that it starts, a ROS domain that nobody else is in.

    Fast DDS reads its profile once in a process, so that this must come before the first context.

    Args:
        folder: For logs.
        profile: Whether to use the transport profile for large images.
    """
    with own_environment(folder) as environment:
        if not profile:
            environment.pop(profile_variable(), None)
            os.environ.pop(profile_variable(), None)
        os.environ.update(environment)
        yield


@contextlib.contextmanager
def running(module: str, arguments: Sequence[str], log: Path) -> Iterator[Measured]:
    """Run a module as a node until the block ends.

    Args:
        module: Full name.
        arguments: Of its command line.
        log: For its output.
    """
    with log.open('wb') as output:
        process = subprocess.Popen(
            [sys.executable, '-m', module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Measured(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_FINISH_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
