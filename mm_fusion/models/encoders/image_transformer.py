# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Image encoder: a small vision transformer on raw pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.models.attention import TransformerBlock
from mm_fusion.models.encoders.base import Encoder
from mm_fusion.models.encoders.image import normalise

if TYPE_CHECKING:
    from torch import Tensor

_PATCH = 16
_DEPTH = 6
_HEADS = 3
_SIZE = 192


class ImageTransformer(Encoder):
    """Attend among patches of 16 pixels (Dosovitskiy et al., 2021, An Image Is Worth ...).

    Args:
        image_size: Rows and columns of the image, a multiple of 16.
        width: Multiplier of the token's length; less than 1 for a fast test.
    """

    def __init__(self, image_size: int, width: float = 1.0) -> None:
        super().__init__()
        size = max(8 * _HEADS, int(_SIZE * width) // (8 * _HEADS) * (8 * _HEADS))
        self.stem = nn.Conv2d(3, size, _PATCH, stride=_PATCH)
        self.position = nn.Parameter(0.02 * torch.randn(1, (image_size // _PATCH) ** 2, size))
        self.blocks = nn.Sequential(
            *(TransformerBlock(size, _HEADS, 4 * size) for _ in range(_DEPTH))
        )
        self.head = nn.LayerNorm(size)
        self.embedding_size = size

    def forward(self, image: Tensor, /) -> Tensor:
        """Embed ``image``, uint8 (batch, height, width, 3) RGB, as float32 (batch, size)."""
        patches = self.stem(normalise(image)).flatten(2).transpose(1, 2)
        tokens: Tensor = self.head(self.blocks(patches + self.position))
        return tokens.mean(dim=1)
