# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fusion by attention: modalities attend to each other, then each task to the modalities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from mm_fusion.models.attention import MultiHeadAttention, TransformerBlock
from mm_fusion.models.fusion.base import FeatureFusion, by_task
from mm_fusion.models.heads import TASKS
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_HEADS = 4


class AttentionFusion(FeatureFusion):
    """Fuse by one block of self-attention, then one learned query for each task.

    Both see only the tokens that are present (Vaswani et al., 2017; queries as in Jaegle et al.,
    2021, Perceiver). A task's share of a modality is its query's attention to that token, mean
    over the heads; the token has by then heard the others.

    What modalities are worth beside each other is learned last, from drives that the encoders have
    not learned from (``training.trust``): of those that they have, each modality by itself knows
    nearly everything. It is added to the scores of both, and without effect until then: a number
    for each task and modality, and one for each pair of modalities. What a token itself gives can
    only lower what its sensor is worth, since one that is blinded or drowned tells less than the
    same one when it is not: by the softplus of a linear function.
    """

    task_trust: Tensor
    token_trust: Tensor
    doubt: Tensor

    def __init__(self, embedding_sizes: Mapping[str, int], token_size: int) -> None:
        super().__init__(embedding_sizes, token_size)
        self.block = TransformerBlock(token_size, _HEADS, token_size)
        self.norm = nn.LayerNorm(token_size)
        self.queries = nn.Parameter(torch.randn(1, len(TASKS), token_size))
        self.readout = MultiHeadAttention(token_size, _HEADS, project_queries=False)
        self.register_buffer('task_trust', torch.zeros(len(TASKS), len(NETWORK_MODALITIES)))
        self.register_buffer(
            'token_trust', torch.zeros(len(NETWORK_MODALITIES), len(NETWORK_MODALITIES))
        )
        self.register_buffer('doubt', torch.zeros(len(NETWORK_MODALITIES), token_size + 1))

    @property
    def trust(self) -> tuple[Tensor, ...]:
        """What is learned of the modalities last, as ``Fusion`` says."""
        return self.task_trust, self.token_trust, self.doubt

    def trunk(self, tokens: Tensor, presence: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Fuse the tokens, as ``FeatureFusion`` says."""
        content = (tokens * self.doubt[:, :-1]).sum(dim=2) / self.token_size**0.5
        doubt = functional.softplus(content + self.doubt[:, -1])[:, None, None, :]
        mixed = self.norm(self.block(tokens, presence, self.token_trust - doubt))
        queries = self.queries.expand(tokens.shape[0], -1, -1)
        fused, shares = self.readout(queries, mixed, presence, self.task_trust - doubt)
        return by_task(fused), shares.mean(dim=1)
