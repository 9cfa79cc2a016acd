# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The second stage of a training: the path learns, and nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.run import Share

pytestmark = pytest.mark.torch


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Share:
    """A drive on a circle, without images and sound."""
    from mm_fusion.training.data.bags import BagSamples
    from mm_fusion.training.run import Share
    from support.drives import write_circle

    folder = tmp_path_factory.mktemp('drive')
    write_circle(folder / 'bag', duration_s=14.0, inputs=('velocity', 'odometry'))
    source = BagSamples([folder / 'bag'], cache=folder / 'cache')
    return Share(source, 'motion_bags', source.useful, np.array([], np.int64))


def configure(path_steps: int) -> TrainingConfig:
    from mm_fusion.training.config import training_config
    from support.learning import NETWORK_VALUES

    optimization = {
        'epochs': 1, 'steps_per_epoch': 1, 'frozen_blocks': 0, 'path_steps': path_steps,
    }  # fmt: skip
    values = {'network': NETWORK_VALUES, 'optimization': optimization, 'data': {'motion_bags': 8}}
    return training_config(values, 'test')


def train(share: Share, folder: Path, path_steps: int) -> FusionNetwork:
    from mm_fusion.training.run import train_run

    return train_run([share], configure(path_steps), folder)


def state(network: FusionNetwork) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = network.state_dict()
    return tensors


def test_the_path_alone_learns_and_is_what_the_run_leaves(drive: Share, tmp_path: Path) -> None:
    import torch

    from mm_fusion.training.checkpoint import load_start
    from mm_fusion.training.data.mixture import in_order
    from mm_fusion.training.losses import Losses
    from mm_fusion.training.objective import Supervised
    from mm_fusion.training.run import surface_weights

    plain, refined = state(train(drive, tmp_path / 'a', 0)), train(drive, tmp_path / 'b', 40)
    changed = {
        name for name, value in state(refined).items() if not torch.equal(value, plain[name])
    }
    assert changed
    assert all(name.startswith('path.') for name in changed)

    left = state(load_start(str(tmp_path / 'b')).network)
    assert all(torch.equal(left[name], value) for name, value in state(refined).items())

    config = configure(0).losses
    losses = Losses(config, surface_weights([(drive.source, drive.train, 8)], config))
    found = []
    for folder in ('a', 'b'):
        network = load_start(str(tmp_path / folder)).network.eval()
        batch = next(iter(in_order(drive.source, drive.train, 64)))
        with torch.no_grad():
            _, terms = Supervised(network, losses, bfloat16=False)(batch)
        found.append(float(terms['central_mode']))
    assert found[1] < found[0]


def test_a_finished_stage_is_not_run_again(drive: Share, tmp_path: Path) -> None:
    import torch

    first = state(train(drive, tmp_path, 5))
    before = (tmp_path / 'path' / 'last.safetensors').stat().st_mtime_ns
    again = state(train(drive, tmp_path, 5))
    assert (tmp_path / 'path' / 'last.safetensors').stat().st_mtime_ns == before
    assert all(torch.equal(again[name], value) for name, value in first.items())


def test_without_drives_there_is_no_stage(tmp_path: Path) -> None:
    from mm_fusion.training.run import Share, train_run
    from support.learning import TinySource

    source = TinySource(4, ('camera',), 'photographs')
    share = Share(source, 'photographs', np.arange(4), np.array([], np.int64))
    train_run([share], configure(5), tmp_path)
    assert not (tmp_path / 'path').exists()


def test_samples_of_motion_alone_have_nothing_else(drive: Share) -> None:
    from mm_fusion.training.data.bags import BagSamples

    assert isinstance(drive.source, BagSamples)
    sample = drive.source.motion_alone().sample(int(drive.train[0]), None)
    assert sample.image is None
    assert sample.audio is None
    assert sample.motion is not None
    assert sample.targets.trajectory is not None
