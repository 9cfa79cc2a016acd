# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The trainer: it learns, resumes bit by bit, stops when it should, and keeps what is good."""

from __future__ import annotations

import csv
import dataclasses
import errno
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.trainer import Trainer

pytestmark = pytest.mark.torch


class StopHereError(Exception):
    """Stands for a run that was killed."""


def configure(losses: dict[str, Any] | None = None, **optimization: Any) -> TrainingConfig:
    from mm_fusion.training.config import training_config
    from support.learning import NETWORK_VALUES

    values = {'epochs': 3, 'steps_per_epoch': 2, 'learning_rate': 3e-3, 'averaging': 0.5}
    values |= {'frozen_blocks': 0}
    return training_config(
        {
            'seed': 3,
            'network': NETWORK_VALUES,
            'optimization': {**values, **optimization},
            'losses': losses or {},
        },
        'test',
    )


def trainer(
    folder: Path,
    config: TrainingConfig,
    *,
    broken: int | None = None,
    stop_after: int | None = None,
    held_out: bool = False,
) -> Trainer:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.data.mixture import Mixture, Part
    from mm_fusion.training.distributed import World
    from mm_fusion.training.losses import Losses
    from mm_fusion.training.objective import Supervised
    from mm_fusion.training.run import surface_weights
    from mm_fusion.training.trainer import Trainer
    from mm_fusion.training.validation import Validation
    from support.learning import TinySource

    source = TinySource(broken=broken)
    chosen = np.arange(8)
    part = Part(source, chosen, 4)
    torch.manual_seed(config.seed)
    network = build_network(config.network, pretrained=False)

    def progress(job: str, done: int, total: int) -> None:
        steps = config.optimization.steps_per_epoch
        assert (job, total) == ('training', steps * config.optimization.epochs)
        if done == stop_after:
            raise StopHereError

    losses = Losses(config.losses, surface_weights([(source, chosen, 8)], config.losses))
    return Trainer(
        Supervised(network, losses, bfloat16=config.optimization.bfloat16),
        Mixture([part], config.optimization.steps_per_epoch, config.seed),
        Validation([(source, np.arange(8, 12))], losses) if held_out else None,
        config,
        folder,
        World(0, 1, torch.device('cpu')),
        {source.name: source.fingerprint},
        progress,
    )


def assert_equal(first: FusionNetwork, second: FusionNetwork) -> None:
    for name, value in first.state_dict().items():
        assert np.array_equal(value.numpy(), second.state_dict()[name].numpy()), name


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FusionNetwork]:
    folder = tmp_path_factory.mktemp('whole')
    return folder, trainer(folder, configure({'uncertainty': True}), held_out=True).fit()


@pytest.mark.parametrize('stop_after', [3, 4, 5])
def test_a_stopped_run_goes_on_to_the_same_result(
    whole: tuple[Path, FusionNetwork], tmp_path: Path, stop_after: int
) -> None:
    config = configure({'uncertainty': True})
    with pytest.raises(StopHereError):
        trainer(tmp_path, config, stop_after=stop_after, held_out=True).fit()
    resumed = trainer(tmp_path, config, held_out=True).fit()
    assert_equal(whole[1], resumed)

    from mm_fusion.training.checkpoint import LAST, load_checkpoint

    expected, _ = load_checkpoint(whole[0] / LAST)
    found, meta = load_checkpoint(tmp_path / LAST)
    assert meta['epoch'] == 3
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert np.array_equal(value.numpy(), found[name].numpy()), name


def test_it_learns_and_draws_its_curves(tmp_path: Path) -> None:
    config = configure(epochs=4, steps_per_epoch=6, learning_rate=1e-2, camera_factor=1.0)
    network = trainer(tmp_path, config, held_out=True).fit()
    assert not network.training
    with (tmp_path / 'curves.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [float(row['epoch']) for row in rows] == [1, 2, 3, 4]
    assert float(rows[-1]['train loss']) < 0.7 * float(rows[0]['train loss'])
    assert float(rows[-1]['validation minADE m']) < float(rows[0]['validation minADE m'])
    assert float(rows[-1]['rate']) < 1e-3
    assert (tmp_path / 'curves.png').read_bytes().startswith(b'\x89PNG')


@pytest.mark.parametrize(('every_s', 'expected'), [(0.0, [1, 2, 2]), (1e6, [2])])
def test_curves_are_drawn_now_and_then_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every_s: float, expected: list[int]
) -> None:
    from mm_fusion.training import trainer as module

    drawn: list[int] = []
    monkeypatch.setattr(module, '_DRAW_EVERY_S', every_s)
    monkeypatch.setattr(module, 'draw_curves', lambda _, history: drawn.append(len(history)))
    trainer(tmp_path, configure(epochs=2, steps_per_epoch=1)).fit()
    assert drawn == expected


def test_it_stops_without_progress_and_gives_the_best_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mm_fusion.training.checkpoint import BEST, load_checkpoint
    from mm_fusion.training.validation import Validation

    losses = iter([3.0, 1.0, 2.0, 1.5, 0.5])
    seen: list[dict[str, Any]] = []

    def look(_self: Validation, network: FusionNetwork) -> dict[str, float]:
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return {'loss': next(losses)}

    monkeypatch.setattr(Validation, 'look', look)
    found = trainer(tmp_path, configure(epochs=9, patience=2), held_out=True).fit()
    assert len(seen) == 4
    for name, value in found.state_dict().items():
        assert np.array_equal(value.numpy(), seen[1][name].numpy()), name
    assert load_checkpoint(tmp_path / BEST)[1]['epoch'] == 2


def test_a_loss_that_is_no_number_names_the_batch(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'not finite.*step \d.*tiny: number 5'):
        trainer(tmp_path, configure(), broken=5).fit()


def test_a_full_disk_leaves_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mm_fusion.training.checkpoint import LAST, load_checkpoint

    with pytest.raises(StopHereError):
        trainer(tmp_path, configure(), stop_after=3).fit()
    before = (tmp_path / LAST).read_bytes()

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(DatasetError, match=r'the disk is full; the last good .* is kept'):
        trainer(tmp_path, configure()).fit()
    assert (tmp_path / LAST).read_bytes() == before
    assert not list(tmp_path.glob('*.partial'))
    monkeypatch.undo()
    trainer(tmp_path, configure()).fit()
    assert load_checkpoint(tmp_path / LAST)[1]['epoch'] == 3


def test_the_checkpoint_of_another_training_is_refused(
    whole: tuple[Path, FusionNetwork],
) -> None:
    other = dataclasses.replace(configure({'uncertainty': True}), seed=4)
    with pytest.raises(DatasetError, match=r'another training \(training differs\)'):
        trainer(whole[0], other, held_out=True).fit()


def test_frozen_parts_keep_their_weights(tmp_path: Path) -> None:
    import torch

    from mm_fusion.models.network import build_network

    config = configure(epochs=1, frozen_blocks=3)
    found = trainer(tmp_path / 'blocks', config).fit().state_dict()
    torch.manual_seed(config.seed)
    before = build_network(config.network, pretrained=False).state_dict()
    moved = {name for name, value in found.items() if not torch.equal(value, before[name])}
    assert not [name for name in moved if name.startswith('encoders.camera.stem')]
    assert not [name for name in moved if name.startswith('encoders.camera.blocks.2.')]
    assert [name for name in moved if name.startswith('encoders.camera.blocks.3.')]

    found = trainer(tmp_path / 'all', configure(epochs=1, freeze_encoders=True)).fit().state_dict()
    moved = {name for name, value in found.items() if not torch.equal(value, before[name])}
    assert moved
    assert not [name for name in moved if name.startswith('encoders.')]
