# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Start the fusion node, configure and activate it.

ros2 launch mm_fusion fusion.launch.py params_file:=mine.yaml image_topic:=/camera/image_raw

Several cameras are several nodes of one launch:

ros2 launch mm_fusion fusion.launch.py cameras:="front=/front/image_raw rear=/rear/image_raw"

A simulator's profile (simulator:=carla) gives the topics and parameters that are not given here;
simulation.launch.py starts what belongs to it as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.conditions import IfCondition
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

from mm_fusion.errors import SettingsError
from mm_fusion.ros.simulator_profile import INPUT_ROLES, load_profile

if TYPE_CHECKING:
    from launch import LaunchContext, LaunchDescriptionEntity

    from mm_fusion.ros.simulator_profile import SimulatorProfile

CONFIG = Path(__file__).resolve().parent.parent / 'config'
PARAMS_FILE = CONFIG / 'fusion.param.yaml'
FAST_DDS_2 = ('humble', 'jazzy')
FAST_DDS = {
    # Fast DDS 2 knows the old name alone, and later ones warn of it.
    f'{"FASTRTPS" if os.environ.get("ROS_DISTRO") in FAST_DDS_2 else "FASTDDS"}'
    '_DEFAULT_PROFILES_FILE': str(CONFIG / 'fastdds_large_images.xml')
}
"""Without it Fast DDS loses large images; a profile that the user has set stays in force."""
PROFILES = {'FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'}
"""Either name: in Kilted the old one still works, so that whoever has set it means it."""

ARGUMENTS = (
    ('params_file', str(PARAMS_FILE), 'Parameter file of the node'),
    ('namespace', '', 'Namespace of the node and of its relative topics'),
    ('use_sim_time', 'false', 'Take the time from /clock, as for bags and simulators'),
    ('bundle', '', 'Model bundle; empty takes inference.bundle of the parameter file'),
    ('backend', '', 'Inference backend; empty takes inference.backend of the parameter file'),
    ('autostart', 'true', 'Configure and activate; false leaves that to a lifecycle manager'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
    ('large_images', 'true', 'Set the Fast DDS profile for large images; false leaves it alone'),
    (
        'simulator',
        '',
        'Profile of a simulator: a name in config/simulators, or a .yaml file; its parameters go '
        'before those of params_file',
    ),
    ('vehicle', '', "Name of the vehicle in the simulator's topics; empty takes the profile's"),
    ('image_topic', '', 'Camera, Image or CompressedImage'),
    (
        'cameras',
        '',
        'Several cameras, NAME=TOPIC each, with spaces between; the node of each is '
        'mm_fusion_NAME, and image_topic does not count',
    ),
    ('audio_topic', '', 'Microphone, AudioStamped or AudioDataStamped'),
    ('audio_info_topic', '', 'Format of the sound, for AudioDataStamped alone'),
    ('fix_topic', '', 'Position: NavSatFix, Pose, PoseStamped or PoseWithCovarianceStamped'),
    ('velocity_topic', '', 'Velocity: Twist, Odometry, VelocityReport or Float32'),
    ('clock_topic', '', 'Time, where use_sim_time is true'),
)
"""An empty topic is that of the profile, or else the name of the input: image, audio and so on."""


def start_node(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Make the node, with the parameters that were given beside those of the file."""
    given = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    profile = None
    if given['simulator']:
        profile = load_profile(given['simulator'], CONFIG / 'simulators', given['vehicle'])
    parameters: dict[str, object] = dict(profile.parameters) if profile else {}
    parameters.update(
        {f'inference.{name}': given[name] for name in ('bundle', 'backend') if given[name]}
    )
    # The launch file drives the lifecycle, so the node must not do so as well.
    parameters['node.autostart'] = False
    parameters['use_sim_time'] = given['use_sim_time'].lower() == 'true'
    topics = remappings(profile, given)
    entities: list[LaunchDescriptionEntity] = []
    for name, image in cameras_of(given['cameras']).items():
        own = [(role, topic) for role, topic in topics if role != 'image' or not image]
        node = LifecycleNode(
            package='mm_fusion',
            executable='fusion_node',
            name=name,
            namespace=given['namespace'],
            parameters=[given['params_file'], parameters],
            remappings=[*own, ('image', image)] if image else own,
            arguments=['--ros-args', '--log-level', given['log_level']],
            output='screen',
            emulate_tty=True,
        )
        activate, configure = start_up(node, IfCondition(given['autostart']))
        entities += [activate, node, configure]
    notes = [f'{profile.title}: {note}' for note in profile.notes] if profile else []
    wanted = given['large_images'].lower() == 'true'
    transport = FAST_DDS if wanted and not PROFILES & context.environment.keys() else {}
    return [
        *(SetEnvironmentVariable(name, value) for name, value in transport.items()),
        *(LogInfo(msg=note) for note in notes),
        *entities,
    ]


def start_up(
    node: LifecycleNode, condition: IfCondition
) -> tuple[RegisterEventHandler, EmitEvent]:
    """Give what activates a node once it is configured, and what configures it."""
    activate = OnStateTransition(
        target_lifecycle_node=node,
        start_state='configuring',
        goal_state='inactive',
        entities=[change(node, Transition.TRANSITION_ACTIVATE)],
    )
    configure = change(node, Transition.TRANSITION_CONFIGURE, condition=condition)
    return RegisterEventHandler(activate, condition=condition), configure


def cameras_of(text: str) -> dict[str, str]:
    """Give the topic of the camera by the name of the node; empty where that is not set here.

    Raises:
        SettingsError: A part is no NAME=TOPIC, or a name stands there twice.
    """
    if not text.strip():
        return {'mm_fusion': ''}
    nodes: dict[str, str] = {}
    problems = []
    for part in text.split():
        name, _, topic = part.partition('=')
        if not topic or not name.isidentifier():
            problems.append(f'cameras: found {part!r}, expected NAME=TOPIC')
        elif f'mm_fusion_{name}' in nodes:
            problems.append(f'cameras: found {name!r} twice')
        nodes[f'mm_fusion_{name}'] = topic
    if problems:
        raise SettingsError(problems)
    return nodes


def remappings(profile: SimulatorProfile | None, given: dict[str, str]) -> list[tuple[str, str]]:
    """Give the topics of the inputs: the arguments before the profile."""
    topics = profile.remappings((*INPUT_ROLES, 'clock')) if profile else {}
    for role in (*INPUT_ROLES, 'clock'):
        topics[role] = given[f'{role}_topic'] or topics.get(role, '')
    # The clock's own name is absolute.
    return [('/clock' if role == 'clock' else role, name) for role, name in topics.items() if name]


def change(
    node: LifecycleNode, transition: int, condition: IfCondition | None = None
) -> EmitEvent:
    """Ask the node for a transition."""
    event = ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
    return EmitEvent(event=event, condition=condition)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            OpaqueFunction(function=start_node),
        ]
    )
