# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion train``: what it passes on, prints and refuses."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mm_fusion.cli import train as module
from mm_fusion.errors import DatasetError
from support.labelled import write_roads, write_sounds

ROOT = Path(__file__).parents[2]


def call(*words: object) -> str:
    app = typer.Typer()
    app.command()(module.train)
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.torch
def test_a_bundle_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mm_fusion.runtime import Bundle
    from mm_fusion.training import recipe

    roads, sounds = write_roads(tmp_path / 'roads', 2), write_sounds(tmp_path / 'sounds', 3)
    tiny = functools.partial(recipe.Recipe, views=2, width=0.25, gate_epochs=1)
    monkeypatch.setattr(recipe, 'Recipe', tiny)
    monkeypatch.chdir(ROOT)
    out = tmp_path / 'tiny'
    words = ['--roads', roads, '--sounds', sounds, '--out', out, '--folds', 2]
    words += [
        '--threads',
        1,
        '--epochs',
        1,
        '--sound-epochs',
        1,
        '--sources',
        'config/training_sources.yaml',
    ]
    output = call(*words)
    bundle = Bundle.load(out)
    assert bundle.manifest.name == 'tiny'
    assert bundle.manifest.friction_coefficients['dry'] == (0.9, 0.06)
    command = 'mm_fusion train --roads roads --sounds sounds --out tiny --seed 0 --folds 2'
    assert command in output.replace('\n', ' ')
    assert str(tmp_path) not in (out / 'manifest.json').read_text()
    assert 'remvze/moodist' in (out / 'MODEL_CARD.md').read_text(encoding='utf-8')
    assert (tmp_path / 'tiny.work').is_dir()


@pytest.mark.torch
def test_a_table_of_sources_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'sources.yaml'
    path.write_text('roads: [{name: no licence}]')
    with pytest.raises(DatasetError, match=r'sources\.yaml'):
        call('--roads', 'a', '--sounds', 'b', '--out', tmp_path / 'c', '--sources', path)


def test_without_torch_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [
        n for n in sys.modules if n.startswith(('mm_fusion.training', 'mm_fusion.export'))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'onnx', None)
    monkeypatch.setitem(sys.modules, 'torch', None)
    with pytest.raises(DatasetError, match=r'requirements/train\.txt'):
        call('--roads', 'a', '--sounds', 'b', '--out', tmp_path / 'c')
