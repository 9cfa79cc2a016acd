# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fusion strategies: embeddings of the modalities that are present in, all tasks out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.models.fusion.attention import AttentionFusion
from mm_fusion.models.fusion.concat import ConcatFusion
from mm_fusion.models.fusion.decision import DecisionFusion
from mm_fusion.models.fusion.gated import GatedFusion
from mm_fusion.models.fusion.structure import StructureFusion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mm_fusion.models.fusion.base import Fusion

STRATEGIES: Mapping[str, Callable[[Mapping[str, int], int], Fusion]] = {
    'attention': AttentionFusion,
    'gated': GatedFusion,
    'concat': ConcatFusion,
    'decision': DecisionFusion,
    'structure': StructureFusion,
}
"""How to build each strategy, from the lengths of the embeddings and of a token."""
