# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What every encoder offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class Encoder(nn.Module, ABC):
    """Embed the measurements of one sensor.

    Attributes:
        embedding_size: Length of the embedding.
    """

    embedding_size: int

    @abstractmethod
    def forward(self, measurement: Tensor, /) -> Tensor:
        """Embed a batch: float32 (batch, embedding_size)."""
