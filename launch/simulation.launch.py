# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Start the fusion node on a simulator, with what the simulator lacks.

ros2 launch mm_fusion simulation.launch.py simulator:=embedded scenario:=town seed:=7
ros2 launch mm_fusion simulation.launch.py simulator:=carla vehicle:=hero

The embedded simulator is started too; an external one is not, and has to run. The profile of the
simulator gives topics and parameters; the arguments of fusion.launch.py go before it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from mm_fusion.ros.simulator_profile import SOUND_ROLES, load_profile, profile_names

if TYPE_CHECKING:
    from launch import LaunchContext, LaunchDescriptionEntity

    from mm_fusion.ros.simulator_profile import SimulatorProfile

PROFILES = Path(__file__).resolve().parent.parent / 'config' / 'simulators'
FUSION = Path(__file__).resolve().with_name('fusion.launch.py')

SIMULATOR = (
    f'Profile of the simulator: {", ".join(profile_names(PROFILES))}, or a .yaml file; its '
    'parameters go before those of params_file'
)
SIMULATOR_NODE = (
    ('scenario', 'town', str, 'Embedded: name or path of a scenario, or random'),
    ('seed', '-1', int, 'Embedded: seed of the drive; -1 takes that of the scenario'),
    ('mode', 'real_time', str, 'Embedded: real_time, fast or lock_step'),
    ('rate', '1.0', float, 'Embedded: speed against real time, in the mode real_time'),
)
ARGUMENTS = (
    ('simulator', 'embedded', SIMULATOR),
    ('use_sim_time', 'true', 'Take the time from the clock of the simulator'),
    ('sound', 'auto', 'Synthesise a microphone: true, false, or auto for what the profile says'),
    ('odometry_topic', '', 'Odometry that the synthesised microphone follows'),
    ('objects_topic', '', 'Objects whose sound is synthesised'),
    *((name, default, text) for name, default, _, text in SIMULATOR_NODE),
)


def start_simulator(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Make the nodes that the simulator needs beside the fusion node."""

    def given(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    profile = load_profile(given('simulator'), PROFILES, given('vehicle'))
    nodes = []
    if profile.simulator_node:
        nodes.append(simulator_node(given('namespace')))
    sound = given('sound').lower()
    if sound == 'true' or (sound == 'auto' and profile.sound):
        topics = {role: given(f'{role}_topic') for role in (*SOUND_ROLES, 'clock')}
        nodes.append(sound_node(profile, topics, given('namespace')))
    return nodes


def simulator_node(namespace: str) -> Node:
    """Make the embedded simulator, which publishes under the names of its profile."""
    fusion = f'/{namespace}/mm_fusion'.replace('//', '/')
    parameters: dict[str, Any] = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, _, kind, _ in SIMULATOR_NODE
    }
    return Node(
        package='mm_fusion',
        executable='simulator_node',
        name='simulator',
        parameters=[{**parameters, 'wait_for': f'{fusion}/road_state'}],
        output='screen',
        emulate_tty=True,
    )


def sound_node(profile: SimulatorProfile, topics: dict[str, str], namespace: str) -> Node:
    """Make the microphone of a simulator that has none."""
    chosen = profile.remappings((*SOUND_ROLES, 'clock'))
    chosen.update({role: topic for role, topic in topics.items() if topic})
    chosen['/clock'] = chosen.pop('clock')
    return Node(
        package='mm_fusion',
        executable='sound_node',
        name='sound',
        namespace=namespace,
        parameters=[
            {'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)}
        ],
        remappings=list(chosen.items()),
        output='screen',
        emulate_tty=True,
    )


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, start the fusion node and what the simulator needs."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            # Before the others: it sets the transport for all, and declares what they read.
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(FUSION))),
            OpaqueFunction(function=start_simulator),
        ]
    )
