# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Attention in which an absent token has exactly no part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

_ABSENT = -1e4  # below any score, and a number in half precision too


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Share out 1 over the last axis among the places where ``mask`` is 1.

    Args:
        scores: float32 (..., n).
        mask: float32, 1 or 0, broadcast against ``scores``.

    Returns:
        float32 (..., n), exactly 0 where the mask is; all 0 where it is 0 everywhere.
    """
    masked = scores * mask + _ABSENT * (1.0 - mask)
    powers = torch.exp(masked - masked.amax(dim=-1, keepdim=True)) * mask
    # The largest power of those present is 1, so the bound acts only where there are none.
    return powers / powers.sum(dim=-1, keepdim=True).clamp(min=1.0)


class MultiHeadAttention(nn.Module):
    """Look up tokens by queries (Vaswani et al., 2017, Attention Is All You Need).

    Args:
        size: Length of a query and of a token, a multiple of ``heads``.
        heads: Number of looks.
        project_queries: Whether the queries pass through a layer, which learned ones need not.
    """

    def __init__(self, size: int, heads: int, *, project_queries: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(size, size) if project_queries else nn.Identity()
        self.key = nn.Linear(size, size, bias=False)  # would add the same to every score
        self.value = nn.Linear(size, size)
        self.out = nn.Linear(size, size)

    def forward(
        self,
        queries: Tensor,
        tokens: Tensor,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Attend.

        Args:
            queries: float32 (batch, q, size).
            tokens: float32 (batch, n, size).
            mask: float32 (batch, n), 1 where a token is there; None where all are.
            bias: float32, (q, n) or (batch, 1, q, n), added to the scores; None where nothing is.

        Returns:
            float32 (batch, q, size), and the shares (batch, heads, q, n).
        """
        query, key, value = (
            self._split(layer(x))
            for layer, x in ((self.query, queries), (self.key, tokens), (self.value, tokens))
        )
        scores = torch.matmul(query, key.transpose(2, 3)) / query.shape[3] ** 0.5
        if bias is not None:
            scores = scores + bias
        shares = (
            torch.softmax(scores, dim=-1)
            if mask is None
            else masked_softmax(scores, mask[:, None, None, :])
        )
        found: Tensor = self.out(torch.matmul(shares, value).transpose(1, 2).flatten(2))
        return found, shares

    def _split(self, x: Tensor) -> Tensor:
        batch, count, size = x.shape
        return x.reshape(batch, count, self.heads, size // self.heads).transpose(1, 2)


class TransformerBlock(nn.Module):
    """Attend among tokens, then transform each; normalised before (Xiong et al., 2020).

    Args:
        size: Length of a token.
        heads: Number of looks.
        hidden: Width of the layer that transforms each token.
    """

    def __init__(self, size: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.before = nn.LayerNorm(size)
        self.attention = MultiHeadAttention(size, heads)
        self.transform = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, size)
        )

    def forward(
        self, tokens: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """Mix float32 (batch, n, size); what comes out for an absent token is for nobody.

        Mask and bias are those of ``MultiHeadAttention``.
        """
        x = self.before(tokens)
        x = tokens + self.attention(x, x, mask, bias)[0]
        mixed: Tensor = x + self.transform(x)
        return mixed
