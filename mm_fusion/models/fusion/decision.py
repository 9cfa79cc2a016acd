# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Decision fusion: each modality decides by itself, and the decisions are multiplied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mm_fusion.models.fusion.base import Fusion, road_weights
from mm_fusion.models.heads import (
    HIGHEST_FRICTION,
    LOG_STD_BOUNDS,
    TASK_SIZES,
    TASKS,
    Heads,
    initial_log_sigma,
)
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRIOR_LOG_SIGMA = 3.0


class DecisionFusion(Fusion):
    """Multiply the posteriors of the modalities that are present.

    This is a product of experts (Hinton, 2002). Each factor is raised to a learned power, the
    inverse of a temperature, for each modality and task. Training balances the classes, so the
    prior is uniform and need not be divided out. The Gaussians of the same mode multiply to the
    precision-weighted mean; a very wide one, about the roll-out, stands for no modality at all. A
    modality's share of a task is its power's.
    """

    log_sigma: Tensor

    def __init__(self, embedding_sizes: Mapping[str, int], token_size: int) -> None:
        super().__init__(embedding_sizes, token_size)
        self.heads = nn.ModuleDict({name: Heads(token_size) for name in NETWORK_MODALITIES})
        self.log_temperature = nn.Parameter(torch.zeros(len(NETWORK_MODALITIES), len(TASKS)))
        prior = initial_log_sigma() + _PRIOR_LOG_SIGMA
        self.register_buffer('log_sigma', prior, persistent=False)

    def fuse_tokens(
        self, tokens: Tensor, presence: Tensor, votes: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Predict every task from the modalities that are present, as ``Fusion`` says."""
        decisions = []
        for index, name in enumerate(NETWORK_MODALITIES):
            own = {task: votes[task][:, index] for task in TASK_SIZES}
            decisions.append(self.heads[name](dict.fromkeys(TASKS, tokens[:, index]), own))
        powers = torch.exp(-self.log_temperature) * presence.unsqueeze(2)  # (batch, 3, tasks)
        power = dict(zip(TASKS, torch.split(powers, 1, dim=2), strict=True))

        def stacked(key: str) -> Tensor:
            return torch.stack([decision[key] for decision in decisions], dim=1)

        outputs = {task: (stacked(task) * power[task]).sum(dim=1) for task in TASK_SIZES}
        outputs['friction_coefficient'] = _fuse_scalars(
            stacked('friction_coefficient'), power['friction_coefficient']
        )
        outputs['modes'] = (stacked('modes') * power['trajectory']).sum(dim=1)
        outputs['trajectory'] = _fuse_paths(
            stacked('trajectory'), power['trajectory'][:, :, :, None], self.log_sigma
        )
        total = powers.sum(dim=1, keepdim=True)
        # Without any modality every power is 0, and so is every share.
        shares = powers / torch.where(total > 0.0, total, 1.0)
        return {**outputs, 'modality_weights': road_weights(shares.transpose(1, 2))}


def _fuse_scalars(votes: Tensor, powers: Tensor) -> Tensor:
    """Multiply Gaussians of (batch, n, 2), mean and log deviation, by (batch, n, 1) powers.

    A prior about the middle, as wide as the bound allows, is one more factor.
    """
    low, high = LOG_STD_BOUNDS
    mean, log_std = torch.split(votes, 1, dim=2)
    precision = torch.exp(-2.0 * log_std) * powers
    prior = torch.exp(torch.full_like(precision[:, 0], -2.0 * high))
    total = precision.sum(dim=1) + prior
    fused = ((precision * mean).sum(dim=1) + prior * HIGHEST_FRICTION / 2.0) / total
    return torch.cat([fused, (-0.5 * torch.log(total)).clamp(low, high)], dim=1)


def _fuse_paths(votes: Tensor, powers: Tensor, prior_log_sigma: Tensor) -> Tensor:
    """Multiply the Gaussians of the same mode and step.

    Args:
        votes: float32 (batch, n, modes, steps, 5), as ``TrajectoryHead`` gives.
        powers: float32 (batch, n, 1, 1).
        prior_log_sigma: float32 (steps,), log deviation [log m] of the prior about 0.

    Returns:
        float32 (batch, modes, steps, 5).
    """
    x, y, log_sx, log_sy, rho = votes.unbind(dim=4)
    rest = 1.0 - rho * rho
    xx = powers * torch.exp(-2.0 * log_sx) / rest
    yy = powers * torch.exp(-2.0 * log_sy) / rest
    xy = -powers * rho * torch.exp(-log_sx - log_sy) / rest
    right_x, right_y = (xx * x + xy * y).sum(dim=1), (xy * x + yy * y).sum(dim=1)
    prior = torch.exp(-2.0 * prior_log_sigma)
    xx, yy, xy = xx.sum(dim=1) + prior, yy.sum(dim=1) + prior, xy.sum(dim=1)
    determinant = xx * yy - xy * xy
    return torch.stack(
        [
            (yy * right_x - xy * right_y) / determinant,
            (xx * right_y - xy * right_x) / determinant,
            0.5 * torch.log(yy / determinant),
            0.5 * torch.log(xx / determinant),
            -xy / torch.sqrt(xx * yy),
        ],
        dim=3,
    )
