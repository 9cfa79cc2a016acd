# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Structural fusion: typed messages between the modalities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.models.attention import masked_softmax
from mm_fusion.models.fusion.base import FeatureFusion, by_task
from mm_fusion.models.heads import TASKS
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_ROUNDS = 2


class StructureFusion(FeatureFusion):
    """Fuse by message passing on the graph of the modalities, then read out for each task.

    Each ordered pair of modalities is an edge of its own type, with its own matrix, and so is
    each modality to itself; the matrices are the same in both rounds (after the relational
    graph network of Schlichtkrull et al., 2018). A modality hears the mean of those present. The
    readout is a softmax over the modalities, learned from their states.
    """

    def __init__(self, embedding_sizes: Mapping[str, int], token_size: int) -> None:
        super().__init__(embedding_sizes, token_size)
        count = len(NETWORK_MODALITIES)
        bound = token_size**-0.5
        self.edges = nn.Parameter(
            torch.empty(count, count, token_size, token_size).uniform_(-bound, bound)
        )
        self.before = nn.LayerNorm(token_size)
        self.after = nn.LayerNorm(token_size)
        self.scores = nn.Linear(token_size, len(TASKS))

    def trunk(self, tokens: Tensor, presence: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Fuse the tokens, as ``FeatureFusion`` says."""
        there = presence.unsqueeze(2)
        present = there.sum(dim=1, keepdim=True).clamp(min=1.0)
        states = tokens
        outgoing = self.edges.transpose(1, 2).flatten(2)  # (from, size, to * size)
        for _ in range(_ROUNDS):
            senders = (self.before(states) * there).unbind(dim=1)
            # One product for each sender: batched over all edges it took ten times as long.
            messages = [
                torch.matmul(sender, edges).reshape(-1, len(senders), self.token_size)
                for sender, edges in zip(senders, outgoing, strict=True)
            ]
            heard = torch.stack(messages).sum(dim=0) / present
            states = states + nn.functional.gelu(heard) * there
        states = self.after(states) * there
        shares = masked_softmax(self.scores(states).transpose(1, 2), presence.unsqueeze(1))
        return by_task(torch.matmul(shares, states)), shares
