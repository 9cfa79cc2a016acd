# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Play a recording to the fusion node, record what it says, score that, and show it in RViz.

ros2 launch mm_fusion replay.launch.py bag:=drive out:=drive_replayed

The topics of the recording are matched to the inputs by their types, as by `mm_fusion inspect`;
the arguments of fusion.launch.py go before that. The launch ends with the report.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetLaunchConfiguration,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown, matches_action
from launch.events.process import SignalProcess
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.event_handlers import OnStateTransition

from mm_fusion.bags import match_topics
from mm_fusion.bags.raw import RawBag
from mm_fusion.errors import SettingsError

if TYPE_CHECKING:
    from launch import LaunchContext, LaunchDescriptionEntity

FUSION = Path(__file__).resolve().with_name('fusion.launch.py')
RVIZ = Path(__file__).resolve().parent.parent / 'config' / 'mm_fusion.rviz'
INPUTS = ('image', 'audio', 'audio_info', 'fix', 'velocity')
OUTPUTS = ('road_state', 'trajectory_prediction', 'path', 'status')
CLOCK_HZ = '100'
CONNECT_S = 3
"""`ros2 bag play` waits so long between making its publishers and the first message."""

TAIL_S = 2.0
"""Of silence, after which nothing more is awaited from the node."""

ARGUMENTS = (
    ('bag', None, 'Recording: a rosbag2 folder, .mcap or .db3 file'),
    ('rate', '1.0', 'Speed against that of the recording'),
    (
        'player',
        'ros2',
        'ros2: `ros2 bag play`; mm_fusion: the bag_player of this package, which needs no rosbag2 '
        'and publishes sound whose package is not installed as mm_fusion_msgs/AudioStamped',
    ),
    ('evaluate', 'true', 'Record inputs, truth and outputs, and score them at the end'),
    (
        'out',
        '',
        'Folder to make, for recording/ and report/; empty: replay_BAG in the current folder',
    ),
    ('rviz', 'auto', 'Start RViz: true, false, or auto where it is installed'),
    ('use_sim_time', 'true', 'Take the time from /clock, which the player publishes'),
)


def choose_topics(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Give the inputs that have no topic yet those of the recording."""
    given = context.launch_configurations
    return [
        SetLaunchConfiguration(f'{own[0]}_topic', topic)
        for topic, own in roles_of(Path(given['bag'])).items()
        if own[0] in INPUTS and not given.get(f'{own[0]}_topic')
    ]


def start_replay(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Start what belongs around the node."""
    given = {name: str(LaunchConfiguration(name).perform(context)) for name, _, _ in ARGUMENTS}
    given['namespace'] = context.launch_configurations.get('namespace', '')
    if given['player'] not in ('ros2', 'mm_fusion'):
        raise SettingsError([f'player: found {given["player"]!r}, expected ros2 or mm_fusion'])
    topics = tuple(roles_of(Path(given['bag'])))
    evaluate = given['evaluate'].lower() == 'true'
    player = player_of(given, topics, listeners=1 + evaluate)
    playing = OnStateTransition(goal_state='active', entities=[player], handle_once=True)
    after = scoring(given, topics, player) if evaluate else [ending(player)]
    return [RegisterEventHandler(playing), *after, *viewer(given['rviz'])]


def roles_of(bag: Path) -> dict[str, tuple[str, ...]]:
    """Match the topics of a recording to roles: the roles of each topic that has one."""
    with RawBag(bag) as raw:
        return dict(match_topics(raw.types).roles())


def player_of(given: dict[str, str], topics: tuple[str, ...], *, listeners: int) -> ExecuteProcess:
    """Make what plays the topics that have a role, so that no recorded output is played."""
    if given['player'] == 'mm_fusion':
        return Node(
            package='mm_fusion',
            executable='bag_player',
            arguments=[
                given['bag'], '--clock', CLOCK_HZ, '--rate', given['rate'],
                '--subscribers', str(listeners), '--wait', '30',
            ],
            output='screen',
        )  # fmt: skip
    return ExecuteProcess(
        cmd=[
            'ros2', 'bag', 'play', given['bag'], '--clock', CLOCK_HZ, '--rate', given['rate'],
            '--delay', str(CONNECT_S), '--disable-keyboard-controls', '--topics', *topics,
        ],
        output='screen',
    )  # fmt: skip


def scoring(
    given: dict[str, str], topics: tuple[str, ...], player: ExecuteProcess
) -> list[LaunchDescriptionEntity]:
    """Record from the start on; when the player ends, end the recording and score it."""
    out = Path(given['out'] or f'replay_{Path(given["bag"]).stem}')
    if out.exists():
        raise SettingsError([f'out: {out} is there already; name another folder'])
    out.mkdir(parents=True)
    node = f'/{given["namespace"].strip("/")}/mm_fusion'.replace('//', '/')
    recorder = Node(
        package='mm_fusion',
        executable='bag_recorder',
        arguments=[
            str(out / 'recording'), *topics, '--first', *(f'{node}/{name}' for name in OUTPUTS),
            '--drain', str(TAIL_S),
        ],
        parameters=[{'use_sim_time': given['use_sim_time'].lower() == 'true'}],
        output='screen',
    )  # fmt: skip
    score = ExecuteProcess(
        cmd=[
            sys.executable, '-m', 'mm_fusion.cli.main', 'evaluate', str(out / 'recording'),
            '--recorded', '--report', str(out / 'report'),
        ],
        output='screen',
    )  # fmt: skip
    stop = EmitEvent(
        event=SignalProcess(signal_number=signal.SIGINT, process_matcher=matches_action(recorder))
    )
    return [
        recorder,
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[stop])),
        RegisterEventHandler(OnProcessExit(target_action=recorder, on_exit=[score])),
        ending(score, delay_s=0.0),
    ]


def ending(last: ExecuteProcess, delay_s: float = TAIL_S) -> RegisterEventHandler:
    """End the launch after a process has ended."""
    shutdown = EmitEvent(event=Shutdown(reason='the replay has ended'))
    return RegisterEventHandler(
        OnProcessExit(
            target_action=last, on_exit=[TimerAction(period=delay_s, actions=[shutdown])]
        )
    )


def viewer(wish: str) -> list[LaunchDescriptionEntity]:
    """Make RViz, where it is wanted and there."""
    if wish.lower() == 'false':
        return []
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        if wish.lower() == 'true':
            raise
        return [LogInfo(msg='RViz is not installed: nothing is shown (rviz:=auto)')]
    arguments = ['-d', str(RVIZ)] if RVIZ.is_file() else []
    return [
        Node(
            package='rviz2',
            executable='rviz2',
            arguments=arguments,
            parameters=[{'use_sim_time': True}],
            output='log',
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, start everything."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            OpaqueFunction(function=choose_topics),
            # Before the others: it sets the transport for all, and declares what they read.
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(FUSION))),
            OpaqueFunction(function=start_replay),
        ]
    )
