# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording played, recorded and scored by one launch, under the real launch service."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.drives import write_circle
from support.launching import LAUNCH, launch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.ros, pytest.mark.launch]

FILE = 'replay.launch.py'
STAND_IN = """\
#!{python}
import os, sys
words = sys.argv[1:]
assert words[:2] == ['bag', 'play'], words
assert '--disable-keyboard-controls' in words and '--delay' in words, words
topics = words[words.index('--topics') + 1:]
assert '/velocity' in topics and all(topic.startswith('/') for topic in topics), words
pace = [words[words.index(name) + part] for name in ('--clock', '--rate') for part in (0, 1)]
player = [sys.executable, '-m', 'mm_fusion.nodes.bag_player', words[2], *pace]
os.execv(sys.executable, [*player, '--subscribers', '2', '--wait', '30'])
"""
"""Takes the command line of `ros2 bag play`, which is nowhere on PyPI, and plays the recording."""


@pytest.fixture
def circle(tmp_path: Path) -> Path:
    return write_circle(tmp_path / 'circle', duration_s=4.0)


def test_a_recording_is_played_recorded_and_scored(
    bundle: Path, circle: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    done = launch(
        FILE,
        'finalized',
        f'bag:={circle}',
        f'out:={out}',
        f'bundle:={bundle}',
        'player:=mm_fusion',
        'rate:=2.0',
        'rviz:=false',
        '--patience=80',
    )
    told = done.stdout + done.stderr
    assert (out / 'report' / 'index.html').is_file(), told
    assert (out / 'recording' / 'metadata.yaml').is_file()
    assert '/mm_fusion/road_state' in (out / 'recording' / 'metadata.yaml').read_text()
    # The launch ended by itself, and took the node along.
    assert '[fusion_node-1]: process has finished cleanly' in told


def test_rosbag2_is_called_with_the_topics_that_have_a_role(
    bundle: Path, circle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / 'bin'
    programs.mkdir()
    (programs / 'ros2').write_text(STAND_IN.format(python=sys.executable))
    (programs / 'ros2').chmod(0o755)
    monkeypatch.setenv('PATH', f'{programs}{os.pathsep}{os.environ["PATH"]}')
    out = tmp_path / 'out'
    done = launch(
        FILE,
        'finalized',
        f'bag:={circle}',
        f'out:={out}',
        f'bundle:={bundle}',
        '--patience=80',
    )
    told = done.stdout + done.stderr
    assert (out / 'report' / 'index.html').is_file(), told
    assert 'AssertionError' not in told


def test_a_folder_that_is_there_is_not_written_into(circle: Path) -> None:
    done = launch(FILE, 'active', f'bag:={circle}', f'out:={circle}', '--patience=10')
    assert 'is there already' in done.stdout + done.stderr


def test_every_argument_is_listed_with_its_meaning() -> None:
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(LAUNCH / FILE))
    arguments: dict[str, Any] = {item.name: item for item in description.get_launch_arguments()}
    assert {'bag', 'out', 'player', 'rviz', 'image_topic', 'bundle', 'cameras'} <= set(arguments)
    assert all(argument.description for argument in arguments.values())
    assert arguments['bag'].default_value is None
