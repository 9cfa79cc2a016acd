# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Heads: one linear classifier for each task on the embedding of one modality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from torch import Tensor

TASK_SIZES = {
    'friction': len(FRICTION_CLASSES),
    'material': len(MATERIAL_CLASSES),
    'unevenness': len(UNEVENNESS_CLASSES),
    'siren': 1,
}
"""Number of logits of each task, in the order of the fusion stage's outputs."""


class TaskHeads(nn.Module):
    """Logits of every task from one modality.

    All start at zero, which is the uniform distribution. A task that the modality was never
    labelled for stays there: with no evidence, the minimum of the divergence from the uniform
    distribution.

    Args:
        embedding_size: Length of the embedding.
    """

    def __init__(self, embedding_size: int) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.tasks = nn.ModuleDict(
            {task: nn.Linear(embedding_size, size) for task, size in TASK_SIZES.items()}
        )
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """Give (batch, classes) logits by task for ``embedding``, float32 (batch, size)."""
        return {task: head(embedding) for task, head in self.tasks.items()}
