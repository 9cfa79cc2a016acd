# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Rates rise and fall, groups get theirs, averages follow, what is frozen is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from mm_fusion.models.network import FusionNetwork

pytestmark = pytest.mark.torch


def tiny() -> FusionNetwork:
    from mm_fusion.models.network import build_network
    from support.learning import NETWORK

    return build_network(NETWORK, pretrained=False)


def test_the_rate_rises_straight_and_falls_as_a_cosine() -> None:
    from mm_fusion.training.config import OptimizationConfig
    from mm_fusion.training.optimization import rate_at

    config = OptimizationConfig(learning_rate=2.0, warm_up=0.2, least_rate=0.1)
    rates = [rate_at(done, config) for done in (0.0, 0.1, 0.2, 0.6, 1.0)]
    assert rates == pytest.approx([0.2, 1.0, 2.0, 1.0, 0.2])
    assert rate_at(0.0, OptimizationConfig(learning_rate=2.0, warm_up=0.0)) == 2.0


def test_every_parameter_is_in_one_group_and_only_matrices_decay() -> None:
    from torch import nn

    from mm_fusion.training.config import OptimizationConfig
    from mm_fusion.training.optimization import parameter_groups

    network, losses = tiny(), nn.Linear(2, 2)
    config = OptimizationConfig(
        camera_factor=0.5, microphone_factor=2.0, motion_factor=3.0, weight_decay=0.1
    )
    groups: list[dict[str, Any]] = parameter_groups(network, losses, config)
    found = {id(p): group for group in groups for p in group['params']}
    expected = [*network.parameters(), *losses.parameters()]
    assert len(found) == len(expected) == sum(len(group['params']) for group in groups)
    for name, factor in (('camera', 0.5), ('microphone', 2.0), ('motion', 3.0)):
        for parameter in network.encoders[name].parameters():
            assert found[id(parameter)]['factor'] == factor
    for parameter in (*network.fusion.parameters(), *losses.parameters()):
        assert found[id(parameter)]['factor'] == 1.0
    for parameter in expected:
        assert found[id(parameter)]['weight_decay'] == (0.1 if parameter.ndim > 1 else 0.0)


def test_more_blocks_than_there_are_cannot_be_frozen() -> None:
    from torch import nn

    from mm_fusion.training.config import OptimizationConfig
    from mm_fusion.training.optimization import first_blocks, freeze

    with pytest.raises(DatasetError, match=r'found 16 blocks .* at least 17'):
        freeze(tiny(), OptimizationConfig(frozen_blocks=17))
    with pytest.raises(DatasetError, match='Identity, which has no such blocks'):
        first_blocks(nn.Identity(), 1)
    everything = tiny()
    freeze(everything, OptimizationConfig(freeze_encoders=True, frozen_blocks=0))
    assert not any(p.requires_grad for p in everything.encoders.parameters())
    assert all(p.requires_grad for p in everything.fusion.parameters())


def test_an_average_follows_numbers_and_copies_counts() -> None:
    import torch
    from torch import nn

    from mm_fusion.training.optimization import follow

    average, model = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    with torch.no_grad():
        average.weight.fill_(1.0)
        model.weight.fill_(3.0)
    model(torch.randn(4, 1))
    follow(average, model, 0.75)
    assert float(average.weight.detach()) == pytest.approx(1.5)
    assert int(average.num_batches_tracked or 0) == 1
    follow(average, model, 0.0)
    assert float(average.weight.detach()) == 3.0
