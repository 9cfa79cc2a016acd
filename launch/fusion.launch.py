# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Start the fusion node, configure and activate it.

ros2 launch mm_fusion fusion.launch.py params_file:=mine.yaml image_topic:=/camera/image_raw
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler
from launch.conditions import IfCondition
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

if TYPE_CHECKING:
    from launch import LaunchContext, LaunchDescriptionEntity

CONFIG = Path(__file__).resolve().parent.parent / 'config'
PARAMS_FILE = CONFIG / 'fusion.param.yaml'
FAST_DDS_2 = ('humble', 'jazzy')
FAST_DDS = {
    # Fast DDS 2 knows the old name alone, and later ones warn of it.
    f'{"FASTRTPS" if os.environ.get("ROS_DISTRO") in FAST_DDS_2 else "FASTDDS"}'
    '_DEFAULT_PROFILES_FILE': str(CONFIG / 'fastdds_large_images.xml')
}
"""Without it Fast DDS loses large images; a profile that the user has set stays in force."""

ARGUMENTS = (
    ('params_file', str(PARAMS_FILE), 'Parameter file of the node'),
    ('namespace', '', 'Namespace of the node and of its relative topics'),
    ('use_sim_time', 'false', 'Take the time from /clock, as for bags and simulators'),
    ('bundle', '', 'Model bundle; empty takes inference.bundle of the parameter file'),
    ('backend', '', 'Inference backend; empty takes inference.backend of the parameter file'),
    ('autostart', 'true', 'Configure and activate; false leaves that to a lifecycle manager'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
    ('image_topic', 'image', 'Camera: Image or CompressedImage'),
    ('audio_topic', 'audio', 'Microphone: AudioStamped or AudioDataStamped'),
    ('audio_info_topic', 'audio_info', 'Format of the sound, for AudioDataStamped alone'),
    ('fix_topic', 'fix', 'Position: NavSatFix, PoseStamped or PoseWithCovarianceStamped'),
    ('velocity_topic', 'velocity', 'Twist, Odometry, VelocityReport or Float32'),
)
TOPICS = ('image', 'audio', 'audio_info', 'fix', 'velocity')


def start_node(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Make the node, with the parameters that were given beside those of the file."""
    # The launch file drives the lifecycle, so the node must not do so as well.
    parameters: dict[str, object] = {'node.autostart': False}
    for argument in ('bundle', 'backend'):
        value = LaunchConfiguration(argument).perform(context)
        if value:
            parameters[f'inference.{argument}'] = value
    parameters['use_sim_time'] = (
        LaunchConfiguration('use_sim_time').perform(context).lower() == 'true'
    )
    node = LifecycleNode(
        package='mm_fusion',
        executable='fusion_node',
        name='mm_fusion',
        namespace=LaunchConfiguration('namespace'),
        parameters=[LaunchConfiguration('params_file'), parameters],
        remappings=[(topic, LaunchConfiguration(f'{topic}_topic')) for topic in TOPICS],
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        additional_env={} if FAST_DDS.keys() & context.environment.keys() else FAST_DDS,
        output='screen',
        emulate_tty=True,
    )
    autostart = IfCondition(LaunchConfiguration('autostart'))
    activate = RegisterEventHandler(
        OnStateTransition(
            target_lifecycle_node=node,
            start_state='configuring',
            goal_state='inactive',
            entities=[change(node, Transition.TRANSITION_ACTIVATE)],
        ),
        condition=autostart,
    )
    configure = change(node, Transition.TRANSITION_CONFIGURE, condition=autostart)
    return [activate, node, configure]


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
