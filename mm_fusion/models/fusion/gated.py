# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Gated fusion: a learned convex combination of the modalities for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.models.attention import masked_softmax
from mm_fusion.models.fusion.base import FeatureFusion, by_task
from mm_fusion.models.heads import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class GatedFusion(FeatureFusion):
    """Fuse by gates: F = sum over present modalities i of alpha_i F_i, for each task.

    alpha is a softmax of scores over the modalities that are present, learned from their content
    and age, so that one alone has all the weight (after the gated multimodal unit of Arevalo et
    al., 2017, with presence as a mask). Untrained, all present weigh the same.
    """

    def __init__(self, embedding_sizes: Mapping[str, int], token_size: int) -> None:
        super().__init__(embedding_sizes, token_size)
        self.norm = nn.LayerNorm(token_size)
        self.scores = nn.Linear(token_size, len(TASKS))
        nn.init.zeros_(self.scores.weight)
        nn.init.zeros_(self.scores.bias)

    def trunk(self, tokens: Tensor, presence: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Fuse the tokens, as ``FeatureFusion`` says."""
        scores = self.scores(self.norm(tokens)).transpose(1, 2)
        alpha = masked_softmax(scores, presence.unsqueeze(1))
        return by_task(torch.matmul(alpha, tokens)), alpha
