# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One training: what a batch holds, where it starts, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.run import Share

pytestmark = pytest.mark.torch


def configure(data: dict[str, Any] | None = None, **optimization: Any) -> TrainingConfig:
    from mm_fusion.training.config import training_config
    from support.learning import NETWORK_VALUES

    values = {'epochs': 1, 'steps_per_epoch': 1, 'frozen_blocks': 0, **optimization}
    return training_config(
        {'network': NETWORK_VALUES, 'optimization': values, 'data': data or {}}, 'test'
    )


def share(kind: str, modalities: Sequence[str], train: int, held_out: int = 0) -> Share:
    from mm_fusion.training.run import Share
    from support.learning import TinySource

    source = TinySource(train + held_out, modalities, kind)
    return Share(source, kind, np.arange(train), np.arange(train, train + held_out))


def drawn(config: TrainingConfig, shares: Sequence[Share]) -> list[dict[str, int]]:
    import torch

    from mm_fusion.training.distributed import World
    from mm_fusion.training.progress import silent
    from mm_fusion.training.run import make_mixture, make_network

    world = World(0, 1, torch.device('cpu'))
    mixture = make_mixture(make_network(config, None), shares, config, world, silent)
    batches = []
    for batch in mixture.loader(0):
        names = [name.split(':')[0] for name in batch.sources]
        batches.append({name: names.count(name) for name in names})
    return batches


@pytest.mark.parametrize('freeze', [False, True])
def test_a_batch_has_its_share_of_each_kind(freeze: bool) -> None:
    config = configure(
        {'photographs': 3, 'sounds': 2, 'bags': 0, 'motion_bags': 4},
        steps_per_epoch=0,
        freeze_encoders=freeze,
    )
    shares = [
        share('photographs', ('camera',), 7),
        share('sounds', ('microphone',), 4),
        share('bags', ('camera', 'motion'), 4),
        share('motion_bags', ('motion',), 4),
    ]
    # Three steps until each of seven photographs was seen; no moments of drives with a camera.
    assert drawn(config, shares) == [{'photographs': 3, 'sounds': 2, 'motion_bags': 4}] * 3


def test_it_goes_on_from_a_start_and_resumes(tmp_path: Path) -> None:
    import torch

    from mm_fusion.training.run import make_network, train_run

    config = configure({'photographs': 2}, learning_rate=1e-6)
    shares = [share('photographs', ('camera',), 4, 2)]
    start = make_network(configure(epochs=3), None)
    with torch.no_grad():
        for parameter in start.parameters():
            parameter.add_(0.01)
    told: list[tuple[str, int, int]] = []
    network = train_run(
        shares, config, tmp_path, start=start, progress=lambda *step: told.append(step)
    )
    assert told == [('training', 1, 1)]
    for name, value in start.state_dict().items():
        assert network.state_dict()[name].numpy() == pytest.approx(value.numpy(), abs=1e-4), name
    again = train_run(shares, config, tmp_path, start=start, progress=lambda *s: told.append(s))
    assert len(told) == 1
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_other_data_are_another_training(tmp_path: Path) -> None:
    from mm_fusion.training.run import train_run

    config = configure({'photographs': 2})
    train_run([share('photographs', ('camera',), 4)], config, tmp_path)
    with pytest.raises(DatasetError, match=r'another training \(data differs\)'):
        train_run([share('photographs', ('camera',), 5)], config, tmp_path)


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    from mm_fusion.training.run import train_run

    with pytest.raises(DatasetError, match='no sample to learn from'):
        train_run([share('photographs', ('camera',), 0, 2)], configure(), tmp_path)
    with pytest.raises(DatasetError, match='batches of no sample'):
        train_run([share('photographs', ('camera',), 2)], configure({'photographs': 0}), tmp_path)


def test_a_class_with_one_sample_can_be_learned_from(tmp_path: Path) -> None:
    from mm_fusion.training.checkpoint import LAST, load_checkpoint
    from mm_fusion.training.run import train_run

    # Of three photographs, numbers 0 and 2 are dry, and number 1 alone is wet.
    train_run(
        [share('photographs', ('camera',), 3, 1)],
        configure({'photographs': 3, 'photograph_balance': 'friction'}),
        tmp_path,
    )
    history = load_checkpoint(tmp_path / LAST)[1]['history']
    assert np.isfinite(history[0]['validation loss'])


def test_a_history_that_is_too_short_is_refused(tmp_path: Path) -> None:
    import dataclasses

    from mm_fusion.training.run import train_run

    config = configure({'motion_bags': 2})
    longer = dataclasses.replace(
        config, network=dataclasses.replace(config.network, motion_steps=60)
    )
    with pytest.raises(DatasetError, match=r'motion_steps: found 40 .* at least 60'):
        train_run([share('motion_bags', ('motion',), 4)], longer, tmp_path)


def test_a_source_weighs_classes_by_its_share_of_a_batch() -> None:
    from mm_fusion.training.losses import class_weights
    from mm_fusion.training.run import surface_weights
    from support.learning import TinySource

    config = configure().losses
    few, many = TinySource(4, ('camera',)), TinySource(400, ('camera',))
    counts = np.zeros(6)
    counts[few.targets['friction'][0]] += 3.0  # every sample of the first is of one class
    for index in range(2):
        counts[many.targets['friction'][index]] += 0.5  # the second's alternate
    same = np.flatnonzero(few.targets['friction'] == few.targets['friction'][0])
    found = surface_weights([(few, same, 3), (many, np.arange(400), 1)], config)['friction']
    expected = class_weights(counts, config.friction_power, config.most_class_weight)
    assert found.tolist() == pytest.approx(expected.tolist())
