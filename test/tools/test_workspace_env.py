# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Isolation of the workspace from a ROS that the calling shell has sourced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.workspace_env import ROOT, Workspace, without_foreign_ros, workspace_environment

SOURCED = {
    'AMENT_CURRENT_PREFIX': '/opt/ros/rolling',
    'AMENT_PREFIX_PATH': '/home/u/ws/install/a:/opt/ros/rolling',
    'CMAKE_PREFIX_PATH': '/home/u/ws/install/a',
    'COLCON_PREFIX_PATH': '/home/u/ws/install',
    'LD_LIBRARY_PATH': '/home/u/ws/install/a/lib:/opt/ros/rolling/lib:/usr/local/cuda/lib64',
    'PATH': '/opt/ros/rolling/bin:/home/u/ws/installer/bin:/usr/bin:/bin',
    'PYTHONPATH': '/opt/ros/rolling/lib/python3.12/site-packages',
    'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp',
    'ROS_DISTRO': 'rolling',
    'ROS_DOMAIN_ID': '7',
    'ROS_PYTHON_VERSION': '3',
    'ROS_VERSION': '2',
    'MAKEFLAGS': 'j',
    '_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1',
    'HOME': '/home/u',
}


def test_nothing_of_a_sourced_ros_remains_but_the_users_wishes() -> None:
    assert without_foreign_ros(SOURCED) == {
        'HOME': '/home/u',
        'LD_LIBRARY_PATH': '/usr/local/cuda/lib64',
        'PATH': '/home/u/ws/installer/bin:/usr/bin:/bin',
        'ROS_DOMAIN_ID': '7',
    }


def test_an_active_virtual_environment_is_left() -> None:
    active = {'VIRTUAL_ENV': '/home/u/venv', 'PATH': '/home/u/venv/bin:/usr/bin'}
    assert without_foreign_ros(active) == {'PATH': '/usr/bin'}


def test_the_workspace_comes_first_on_every_path(tmp_path: Path) -> None:
    workspace = Workspace('jazzy', tmp_path)
    bundled = workspace.venv / 'lib' / 'python3.12' / 'site-packages' / 'ros_rcl.libs'
    bundled.mkdir(parents=True)
    made = workspace_environment(workspace, SOURCED)
    venv, install = str(workspace.venv), str(workspace.install)
    assert made['ROS_DISTRO'] == 'jazzy'
    assert made['AMENT_PREFIX_PATH'].split(':') == [
        f'{install}/mm_fusion',
        f'{install}/mm_fusion_msgs',
        venv,
    ]
    assert made['LD_LIBRARY_PATH'].split(':') == [
        f'{install}/mm_fusion/lib',
        f'{install}/mm_fusion_msgs/lib',
        f'{venv}/lib',
        str(bundled),
        '/usr/local/cuda/lib64',
    ]
    assert made['PATH'].split(':')[:2] == [f'{install}/mm_fusion/lib/mm_fusion', f'{venv}/bin']
    assert '/opt/ros' not in json.dumps(made)
    assert 'RMW_IMPLEMENTATION' not in made


@pytest.mark.ros
def test_ros_comes_from_the_workspace_whatever_the_shell_has_sourced(tmp_path: Path) -> None:
    """Source a fake ROS whose rclpy and libraries break whatever loads them."""
    fake = tmp_path / 'opt' / 'ros'
    (fake / 'rclpy').mkdir(parents=True)
    (fake / 'rclpy' / '__init__.py').write_text('raise ImportError("the sourced ROS")\n')
    (fake / 'librcl.so').write_text('not a library\n')
    sourced = {
        **os.environ,
        'AMENT_PREFIX_PATH': str(fake),
        'LD_LIBRARY_PATH': str(fake),
        'PATH': f'{fake}:{os.environ["PATH"]}',
        'PYTHONPATH': str(fake),
        'RMW_IMPLEMENTATION': 'rmw_of_the_sourced_ros',
        'ROS_DISTRO': 'rolling',
    }
    code = (
        'import json, mm_fusion, mm_fusion_msgs.msg, os, rclpy, sys\n'
        'rclpy.init()\n'
        'print(json.dumps([rclpy.__file__, rclpy.get_rmw_implementation_identifier(),'
        ' os.environ["ROS_DISTRO"], sys.prefix]))'
    )
    done = subprocess.run(
        [str(ROOT / 'tools' / 'run'), 'python', '-c', code],
        env=sourced,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    file, rmw, distribution, prefix = json.loads(done.stdout)
    venv = Workspace(distribution).venv
    assert Path(file).is_relative_to(venv)
    assert (rmw, prefix) == ('rmw_fastrtps_cpp', str(venv))


def run_tool(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(root / 'tools' / 'run'), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_workspace_is_one_line_that_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / 'tools').mkdir()
    tool = tmp_path / 'tools' / 'run'
    tool.write_bytes((ROOT / 'tools' / 'run').read_bytes())
    tool.chmod(0o755)
    done = run_tool(tmp_path, 'true', ROS_WHEELS='jazzy')
    assert done.returncode == 1
    assert done.stderr == (
        'error: there is no workspace for jazzy: run make ROS_WHEELS=jazzy setup\n'
    )


def run_environment(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = str(ROOT / 'tools' / 'workspace_env.py')
    return subprocess.run(
        [sys.executable, '-S', '-E', script, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_distribution_is_refused() -> None:
    done = run_environment('true', ROS_WHEELS='foxy')
    assert done.returncode == 2
    assert done.stderr == "error: ROS_WHEELS is 'foxy', expected kilted or jazzy\n"


def test_a_command_that_is_not_there_is_named() -> None:
    done = run_environment('no-such-command', ROS_WHEELS='kilted')
    assert done.returncode == 127
    assert done.stderr == 'error: cannot run no-such-command: No such file or directory\n'


def test_the_status_of_the_command_is_handed_on() -> None:
    assert run_environment('sh', '-c', 'exit 42', ROS_WHEELS='kilted').returncode == 42
