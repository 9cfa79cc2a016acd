# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fusion by concatenation: one network over all tokens at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.models.fusion.base import FeatureFusion
from mm_fusion.models.heads import TASKS
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class ConcatFusion(FeatureFusion):
    """Put the tokens and the presence side by side, and fuse them by two layers.

    All tasks share one vector. The network does not say what it used, so the published weights
    are equal shares of the modalities that are present.
    """

    def __init__(self, embedding_sizes: Mapping[str, int], token_size: int) -> None:
        super().__init__(embedding_sizes, token_size)
        count = len(NETWORK_MODALITIES)
        self.layers = nn.Sequential(
            nn.Linear(count * token_size + count, token_size),
            nn.GELU(),
            nn.Linear(token_size, token_size),
        )

    def trunk(self, tokens: Tensor, presence: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Fuse the tokens, as ``FeatureFusion`` says."""
        fused = self.layers(torch.cat([tokens.flatten(1), presence], dim=1))
        weights = presence / presence.sum(dim=1, keepdim=True).clamp(min=1.0)
        return dict.fromkeys(TASKS, fused), torch.stack([weights] * len(TASKS), dim=1)
