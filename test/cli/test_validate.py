# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion validate`` on tiny folders, by the tiny bundle whose outputs are known."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from mm_fusion.cli.validate import app
from mm_fusion.errors import BundleError, DatasetError
from support.bundles import write_tiny_bundle
from support.labelled import write_roads, write_sounds

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(write_tiny_bundle(tmp_path / 'bundle'))


def call(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_roads_are_scored_by_the_production_path(tmp_path: Path, bundle: str) -> None:
    folder = write_roads(tmp_path / 'roads', 3)
    result = tmp_path / 'result.json'
    output = call('roads', folder, '--bundle', bundle, '--json', result)
    document = json.loads(result.read_text())
    scores = document['scores']
    assert document['files'] == 9
    assert document['skipped'] == []
    assert scores['friction']['accuracy'] == 1.0
    assert scores['friction']['confusion_matrix'][5][5] == 3
    assert scores['friction_3']['examples'] == 6
    assert scores['material']['examples'] == 6
    for word in ('friction_3', 'material', 'unevenness', 'melted_snow', 'ECE', 'UAR'):
        assert word in output


def test_sounds_are_scored_at_the_published_threshold(tmp_path: Path, bundle: str) -> None:
    folder = write_sounds(tmp_path / 'sounds', 2)
    result = tmp_path / 'result.json'
    output = call('sounds', folder, '--bundle', bundle, '--json', result)
    scores = json.loads(result.read_text())['scores']
    assert scores['examples'] == 4
    assert scores['roc_auc'] == 1.0
    assert scores['true_positive_rate'] == 1.0
    assert scores['false_positive_rate_by_sublabel'] == {'wind': 0.0}
    assert 'ROC AUC 1.000' in output
    assert 'wind' in output


def test_files_that_cannot_be_read_are_counted_and_named(tmp_path: Path, bundle: str) -> None:
    folder = write_roads(tmp_path / 'roads', 2)
    (folder / 'images' / '1.jpg').write_bytes(b'\xff\xd8\xff truncated')
    (folder / 'images' / '4.jpg').unlink()
    result = tmp_path / 'result.json'
    output = call('roads', folder, '--bundle', bundle, '--json', result)
    document = json.loads(result.read_text())
    assert document['files'] == 4
    assert [line.partition(':')[0] for line in document['skipped']] == [
        'images/1.jpg',
        'images/4.jpg',
    ]
    assert '2 files could not be used' in output
    assert 'images/4.jpg' in output


def test_sounds_that_cannot_be_read_are_counted_and_named(tmp_path: Path, bundle: str) -> None:
    folder = write_sounds(tmp_path / 'sounds', 2)
    (folder / 'siren0.wav').write_bytes(b'no sound')
    output = call('sounds', folder, '--bundle', bundle)
    assert '3 files of' in output
    assert '1 files could not be used' in output
    assert 'siren0.wav' in output


def test_a_folder_of_nothing_readable_is_refused(tmp_path: Path, bundle: str) -> None:
    folder = write_roads(tmp_path / 'roads', 1)
    for path in (folder / 'images').iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match=r'no file that can be scored.*images/0\.jpg'):
        call('roads', folder, '--bundle', bundle)


def test_a_folder_or_bundle_that_is_not_there_is_refused(tmp_path: Path, bundle: str) -> None:
    with pytest.raises(DatasetError, match=r'labels\.csv'):
        call('sounds', tmp_path / 'nowhere', '--bundle', bundle)
    folder = write_roads(tmp_path / 'roads', 1)
    with pytest.raises(BundleError):
        call('roads', folder, '--bundle', tmp_path / 'no_bundle')


def test_validation_needs_no_torch() -> None:
    code = (
        'import sys; sys.modules["torch"] = None; '
        'import mm_fusion.cli.validate, mm_fusion.evaluation.labelled'
    )
    subprocess.run([sys.executable, '-W', 'error', '-c', code], check=True)
