# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What every fusion strategy offers: tokens of the modalities in, all tasks out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.models.heads import ROAD_TASKS, TASK_SIZES, TASKS, Heads
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_AGES_S = (0.1, 0.5, 2.0)
_DROPOUT = {'camera': 0.2, 'microphone': 0.1, 'motion': 0.1}
_ROAD = [TASKS.index(task) for task in ROAD_TASKS]


class TokenProjection(nn.Module):
    """Turn the embedding and the age of one modality into its token.

    Which modality it is is in the last bias. Age has no influence until it is learned.

    Args:
        embedding_size: Length of the embedding.
        token_size: Length of the token.
        dropout: Share of the embedding that is hidden while training.
    """

    time_constants: Tensor

    def __init__(self, embedding_size: int, token_size: int, dropout: float) -> None:
        super().__init__()
        self.content = nn.Sequential(
            nn.LayerNorm(embedding_size),
            nn.Dropout(dropout),
            nn.Linear(embedding_size, token_size),
            nn.GELU(),
        )
        self.register_buffer('time_constants', torch.tensor(_AGES_S), persistent=False)
        self.age = nn.Linear(len(_AGES_S), token_size)
        nn.init.zeros_(self.age.weight)
        nn.init.normal_(self.age.bias, std=0.1)

    def forward(self, embedding: Tensor, age_s: Tensor) -> Tensor:
        """Give (batch, token_size) for (batch, embedding_size) and (batch, 1) in seconds."""
        # Bounded, whatever the age; 0 for a fresh measurement.
        staleness = 1.0 - torch.exp(-age_s / self.time_constants)
        token: Tensor = self.content(embedding) + self.age(staleness)
        return token


class LinearVotes(nn.Module):
    """What one modality says of each task of classes, straight from its embedding.

    Few examples teach a linear classifier on a pretrained embedding far faster than the way
    through tokens and attention, which adds what only several modalities together can tell.

    Args:
        embedding_size: Length of the embedding.
        dropout: Share of the embedding that is hidden while training.
    """

    def __init__(self, embedding_size: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.tasks = nn.ModuleDict(
            {task: nn.Linear(embedding_size, size) for task, size in TASK_SIZES.items()}
        )
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """Give (batch, classes) logits by task for (batch, embedding_size)."""
        kept = self.dropout(embedding)
        return {task: layer(kept) for task, layer in self.tasks.items()}


class Fusion(nn.Module, ABC):
    """Fuse the modalities that are present; an absent one has exactly no influence.

    Args:
        embedding_sizes: By modality of ``NETWORK_MODALITIES``.
        token_size: Length of a token.
    """

    def __init__(self, embedding_sizes: Mapping[str, int], token_size: int) -> None:
        super().__init__()
        self.token_size = token_size
        self.projections = nn.ModuleDict(
            {
                name: TokenProjection(embedding_sizes[name], token_size, _DROPOUT[name])
                for name in NETWORK_MODALITIES
            }
        )
        self.linear = nn.ModuleDict(
            {
                name: LinearVotes(embedding_sizes[name], _DROPOUT[name])
                for name in NETWORK_MODALITIES
            }
        )

    @property
    def trust(self) -> tuple[Tensor, ...]:
        """Buffers that say what modalities are worth beside each other, 0 until that is learned.

        A strategy that learns it with everything else has none.
        """
        return ()

    def votes(self, embeddings: Mapping[str, Tensor], presence: Tensor) -> dict[str, Tensor]:
        """Let every modality vote by itself.

        Args:
            embeddings: As of ``tokens``.
            presence: As of ``tokens``.

        Returns:
            By task of ``TASK_SIZES``, float32 (batch, 3, classes) logits; those of absent
            modalities say nothing of the sample and have to be weighted by 0.
        """
        said = []
        for name, there in zip(NETWORK_MODALITIES, torch.split(presence, 1, dim=1), strict=True):
            said.append(self.linear[name](torch.where(there > 0.0, embeddings[name], 0.0)))
        return {task: torch.stack([vote[task] for vote in said], dim=1) for task in TASK_SIZES}

    def tokens(self, embeddings: Mapping[str, Tensor], presence: Tensor, age_s: Tensor) -> Tensor:
        """Project every modality into the space that they share.

        Args:
            embeddings: By modality, float32 (batch, embedding_size); anything where absent.
            presence: float32 (batch, 3), 1 or 0, in ``NETWORK_MODALITIES`` order.
            age_s: float32 (batch, 3), seconds, in the same order.

        Returns:
            float32 (batch, 3, token_size), zeros where absent.
        """
        ages = torch.split(age_s, 1, dim=1)
        tokens = torch.stack(
            [
                self.projections[name](embeddings[name], age)
                for name, age in zip(NETWORK_MODALITIES, ages, strict=True)
            ],
            dim=1,
        )
        return torch.where(presence.unsqueeze(2) > 0.0, tokens, 0.0)

    @abstractmethod
    def fuse_tokens(
        self, tokens: Tensor, presence: Tensor, votes: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Predict every task from the modalities that are present.

        Args:
            tokens: float32 (batch, 3, token_size), zeros where absent.
            presence: float32 (batch, 3), 1 or 0.
            votes: What ``votes`` gives.

        Returns:
            What ``Heads`` gives, and ``modality_weights`` (batch, 3): the mean over
            ``ROAD_TASKS`` of each modality's share, 0 where absent, else with sum 1.
        """

    def forward(
        self, embeddings: Mapping[str, Tensor], presence: Tensor, age_s: Tensor
    ) -> dict[str, Tensor]:
        """Predict every task; arguments as of ``tokens``, result as of ``fuse_tokens``."""
        tokens = self.tokens(embeddings, presence, age_s)
        return self.fuse_tokens(tokens, presence, self.votes(embeddings, presence))


class FeatureFusion(Fusion):
    """Fuse before deciding: one vector for each task, then its head."""

    def __init__(self, embedding_sizes: Mapping[str, int], token_size: int) -> None:
        super().__init__(embedding_sizes, token_size)
        self.heads = Heads(token_size)

    @abstractmethod
    def trunk(self, tokens: Tensor, presence: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Fuse.

        Args:
            tokens: float32 (batch, 3, token_size), zeros where absent.
            presence: float32 (batch, 3), 1 or 0.

        Returns:
            By task of ``TASKS``, float32 (batch, token_size); and each task's shares of the
            modalities (batch, tasks, 3), 0 where absent, else with sum 1.
        """

    def fuse_tokens(
        self, tokens: Tensor, presence: Tensor, votes: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Add the votes by their shares to what the fused vectors say, as ``Fusion`` says."""
        fused, shares = self.trunk(tokens, presence)
        weighted = {
            task: torch.matmul(shares[:, TASKS.index(task)].unsqueeze(1), votes[task]).squeeze(1)
            for task in TASK_SIZES
        }
        return {**self.heads(fused, weighted), 'modality_weights': road_weights(shares)}


def by_task(fused: Tensor) -> dict[str, Tensor]:
    """Name the tasks of (batch, tasks, size)."""
    return dict(zip(TASKS, fused.unbind(dim=1), strict=True))


def road_weights(shares: Tensor) -> Tensor:
    """Average (batch, tasks, 3) over ``ROAD_TASKS``: (batch, 3)."""
    return torch.stack([shares[:, index] for index in _ROAD], dim=1).mean(dim=1)
