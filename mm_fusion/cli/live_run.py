# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Play a recording into the real node and record what it says: three processes of their own.

They have a ROS domain to themselves and stay on this machine, so that neither other nodes nor
another run on the same machine are heard. Each writes a log; the end of it is shown where one
of them fails.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import mm_fusion
from mm_fusion.bags import match_topics
from mm_fusion.bags.raw import RawBag
from mm_fusion.bags.topics import ROLE_MODALITIES
from mm_fusion.errors import MmFusionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROFILE = 'fastdds_large_images.xml'
INPUTS = ('/image', '/audio', '/audio_info', '/fix', '/velocity')
OUTPUTS = (
    '/mm_fusion/road_state',
    '/mm_fusion/trajectory_prediction',
    '/mm_fusion/path',
    '/mm_fusion/status',
    '/diagnostics',
)

_CAMERA_TYPES = ('sensor_msgs/msg/CameraInfo', 'tf2_msgs/msg/TFMessage')

# Ports of the domains above 101 lie in the range that the system hands out to clients.
_DOMAINS = range(1, 102)
_CLOCK_HZ = 200
_DRAIN_S = 0.7
"""Longer than one inference, shorter than the period of the node's status, which never ends."""
_CHECK_S = 0.5
_FINISH_S = 30.0
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A recording of a live node.

    Attributes:
        recording: Folder of the recording, with the inputs and the outputs.
        played: The player's summary.
        recorded: The recorder's summary.
    """

    recording: Path
    played: Mapping[str, Any]
    recorded: Mapping[str, Any]


class _Process:
    """One node in a process of its own.

    Args:
        name: Module under ``mm_fusion.nodes``.
        arguments: Of its command line.
        environment: Of the process.
        log: File for its output; None shows the output.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path | None
    ) -> None:
        self.name = name
        self._log = log
        with contextlib.ExitStack() as stack:
            output: IO[bytes] | None = stack.enter_context(log.open('wb')) if log else None
            self._process = subprocess.Popen(
                [sys.executable, '-m', f'mm_fusion.nodes.{name}', *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                start_new_session=True,
            )

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

    def check_status(self, log_of: _Process | None = None) -> None:
        """Refuse a status other than 0, once it has ended; another's log may tell why."""
        if self._process.returncode != 0:
            raise self._failure(log_of)

    def kill(self) -> None:
        """End it at once, where it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _failure(self, log_of: _Process | None = None) -> MmFusionError:
        log_end = (log_of or self)._log_end()
        return MmFusionError(f'{self.name} ended with status {self._process.returncode}{log_end}')

    def _log_end(self) -> str:
        if self._log is None:
            return ''
        lines = self._log.read_text(encoding='utf-8', errors='replace').splitlines()
        return '\n'.join([f'; the end of {self._log}:', *lines[-_LOG_LINES:]])


def run_live(
    bag: Path, folder: Path, *, bundle: Path, rate: float = 1.0, loops: int = 1
) -> LiveRun:
    """Play a recording into the fusion node and record inputs and outputs.

    Args:
        bag: The recording to play.
        folder: Existing folder for the new recording, the logs and the summaries.
        bundle: Folder of the model bundle.
        rate: Speed.
        loops: How often it is played.

    Raises:
        MmFusionError: A process failed; the end of its log is in the message.
    """
    with RawBag(bag) as recording:
        beside = _beside(recording.types)
    simulated = ['--ros-args', '-p', 'use_sim_time:=true']
    parameters = [
        *simulated, '-p', 'node.autostart:=true', '-p', f'inference.bundle:={bundle}',
    ]  # fmt: skip
    topics = [*INPUTS, *beside]
    live = folder / 'live'
    played, recorded = folder / 'played.json', folder / 'recorded.json'
    recorder_arguments = [
        str(live), *topics, '--first', *OUTPUTS,
        '--drain', str(_DRAIN_S), '--summary', str(recorded), *simulated,
    ]  # fmt: skip
    player_arguments = [
        str(bag), '--by-role', '--subscribers', '2', '--clock', str(_CLOCK_HZ),
        '--rate', str(rate), '--loop', str(loops), '--wait', '30', '--summary', str(played),
    ]  # fmt: skip
    with _environment(folder) as environment, contextlib.ExitStack() as stack:

        def start(name: str, arguments: list[str], log: Path | None) -> _Process:
            process = _Process(name, arguments, environment, log)
            stack.callback(process.kill)
            return process

        node = start('fusion_node', parameters, folder / 'fusion_node.log')
        recorder = start('bag_recorder', recorder_arguments, folder / 'bag_recorder.log')
        player = start('bag_player', player_arguments, None)
        while not player.ended(_CHECK_S):
            node.check_running()
            recorder.check_running()
        # A player that nobody listens to has done nothing wrong: the node's log says why.
        player.check_status(log_of=node)
        node.check_running()
        recorder.finish(signal.SIGINT)
        node.finish(signal.SIGINT)
    return LiveRun(live, json.loads(played.read_text()), json.loads(recorded.read_text()))


def _beside(types: Mapping[str, str]) -> list[str]:
    """List what is recorded besides the inputs: the truth, and how the camera sees."""
    truth = [
        topic
        for topic, roles in match_topics(types).roles().items()
        if all(ROLE_MODALITIES[role] is None for role in roles)
    ]
    return [*truth, *(topic for topic, kind in types.items() if kind in _CAMERA_TYPES)]


@contextlib.contextmanager
def _environment(folder: Path) -> Iterator[dict[str, str]]:
    """Give the environment of the processes, with a ROS domain that is theirs alone."""
    domain, lock = reserved_domain()
    with lock:
        environment = dict(os.environ)
        for name in ('ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER', 'ROS_LOCALHOST_ONLY'):
            environment.pop(name, None)
        yield environment | {
            'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            profile_variable(): str(profile_path()),
            'ROS_LOG_DIR': str(folder / 'ros_log'),
            'PYTHONUNBUFFERED': '1',
        }


def profile_variable() -> str:
    """Name the variable that Fast DDS reads: that of version 2 (Jazzy) or of 3 (Kilted)."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    version_2 = any(Path(prefix, 'lib', 'libfastrtps.so').exists() for prefix in prefixes)
    return 'FASTRTPS_DEFAULT_PROFILES_FILE' if version_2 else 'FASTDDS_DEFAULT_PROFILES_FILE'


def profile_path() -> Path:
    """Find the Fast DDS profile in the source tree, or where the package is installed.

    Raises:
        MmFusionError: It is in neither place.
    """
    package = Path(mm_fusion.__file__).resolve().parent
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    places = [package.parent, *(Path(prefix, 'share', 'mm_fusion') for prefix in prefixes)]
    for place in places:
        if (place / 'config' / PROFILE).is_file():
            return place / 'config' / PROFILE
    raise MmFusionError(f'config/{PROFILE}: not found in {", ".join(map(str, places))}')


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
