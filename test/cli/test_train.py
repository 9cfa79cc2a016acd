# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""``mm_fusion train``, ``pretrain`` and ``export``: what they pass on, print and refuse."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from mm_fusion.cli import export as export_module
from mm_fusion.cli import pretrain as pretrain_module
from mm_fusion.cli import train as train_module
from mm_fusion.cli.training import command_line, read_sources
from mm_fusion.errors import DatasetError
from support.drives import write_circle
from support.labelled import write_roads

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
SETTINGS = """
network: {width: 0.25, token_size: 16, motion_steps: 20}
optimization:
  {epochs: 3, steps_per_epoch: 1, frozen_blocks: 0, sound_steps: 10, path_steps: 10}
data: {photographs: 2, bags: 2, motion_bags: 2, image_size: 32}
"""


def call(command: Callable[..., None], *words: object) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / 'tiny.yaml'
    path.write_text(SETTINGS)
    return path


@pytest.mark.torch
@pytest.mark.slow
def test_from_photographs_to_a_bundle_and_on(tmp_path: Path, settings: Path) -> None:
    from mm_fusion.runtime import Bundle
    from mm_fusion.training.checkpoint import LAST, load_checkpoint

    roads, run = write_roads(tmp_path / 'roads', 3), tmp_path / 'run'
    common = ['--config', settings, '--cache', tmp_path / 'cache', '--threads', 1]
    output = call(
        train_module.train, '--roads', roads, '--out', run, *common, '--epochs', 1, '--seed', 5,
        '--sources', ROOT / 'config' / 'training_sources.yaml',
    )  # fmt: skip
    assert 'friction_3' in output
    assert f'mm_fusion export {run}' in output.replace('\n', ' ')
    assert load_checkpoint(run / LAST)[1]['training']['seed'] == 5
    about = json.loads((run / 'run.json').read_text())
    expected = 'train --roads roads --config tiny.yaml --sources training_sources.yaml --seed 5'
    assert about['command'] == f'mm_fusion {expected} --epochs 1 --out run'

    bundle = tmp_path / 'mine'
    assert 'graphs agree with torch' in call(export_module.export, run, '--out', bundle)
    assert Bundle.load(bundle).manifest.name == 'mine'
    card = (bundle / 'MODEL_CARD.md').read_text(encoding='utf-8')
    assert 'remvze/moodist' in card
    assert str(tmp_path) not in card + (bundle / 'manifest.json').read_text()

    drives = [write_circle(tmp_path / n, inputs=('velocity', 'odometry')) for n in ('a', 'b')]
    call(
        train_module.train, '--from', bundle, '--bags', drives[0], '--validation-bags', drives[1],
        '--out', tmp_path / 'tuned', *common, '--epochs', 1, '--freeze-encoders',
    )  # fmt: skip
    meta = load_checkpoint(tmp_path / 'tuned' / LAST)[1]
    assert meta['training']['optimization']['freeze_encoders']
    assert meta['network']['width'] == 0.25
    assert str(tmp_path) not in (tmp_path / 'tuned' / 'run.json').read_text()
    metrics = json.loads((tmp_path / 'tuned' / 'metrics.json').read_text())
    assert [name.split()[0] for name in metrics['trajectory']['drives']] == ['b']
    # What the drives say nothing of is as the bundle has it.
    tuned = json.loads((tmp_path / 'tuned' / 'calibration.json').read_text())
    first = json.loads((run / 'calibration.json').read_text())
    assert tuned['temperatures']['friction'] == first['temperatures']['friction'] != 1.0


@pytest.mark.torch
def test_pre_training_leaves_a_start(tmp_path: Path, settings: Path) -> None:
    from mm_fusion.training.checkpoint import load_start

    drive = write_circle(tmp_path / 'drive', inputs=('image', 'velocity'), duration_s=3.0)
    output = call(
        pretrain_module.pretrain, '--bags', drive, '--out', tmp_path / 'run', '--config', settings,
        '--cache', tmp_path / 'cache', '--epochs', 1, '--threads', 1,
    )  # fmt: skip
    assert 'mm_fusion train --from' in output
    assert load_start(str(tmp_path / 'run')).network.config.motion_steps == 20


@pytest.mark.torch
def test_folds_are_none_or_several_and_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words: list[Any] = ['--roads', 'a', '--out', tmp_path / 'b', '--folds']
    with pytest.raises(DatasetError, match='found 1, expected 0 or at least 2'):
        call(train_module.train, *words, 1)
    monkeypatch.setenv('WORLD_SIZE', '2')
    with pytest.raises(DatasetError, match='found 2 processes of torchrun'):
        call(train_module.train, *words, 2)


def test_a_command_names_no_folder_of_this_machine() -> None:
    options = {
        'bags': [Path('/home/me/a b'), Path('/home/me/c')],
        'from': None,
        'freeze-encoders': True,
        'resume': False,
        'seed': 0,
    }
    assert (
        command_line('train', options)
        == "mm_fusion train --bags 'a b' --bags c --freeze-encoders --seed 0"
    )


def test_a_table_of_sources_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'sources.yaml'
    path.write_text('roads: [{name: no licence}]')
    with pytest.raises(DatasetError, match=r'sources\.yaml'):
        read_sources(path)
    assert read_sources(None) == {'sources': {}, 'limits': []}


@pytest.mark.parametrize(
    ('command', 'words'),
    [
        (train_module.train, ['--roads', 'a', '--out', 'b']),
        (pretrain_module.pretrain, ['--bags', 'a', '--out', 'b']),
        (export_module.export, ['a', '--out', 'b']),
    ],
)
def test_without_torch_it_says_what_to_install(
    command: Callable[..., None], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = ('mm_fusion.training', 'mm_fusion.export', 'mm_fusion.models')
    for name in [n for n in sys.modules if n.startswith(parts)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'onnx', None)
    monkeypatch.setitem(sys.modules, 'torch', None)
    with pytest.raises(DatasetError, match=r'requirements/train\.txt'):
        call(command, *words)
