# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Feed the real node with a drive and record what it says: each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mm_fusion.bags import drive_messages, match_topics
from mm_fusion.bags.raw import RawBag
from mm_fusion.bags.topics import ROLE_MODALITIES
from mm_fusion.cli.processes import NodeProcess, own_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mm_fusion.simulation.scenario import Scenario

INPUTS = ('/image', '/audio', '/audio_info', '/fix', '/velocity')
OUTPUTS = (
    '/mm_fusion/road_state',
    '/mm_fusion/trajectory_prediction',
    '/mm_fusion/path',
    '/mm_fusion/status',
    '/diagnostics',
)

_SIMULATED_INPUTS = {
    'image': drive_messages.IMAGE,
    'audio': drive_messages.AUDIO,
    'fix': drive_messages.FIX,
    'velocity': drive_messages.VELOCITY,
}
_SIMULATED_BESIDE = (
    drive_messages.CAMERA_INFO,
    drive_messages.ODOMETRY,
    drive_messages.ROAD_STATE,
    drive_messages.SIRENS,
)
_CAMERA_TYPES = ('sensor_msgs/msg/CameraInfo', 'tf2_msgs/msg/TFMessage')
_CLOCK_HZ = 200
_DRAIN_S = 0.7
"""Longer than one inference, shorter than the period of the node's status, which never ends."""
_CHECK_S = 0.2


@dataclass(frozen=True, slots=True)
class Source:
    """What feeds the node.

    Attributes:
        node: Module under ``mm_fusion.nodes``.
        arguments: Of its command line, but for the file of its summary.
        summary: How the file of its summary is asked for.
        topics: Recorded besides the outputs.
        remappings: Topic of each input of the node that has another name.
        truth: Topic of true road states; empty where there is none.
        duration_s: Length of the drive.
    """

    node: str
    arguments: tuple[str, ...]
    summary: str
    topics: tuple[str, ...]
    remappings: Mapping[str, str]
    truth: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A recording of a live node.

    Attributes:
        recording: Folder of the recording, with the inputs and the outputs.
        played: The summary of what fed the node.
        recorded: The recorder's summary.
    """

    recording: Path
    played: Mapping[str, Any]
    recorded: Mapping[str, Any]


def recording_source(bag: Path, rate: float = 1.0, loops: int = 1) -> Source:
    """Play a recording.

    Raises:
        BagError: It cannot be read, or lacks every input.
    """
    with RawBag(bag) as recording:
        topics = match_topics(recording.types)
        truth = tuple(
            topic
            for topic, roles in topics.roles().items()
            if all(ROLE_MODALITIES[role] is None for role in roles)
        )
        views = (topic for topic, kind in recording.types.items() if kind in _CAMERA_TYPES)
        length_s = (recording.end_ns - recording.start_ns) / 1e9
        return Source(
            node='bag_player',
            arguments=(
                str(bag), '--by-role', '--subscribers', '2', '--clock', str(_CLOCK_HZ),
                '--rate', str(rate), '--loop', str(loops), '--wait', '30',
            ),
            summary='--summary',
            topics=(*INPUTS, *truth, *views),
            remappings={},
            truth=topics.road_state or '',
            duration_s=length_s * loops,
        )  # fmt: skip


def simulator_source(name: str, scenario: Scenario, rate: float = 1.0) -> Source:
    """Drive the embedded simulator.

    Args:
        name: Name or path of the scenario.
        scenario: The same, with the seed and the length that are wanted.
        rate: Speed against real time.
    """
    parameters = {
        'scenario': name,
        'seed': scenario.seed,
        'duration_s': float(scenario.duration_s),
        'rate': float(rate),
        'image_transport': 'compressed',
        'clock_rate_hz': float(_CLOCK_HZ),
        'subscribers': 2,
    }
    return Source(
        node='simulator_node',
        arguments=('--ros-args', *_parameters(parameters)),
        summary='summary',
        topics=(*_SIMULATED_INPUTS.values(), *_SIMULATED_BESIDE),
        remappings=_SIMULATED_INPUTS,
        truth=drive_messages.ROAD_STATE,
        duration_s=scenario.duration_s,
    )


def _parameters(values: Mapping[str, object]) -> list[str]:
    return [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]


def run_live(
    source: Source,
    folder: Path,
    *,
    bundle: Path,
    on_state: Callable[[Any], None] = lambda state: None,
) -> LiveRun:
    """Feed the fusion node and record inputs and outputs.

    Args:
        source: What feeds it.
        folder: Existing folder for the new recording, the logs and the summaries.
        bundle: Folder of the model bundle.
        on_state: Called, in a thread, with each state that ``live_monitor`` prints.

    Raises:
        MmFusionError: A process failed; the end of its log is in the message.
    """
    simulated = ['--ros-args', '-p', 'use_sim_time:=true']
    renamed = [w for name, topic in source.remappings.items() for w in ('-r', f'{name}:={topic}')]
    live, recorded = folder / 'live', folder / 'recorded.json'
    played = folder / 'played.json'
    request = (
        [source.summary, str(played)]
        if source.summary.startswith('-')
        else ['-p', f'{source.summary}:={played}']
    )
    with own_environment(folder) as environment, contextlib.ExitStack() as stack:

        def start(name: str, *arguments: str, **options: Any) -> NodeProcess:
            log = folder / f'{name}.log'
            process = NodeProcess(name, arguments, environment, log, **options)
            stack.callback(process.kill)
            return process

        node = start(
            'fusion_node', *simulated, *_parameters(
                {'node.autostart': 'true', 'inference.bundle': bundle}
            ), *renamed,
        )  # fmt: skip
        recorder = start(
            'bag_recorder', str(live), *source.topics, '--first', *OUTPUTS,
            '--drain', str(_DRAIN_S), '--summary', str(recorded), *simulated,
        )  # fmt: skip
        monitor = start('live_monitor', '--truth', source.truth, on_line=on_state)
        feeder = start(source.node, *source.arguments, *request)
        while not feeder.ended(_CHECK_S):
            for process in (node, recorder, monitor):
                process.check_running()
        # One that nobody listens to has done nothing wrong: the node's log says why.
        feeder.check_status(node)
        node.check_running()
        recorder.finish(signal.SIGINT)
        node.finish(signal.SIGINT)
        monitor.finish(signal.SIGINT)
    return LiveRun(live, json.loads(played.read_text()), json.loads(recorded.read_text()))
