# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The motion encoder: history in, one embedding out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.models.encoders.base import Encoder

pytestmark = pytest.mark.torch


def encoder(name: str) -> Encoder:
    import torch

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.encoders import build_encoder

    torch.manual_seed(0)
    return build_encoder('motion', NetworkConfig(motion_encoder=name))


def history() -> Tensor:
    import torch

    torch.manual_seed(1)
    return torch.randn(1, 8, 3) * torch.tensor([3.0, 0.2, 1.0]) + torch.tensor([8.0, 0.0, 0.0])


@pytest.mark.parametrize('name', ['gru', 'lstm'])
@pytest.mark.parametrize('row', [0, 7])
@pytest.mark.parametrize('column', [0, 1, 2])
def test_every_number_of_the_history_is_heard(name: str, row: int, column: int) -> None:
    import torch

    part, motion = encoder(name), history()
    changed = motion.clone()
    changed[0, row, column] += 0.5
    with torch.no_grad():
        difference = (part(motion) - part(changed)).abs().max()
    assert difference > 1e-6


def test_the_order_of_the_history_matters() -> None:
    import torch

    part, motion = encoder('gru'), history()
    swapped = motion[:, [1, 0, 2, 3, 6, 5, 4, 7]]
    with torch.no_grad():
        assert (part(motion) - part(swapped)).abs().max() > 1e-4


def test_names_build_what_they_say() -> None:
    import torch

    assert isinstance(encoder('gru').get_submodule('history'), torch.nn.GRU)
    assert isinstance(encoder('lstm').get_submodule('history'), torch.nn.LSTM)
