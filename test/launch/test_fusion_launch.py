# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file, run by the real launch service where that is installed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from mm_fusion.ros.inputs import AUDIO_INFO, MODALITIES
from mm_fusion.ros.parameter_file import parameter_file
from mm_fusion.ros.simulator_profile import INPUT_ROLES
from support.launching import LAUNCH, launch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros

FILE = 'fusion.launch.py'


@pytest.mark.launch
def test_the_node_reaches_active_with_its_file_and_its_topics(
    bundle: Path, tmp_path: Path
) -> None:
    # With the types set, the node subscribes before anybody publishes.
    text = parameter_file().replace('image_type: "auto"', 'image_type: "sensor_msgs/msg/Image"')
    text = text.replace('fix_type: "auto"', 'fix_type: "sensor_msgs/msg/NavSatFix"')
    file = tmp_path / 'mine.yaml'
    file.write_text(text)
    done = launch(
        FILE,
        'active',
        f'bundle:={bundle}',
        f'params_file:={file}',
        'namespace:=car',
        'image_topic:=/camera/image_raw',
        '--subscribed=/camera/image_raw',
        '--subscribed=/car/fix',
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'bundle tiny 0.0.1' in done.stdout + done.stderr


@pytest.mark.launch
def test_without_autostart_the_node_waits(bundle: Path) -> None:
    done = launch(FILE, 'unconfigured', f'bundle:={bundle}', 'autostart:=false')
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.launch
def test_each_of_several_cameras_has_a_node_of_its_own(bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / 'mine.yaml'
    file.write_text(
        parameter_file().replace('image_type: "auto"', 'image_type: "sensor_msgs/msg/Image"')
    )
    for name in ('front', 'rear'):
        done = launch(
            FILE,
            'active',
            f'bundle:={bundle}',
            f'params_file:={file}',
            'cameras:=front=/front/image_raw rear=/rear/image_raw',
            f'--node=mm_fusion_{name}',
            f'--subscribed=/{name}/image_raw',
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.launch
def test_cameras_that_are_not_named_properly_are_all_refused() -> None:
    wrong = 'cameras:=/front/image a=/x a=/y'
    done = launch(FILE, 'active', wrong, '--patience=6')
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert "cameras: found '/front/image', expected NAME=TOPIC" in told
    assert "cameras: found 'a' twice" in told


@pytest.mark.launch
def test_a_missing_bundle_is_said_and_the_node_is_not_activated() -> None:
    done = launch(FILE, 'active', 'bundle:=/nowhere', '--patience=6')
    assert done.returncode == 1
    assert 'configure refused: /nowhere' in done.stdout + done.stderr


def strings_in(path: Path) -> set[object]:
    """Give every string in a Python file."""
    tree = ast.parse(path.read_text())
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def test_every_input_has_an_argument_to_remap_it() -> None:
    assert set(INPUT_ROLES) == {*MODALITIES, AUDIO_INFO}
    assert {f'{role}_topic' for role in (*INPUT_ROLES, 'clock')} <= strings_in(LAUNCH / FILE)
