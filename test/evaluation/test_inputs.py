# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.errors import SettingsError
from mm_fusion.evaluation.inputs import read_settings, read_topics
from mm_fusion.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> Path:
    path = folder / 'file.yaml'
    path.write_text(text, encoding='utf-8')
    return path


def test_no_file_gives_the_defaults() -> None:
    assert read_settings(None) == Settings()


@pytest.mark.parametrize(
    'text',
    [
        'alignment: {deadline_s: 0.2}',
        'alignment.deadline_s: 0.2',
        '/**: {ros__parameters: {alignment: {deadline_s: 0.2}}}',
    ],
)
def test_plain_flat_and_ros_files_are_read_alike(tmp_path: Path, text: str) -> None:
    assert read_settings(written(tmp_path, text)).alignment.deadline_s == 0.2


@pytest.mark.parametrize(
    ('text', 'problem'),
    [
        ('alignment: {deadlin_s: 0.2}', 'deadlin_s: unknown parameter'),
        ('alignment: {deadline_s: 9}', 'expected 0 to 2'),
        ('- 1', 'expected a mapping, found list'),
        ('a: [', 'line 1, column 5: while parsing a flow node'),
        ('audio: {channels: 1, channels: 2}', "found 'channels' twice"),
        ('/**: {ros__parameters: 3}', 'expected a mapping under ros__parameters'),
    ],
)
def test_refused_settings_name_file_and_problem(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(written(tmp_path, text))
    assert problem in str(caught.value)
    assert 'file.yaml' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r'absent\.yaml: cannot be read'):
        read_topics(tmp_path / 'absent.yaml')


def test_topics_are_texts(tmp_path: Path) -> None:
    path = written(tmp_path, 'image: /front\nodometry: ""')
    assert read_topics(path) == {'image': '/front', 'odometry': ''}
    with pytest.raises(SettingsError, match='image: found 3'):
        read_topics(written(tmp_path, 'image: 3'))
