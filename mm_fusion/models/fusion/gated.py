# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Gated fusion: a learned convex combination of what each modality says about each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from mm_fusion.models.heads import TASK_SIZES, TaskHeads
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_ABSENT = -1e9


class ModalityGate(nn.Module):
    """Score how much each task should trust one modality, from its embedding and its age.

    Trust never rises with age.

    Args:
        embedding_size: Length of the embedding.
    """

    def __init__(self, embedding_size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(embedding_size, elementwise_affine=False)
        self.score = nn.Linear(embedding_size, len(TASK_SIZES))
        self.decay = nn.Parameter(torch.zeros(len(TASK_SIZES)))
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, embedding: Tensor, age_s: Tensor) -> Tensor:
        """Give (batch, tasks) for (batch, size) and (batch, 1) in seconds."""
        scores: Tensor = self.score(self.norm(embedding))
        return scores - functional.softplus(self.decay) * age_s


class GatedFusion(nn.Module):
    """Fuse by gates: logits = sum over present modalities i of alpha_i head_i(embedding_i).

    For each task alpha is a softmax of the gates over the modalities that are present, so an
    absent one contributes exactly nothing, and one alone decides by itself (after the gated
    multimodal unit of Arevalo et al., 2017, with presence as a mask).

    Args:
        embedding_sizes: By modality, for those that the network has; the order of
            ``NETWORK_MODALITIES``.
    """

    def __init__(self, embedding_sizes: Mapping[str, int]) -> None:
        super().__init__()
        self.modalities = tuple(name for name in NETWORK_MODALITIES if name in embedding_sizes)
        self.heads = nn.ModuleDict(
            {name: TaskHeads(embedding_sizes[name]) for name in self.modalities}
        )
        self.gates = nn.ModuleDict(
            {name: ModalityGate(embedding_sizes[name]) for name in self.modalities}
        )

    def forward(
        self, embeddings: Mapping[str, Tensor], presence: Tensor, age_s: Tensor
    ) -> dict[str, Tensor]:
        """Fuse.

        Args:
            embeddings: By modality, float32 (batch, size); any finite numbers where absent.
            presence: float32 (batch, 3), 1 or 0, in ``NETWORK_MODALITIES`` order.
            age_s: float32 (batch, 3), seconds, in the same order.

        Returns:
            (batch, classes) logits by task, and ``modality_weights`` (batch, 3): the mean of
            alpha over the tasks, which sums to 1 where any modality of the network is present.
        """
        there, scores, votes = [], [], []
        for name in self.modalities:
            column = NETWORK_MODALITIES.index(name)
            present = presence[:, column : column + 1]
            there.append(present)
            scores.append(self.gates[name](embeddings[name], age_s[:, column : column + 1]))
            votes.append(self.heads[name](embeddings[name]))
        mask = torch.stack(there, dim=1)  # (batch, modalities, 1)
        masked = torch.stack(scores, dim=1) * mask + _ABSENT * (1.0 - mask)
        powers = torch.exp(masked - masked.amax(dim=1, keepdim=True)) * mask
        # The largest power of those present is 1, so the bound acts only where there are none.
        alpha = powers / powers.sum(dim=1, keepdim=True).clamp(min=1.0)
        fused = {
            task: sum_votes(alpha[:, :, index], [vote[task] for vote in votes])
            for index, task in enumerate(TASK_SIZES)
        }
        means = alpha.mean(dim=2)
        columns = [
            means[:, self.modalities.index(name)]
            if name in self.modalities
            else torch.zeros_like(means[:, 0])
            for name in NETWORK_MODALITIES
        ]
        return {**fused, 'modality_weights': torch.stack(columns, dim=1)}


def sum_votes(alpha: Tensor, votes: list[Tensor]) -> Tensor:
    """Add (batch, classes) votes weighted by ``alpha``, (batch, modalities)."""
    return (alpha.unsqueeze(2) * torch.stack(votes, dim=1)).sum(dim=1)
