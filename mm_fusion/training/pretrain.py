# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Self-supervised learning on drives without labels.

What one sensor says of a moment is predicted from the others, and moments are told apart across
sensors: both need what the sensors share, which is the road and the way it is driven.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from mm_fusion.errors import DatasetError
from mm_fusion.training.distributed import join_world
from mm_fusion.training.objective import Objective, embed
from mm_fusion.training.progress import silent
from mm_fusion.training.run import fingerprints, make_mixture, make_network
from mm_fusion.training.trainer import Trainer
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import PretrainingConfig, TrainingConfig
    from mm_fusion.training.data.batch import Batch
    from mm_fusion.training.embed import EmbeddedBatch
    from mm_fusion.training.progress import Progress
    from mm_fusion.training.run import Share


class CrossModalLosses(nn.Module):
    """Losses between the tokens of one moment.

    Each token is projected to a direction. The prediction of a hidden one starts from the mean of
    the tokens that are left; its target gets no gradient. The contrastive term (InfoNCE, van den
    Oord et al., 2018) keeps the directions of different moments apart, without which one
    direction for all would be a perfect prediction.

    Args:
        token_size: Of the network.
        config: Shares.
    """

    def __init__(self, token_size: int, config: PretrainingConfig) -> None:
        super().__init__()
        self.config = config
        self.projectors, self.predictors = (
            nn.ModuleDict(
                {
                    name: nn.Sequential(
                        nn.Linear(token_size, token_size),
                        nn.GELU(),
                        nn.Linear(token_size, token_size),
                    )
                    for name in NETWORK_MODALITIES
                }
            )
            for _ in range(2)
        )

    def forward(self, tokens: Tensor, presence: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the losses of a batch.

        Args:
            tokens: float32 (B, 3, token_size).
            presence: float32 (B, 3); a sample needs two modalities to take part.

        Returns:
            The weighted sum, and ``prediction`` and ``contrast``.
        """
        directions = [
            functional.normalize(self.projectors[name](tokens[:, column]), dim=1)
            for column, name in enumerate(NETWORK_MODALITIES)
        ]
        terms = {
            'prediction': self._prediction(tokens, presence, directions),
            'contrast': self._contrast(presence, directions),
        }
        return terms['prediction'] + self.config.contrast * terms['contrast'], terms

    def _prediction(
        self, tokens: Tensor, presence: Tensor, directions: Sequence[Tensor]
    ) -> Tensor:
        """Average one less the cosine between predicted and true directions."""
        total, count = tokens.sum() * 0.0, 0
        for column, name in enumerate(NETWORK_MODALITIES):
            others = presence.clone()
            others[:, column] = 0.0
            rows = (presence[:, column] > 0) & (others.sum(dim=1) > 0)
            if not rows.any():
                continue
            shares = others[rows] / others[rows].sum(dim=1, keepdim=True)
            context = (tokens[rows] * shares[:, :, None]).sum(dim=1)
            guess = functional.normalize(self.predictors[name](context), dim=1)
            total = total + (1.0 - (guess * directions[column][rows].detach()).sum(dim=1)).sum()
            count += int(rows.sum())
        return total / max(count, 1)

    def _contrast(self, presence: Tensor, directions: Sequence[Tensor]) -> Tensor:
        """Average over pairs of modalities how well each moment is found among the others."""
        found = [directions[0].sum() * 0.0]
        for first, second in itertools.combinations(range(len(NETWORK_MODALITIES)), 2):
            rows = (presence[:, first] > 0) & (presence[:, second] > 0)
            if int(rows.sum()) < 2:
                continue
            similar = directions[first][rows] @ directions[second][rows].T
            logits = similar / self.config.temperature
            own = torch.arange(len(logits), device=logits.device)
            found.append(
                0.5
                * (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own))
            )
        return torch.stack(found).sum() / max(len(found) - 1, 1)


class Pretraining(Objective):
    """Learn from what the sensors share; ``losses`` are ``CrossModalLosses``."""

    def forward(self, batch: Batch | EmbeddedBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Give the weighted sum of the losses, and the terms by themselves."""
        embeddings = embed(self.network, batch, bfloat16=self.half_precision)
        tokens = self.network.tokens(embeddings, batch.presence, batch.age_s)
        total, terms = self.losses(tokens, batch.presence)
        return total, terms


def pretrain_run(
    share: Share,
    config: TrainingConfig,
    folder: Path,
    *,
    start: FusionNetwork | None = None,
    progress: Progress = silent,
) -> FusionNetwork:
    """Pre-train encoders and tokens; goes on where it was stopped.

    Args:
        share: Moments of recordings.
        config: Everything else that decides the result.
        folder: Of checkpoints and curves.
        start: Weights to go on from.
        progress: Told how far it has come.

    Returns:
        The network, to start ``train_run`` from; what follows its tokens is as it was.

    Raises:
        DatasetError: No moment has two modalities, or as for ``Trainer.fit``.
    """
    network = make_network(config, start)
    losses = CrossModalLosses(config.network.token_size, config.pretraining)
    if not any(
        sum(value is not None for value in share.source.sample(int(index), None).inputs) > 1
        for index in share.train
    ):
        raise DatasetError(
            f'{share.source.name}: found no moment with two of {", ".join(NETWORK_MODALITIES)}, '
            'expected some to predict one from the other'
        )
    with join_world(config.optimization.device) as world:
        mixture = make_mixture(network, [share], config, world, progress)
        objective = Pretraining(network, losses, bfloat16=config.optimization.bfloat16)
        data = fingerprints([share])
        return Trainer(objective, mixture, None, config, folder, world, data, progress).fit()
