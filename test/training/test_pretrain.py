# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Self-supervised learning: it finds what sensors share, and does not collapse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.training.config import TrainingConfig

pytestmark = pytest.mark.torch


def configure(**optimization: Any) -> TrainingConfig:
    from mm_fusion.training.config import training_config
    from support.learning import NETWORK_VALUES

    return training_config(
        {
            'network': NETWORK_VALUES,
            'optimization': {'frozen_blocks': 0, 'averaging': 0.5, **optimization},
            'data': {'bags': 6, 'hide_modality': 0.0},
        },
        'test',
    )


def test_one_direction_for_all_moments_is_no_way_out() -> None:
    import torch

    from mm_fusion.training.config import PretrainingConfig
    from mm_fusion.training.pretrain import CrossModalLosses

    torch.manual_seed(0)
    losses = CrossModalLosses(16, PretrainingConfig())
    same = torch.randn(1, 1, 16).expand(6, 3, 16)
    apart = torch.randn(6, 1, 16).expand(6, 3, 16)
    presence = torch.ones(6, 3)
    _, collapsed = losses(same, presence)
    assert float(collapsed['contrast'].detach()) == pytest.approx(np.log(6), rel=1e-4)
    for projector in losses.projectors.values():
        projector.load_state_dict(losses.projectors['camera'].state_dict())
    _, told_apart = losses(apart, presence)
    assert float(told_apart['contrast'].detach()) < 0.5 * np.log(6)


def test_absent_modalities_and_lone_ones_take_no_part() -> None:
    import torch

    from mm_fusion.training.config import PretrainingConfig
    from mm_fusion.training.pretrain import CrossModalLosses

    torch.manual_seed(0)
    losses = CrossModalLosses(16, PretrainingConfig())
    presence = torch.tensor([[1.0, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]])
    tokens = torch.randn(4, 3, 16)
    other = torch.where(presence[:, :, None] > 0, tokens, torch.randn(4, 3, 16))
    other[2] = torch.randn(3, 16)
    first, second = losses(tokens, presence)[1], losses(other, presence)[1]
    for name, term in first.items():
        assert float(term.detach()) == pytest.approx(float(second[name].detach())), name
    total, _ = losses(tokens, torch.zeros(4, 3))
    total.backward()
    assert float(total.detach()) == 0.0


def test_what_is_hidden_is_predicted_better_and_better(tmp_path: Path) -> None:
    from mm_fusion.training.checkpoint import LAST, load_checkpoint, load_start
    from mm_fusion.training.pretrain import pretrain_run
    from mm_fusion.training.run import Share
    from support.learning import TinySource

    source = TinySource(12)
    share = Share(source, 'bags', np.arange(12), np.array([], np.int64))
    config = configure(epochs=3, steps_per_epoch=15, learning_rate=3e-3, freeze_encoders=True)
    network = pretrain_run(share, config, tmp_path)
    history = load_checkpoint(tmp_path / LAST)[1]['history']
    assert history[-1]['train prediction'] < 0.6 * history[0]['train prediction']
    assert history[-1]['train contrast'] < history[0]['train contrast']
    start = load_start(str(tmp_path)).network
    for name, value in network.state_dict().items():
        assert np.array_equal(value.numpy(), start.state_dict()[name].numpy()), name


def test_encoders_learn_end_to_end(tmp_path: Path) -> None:
    import torch

    from mm_fusion.training.pretrain import pretrain_run
    from mm_fusion.training.run import Share, make_network
    from support.learning import TinySource

    share = Share(TinySource(6), 'bags', np.arange(6), np.array([], np.int64))
    config = configure(epochs=1, steps_per_epoch=1)
    network = pretrain_run(share, config, tmp_path)
    before = make_network(config, None).state_dict()
    for modality in ('camera', 'microphone', 'motion'):
        prefix = f'encoders.{modality}.'
        assert any(
            not torch.equal(value, before[name])
            for name, value in network.state_dict().items()
            if name.startswith(prefix)
        ), modality


def test_one_sensor_alone_is_refused(tmp_path: Path) -> None:
    from mm_fusion.training.pretrain import pretrain_run
    from mm_fusion.training.run import Share
    from support.learning import TinySource

    share = Share(TinySource(4, ('camera',)), 'bags', np.arange(4), np.array([], np.int64))
    with pytest.raises(DatasetError, match='no moment with two of camera, microphone, motion'):
        pretrain_run(share, configure(epochs=1, steps_per_epoch=1), tmp_path)
