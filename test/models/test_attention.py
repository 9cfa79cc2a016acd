# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Attention in which absent tokens have no part."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.torch


def test_shares_are_a_softmax_over_those_present() -> None:
    import torch

    from mm_fusion.models.attention import masked_softmax

    scores = torch.tensor([[1.0, -2.0, 30.0], [1.0, -2.0, 30.0], [-500.0, 80.0, 0.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    shares = masked_softmax(scores, mask)
    assert torch.allclose(shares[0, :2], torch.softmax(scores[0, :2], dim=0))
    assert shares[:, 2].tolist() == [0.0, 0.0, 0.0]
    assert shares[1].tolist() == [0.0, 0.0, 0.0]
    assert shares[2].tolist() == [1.0, 0.0, 0.0]


def test_attention_agrees_with_that_of_torch() -> None:
    import torch

    from mm_fusion.models.attention import MultiHeadAttention

    torch.manual_seed(0)
    attention = MultiHeadAttention(8, 2)
    queries, tokens = torch.randn(2, 4, 8), torch.randn(2, 3, 8)
    mask = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    layers = (attention.query, attention.key, attention.value)
    query, key, value = (
        layer(x).reshape(2, -1, 2, 4).transpose(1, 2)
        for layer, x in zip(layers, (queries, tokens, tokens), strict=True)
    )
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask[:, None, None, :] > 0
    )
    found, shares = attention(queries, tokens, mask)
    assert torch.allclose(found, attention.out(expected.transpose(1, 2).flatten(2)), atol=1e-6)
    assert torch.allclose(shares.sum(dim=3), torch.ones(2, 2, 4))
    assert not shares[0, :, :, 1].any()


def test_a_block_mixes_present_tokens_only() -> None:
    import torch

    from mm_fusion.models.attention import TransformerBlock

    torch.manual_seed(0)
    block = TransformerBlock(8, 2, 16)
    tokens = torch.randn(1, 3, 8)
    mask = torch.tensor([[1.0, 1.0, 0.0]])

    def first_after(changed: int) -> torch.Tensor:
        other = tokens.clone()
        other[0, changed] += torch.randn(8)
        mixed: torch.Tensor = block(other, mask)
        return mixed[0, 0]

    alone = block(tokens, mask)[0, 0]
    assert torch.equal(first_after(changed=2), alone)
    assert not torch.allclose(first_after(changed=1), alone, atol=1e-3)
