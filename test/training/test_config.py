# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a training: read, refused as a whole, and the shipped ones valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fusion.errors import SettingsError

pytestmark = pytest.mark.torch
SHIPPED = Path(__file__).parents[2] / 'config' / 'training'


@pytest.mark.parametrize('name', ['base', 'finetune', 'pretrain'])
def test_the_shipped_settings_are_valid(name: str) -> None:
    from mm_fusion.training.config import read_training_config

    assert read_training_config(SHIPPED / f'{name}.yaml').optimization.epochs > 1


def test_values_take_the_place_of_defaults(tmp_path: Path) -> None:
    from mm_fusion.training.config import TrainingConfig, read_training_config, training_config

    path = tmp_path / 'a.yaml'
    path.write_text('seed: 7\nnetwork: {fusion: gated}\nlosses: {siren: 2}\n')
    config = read_training_config(path)
    assert (config.seed, config.network.fusion, config.losses.siren) == (7, 'gated', 2.0)
    assert config.optimization == TrainingConfig().optimization
    assert training_config(config.to_dict(), 'again') == config


def test_every_problem_is_told_at_once() -> None:
    from mm_fusion.training.config import training_config

    values = {
        'sed': 1,
        'seed': -1,
        'network': {'fusion': 'magic'},
        'optimization': {'epochs': 0, 'rate': 1},
        'losses': [],
        'data': {'sound_balance': 'friction'},
    }
    with pytest.raises(SettingsError) as caught:
        training_config(values, 'a.yaml')
    told = '\n'.join(caught.value.problems)
    for part in (
        'a.yaml: sed: unknown key',
        'seed: found -1, expected 0 to',
        "fusion 'magic' is none of",
        'optimization.epochs: found 0, expected 1 to',
        'optimization.rate: unknown key',
        'losses: found [], expected a mapping',
        "data.sound_balance: found 'friction', expected one of",
    ):
        assert part in told
    assert len(caught.value.problems) == 7


@pytest.mark.parametrize('text', ['[1]', 'a: [', ''])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    from mm_fusion.training.config import read_training_config

    path = tmp_path / 'a.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=r'a\.yaml'):
        read_training_config(path)
    with pytest.raises(SettingsError, match='No such file'):
        read_training_config(tmp_path / 'b.yaml')
