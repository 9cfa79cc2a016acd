# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes in processes of their own, in a ROS domain that nobody else is in.

They stay on this machine, so that neither other nodes nor another run on the same machine are
heard. Each writes a log; the end of it is shown where one of them fails.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mm_fusion.errors import MmFusionError
from mm_fusion.resources import config_path

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Mapping, Sequence

PROFILE = 'fastdds_large_images.xml'

# Ports of the domains above 101 lie in the range that the system hands out to clients.
_DOMAINS = range(1, 102)
_FINISH_S = 30.0
_LOG_LINES = 15


class NodeProcess:
    """One node of the package in a process of its own.

    Args:
        name: Module under ``mm_fusion.nodes``.
        arguments: Of its command line.
        environment: Of the process.
        log: File for its output.
        on_line: Called, in a thread, with each line of JSON on its standard output, which then
            does not go into the log.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        on_line: Callable[[Any], None] | None = None,
    ) -> None:
        self.name = name
        self._log = log
        with log.open('wb') as output:
            self._process = subprocess.Popen(
                [sys.executable, '-m', f'mm_fusion.nodes.{name}', *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output if on_line is None else subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )
        if self._process.stdout is not None and on_line is not None:
            reader = functools.partial(_pass_on, self._process.stdout, on_line)
            threading.Thread(target=reader, daemon=True).start()

    def ended(self, within_s: float) -> bool:
        """Wait for the end of the process for a while; tell whether it has come."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        return self._process.returncode is not None

    def check_running(self) -> None:
        """Refuse that it has ended by itself."""
        if self._process.poll() is not None:
            raise self._failure()

    def finish(self, request: signal.Signals) -> None:
        """Ask it to end, wait for it, and refuse a status other than 0."""
        self._process.send_signal(request)
        if not self.ended(_FINISH_S):
            self.kill()
            raise MmFusionError(f'{self.name} did not end within {_FINISH_S:g} s{self._log_end()}')
        self.check_status()

    def check_status(self, *others: NodeProcess) -> None:
        """Refuse a status other than 0, once it has ended; the logs of others may tell why."""
        if self._process.returncode != 0:
            raise self._failure(*others)

    def kill(self) -> None:
        """End it at once, where it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _failure(self, *others: NodeProcess) -> MmFusionError:
        logs = ''.join(process._log_end() for process in (self, *others))
        return MmFusionError(f'{self.name} ended with status {self._process.returncode}{logs}')

    def _log_end(self) -> str:
        lines = self._log.read_text(encoding='utf-8', errors='replace').splitlines()
        if not lines:
            return ''
        return '\n'.join([f'; the end of {self._log}:', *lines[-_LOG_LINES:]])


def _pass_on(stream: IO[bytes], on_line: Callable[[Any], None]) -> None:
    with stream:
        for line in stream:
            on_line(json.loads(line))


@contextlib.contextmanager
def own_environment(folder: Path) -> Iterator[dict[str, str]]:
    """Give the environment of the processes, with a ROS domain that is theirs alone."""
    domain, lock = reserved_domain()
    with lock:
        environment = dict(os.environ)
        for name in ('ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER', 'ROS_LOCALHOST_ONLY'):
            environment.pop(name, None)
        yield environment | {
            'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            profile_variable(): str(config_path(PROFILE)),
            'ROS_LOG_DIR': str(folder / 'ros_log'),
            'PYTHONUNBUFFERED': '1',
        }


def profile_variable() -> str:
    """Name the variable that Fast DDS reads: that of version 2 (Jazzy) or of 3 (Kilted)."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    version_2 = any(Path(prefix, 'lib', 'libfastrtps.so').exists() for prefix in prefixes)
    return 'FASTRTPS_DEFAULT_PROFILES_FILE' if version_2 else 'FASTDDS_DEFAULT_PROFILES_FILE'


def reserved_domain() -> tuple[int, IO[str]]:
    """Reserve a ROS domain among the runs on this machine, until the file is closed."""
    start = os.getpid() % len(_DOMAINS)
    for domain in [*_DOMAINS[start:], *_DOMAINS[:start]]:
        path = Path(tempfile.gettempdir(), f'mm_fusion_ros_domain_{domain}.lock')
        with contextlib.ExitStack() as stack:
            try:
                lock = stack.enter_context(path.open('w', encoding='ascii'))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (PermissionError, BlockingIOError):
                continue
            stack.pop_all()
            return domain, lock
    raise MmFusionError('no free ROS domain: all are reserved by other runs on this machine')
