# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file of the simulators, run by the real launch service where that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.ros.parameter_file import parameter_file
from mm_fusion.ros.simulation_options import SimulationOptions
from support.launching import LAUNCH, launch
from support.simulator_profiles import PROFILES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.ros, pytest.mark.launch]

FILE = 'simulation.launch.py'
TYPES = {
    'image': 'sensor_msgs/msg/Image',
    'fix': 'sensor_msgs/msg/NavSatFix',
    'velocity': 'nav_msgs/msg/Odometry',
}


@pytest.fixture
def eager(tmp_path: Path) -> Path:
    """Give a parameter file with which the node subscribes before anybody publishes."""
    text = parameter_file()
    for role, kind in TYPES.items():
        text = text.replace(f'{role}_type: "auto"', f'{role}_type: "{kind}"')
    file = tmp_path / 'eager.yaml'
    file.write_text(text)
    return file


def declared() -> dict[str, Any]:
    """Give the arguments that ``ros2 launch --show-args`` lists."""
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(LAUNCH / FILE))
    return {item.name: item for item in description.get_launch_arguments()}


def default(argument: Any) -> str:
    return ''.join(part.text for part in argument.default_value)


def test_topics_clock_and_parameters_are_those_of_the_profile(bundle: Path, eager: Path) -> None:
    done = launch(
        FILE,
        'active',
        f'bundle:={bundle}',
        f'params_file:={eager}',
        'simulator:=gazebo',
        'vehicle:=prius',
        'sound:=false',
        'clock_topic:=/world/town/clock',
        'image_topic:=/front/image',
        '--subscribed=/world/town/clock',
        '--subscribed=/front/image',
        '--subscribed=/navsat',
        '--subscribed=/model/prius/odometry',
        '--parameter=use_sim_time=True',
        '--parameter=camera.horizontal_fov_deg=60.0',
        '--parameter=ego_filter.position_std_m=1.0',
        '--parameter=node.image_type=sensor_msgs/msg/Image',
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Gazebo with ros_gz_bridge: Where the bridge keeps the clock' in done.stdout


def test_the_embedded_simulator_is_started_and_heard(bundle: Path) -> None:
    # By default the node subscribes to what is published, so that the topics show both sides.
    done = launch(
        FILE,
        'active',
        f'bundle:={bundle}',
        'scenario:=town',
        'seed:=7',
        '--patience=60',
        '--subscribed=/camera/image_raw',
        '--subscribed=/audio',
        '--subscribed=/gnss/fix',
        '--subscribed=/vehicle/velocity',
        '--parameter=use_sim_time=True',
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'scenario town, seed 7' in done.stdout


def test_a_microphone_is_synthesised_where_there_is_none(bundle: Path) -> None:
    done = launch(FILE, 'active', f'bundle:={bundle}', 'simulator:=carla', '--patience=30')
    assert done.returncode == 0, done.stdout + done.stderr
    assert '[sound_node' in done.stdout
    assert 'process has died' not in done.stdout


def test_a_profile_of_ones_own_serves_as_well(bundle: Path, eager: Path, tmp_path: Path) -> None:
    mine = tmp_path / 'mine.yaml'
    text = (PROFILES / 'carla_native.yaml').read_text()
    mine.write_text(text.replace('position_std_m: 1.0', 'position_std_m: 0.25'))
    done = launch(
        FILE,
        'active',
        f'bundle:={bundle}',
        f'params_file:={eager}',
        f'simulator:={mine}',
        'namespace:=car',
        '--subscribed=/carla/hero/odometry',
        '--parameter=ego_filter.position_std_m=0.25',
        '--parameter=gnss.trust_unset_status=True',
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_simulator_that_is_not_known_is_named() -> None:
    done = launch(FILE, 'active', 'simulator:=lgsvl', '--patience=6')
    assert done.returncode == 1
    assert "found 'lgsvl', expected one of awsim, carla," in done.stdout + done.stderr


def test_every_argument_is_listed_with_its_meaning() -> None:
    arguments = declared()
    assert {'simulator', 'vehicle', 'sound', 'scenario', 'clock_topic'} <= set(arguments)
    assert all(argument.description for argument in arguments.values())
    assert default(arguments['simulator']) == 'embedded'
    assert default(arguments['use_sim_time']) == 'true'


def test_the_embedded_simulator_has_its_own_defaults() -> None:
    arguments = declared()
    options = SimulationOptions()
    for name in ('scenario', 'seed', 'mode', 'rate'):
        assert default(arguments[name]) == str(getattr(options, name))
