# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The friction coefficient, read anew from drives held out.

On drives that it learns from, the network comes to know each stretch and its coefficient, and has
little use for the classes of friction; on others they tell most of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from mm_fusion.models.fusion.base import FeatureFusion
from mm_fusion.training.losses import gaussian_divergence
from mm_fusion.training.minimise import minimise
from mm_fusion.training.trust import choices

if TYPE_CHECKING:
    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.trust import Evidence

_SHRINKAGE = 1.0
"""Of the square of what changes, over the square of the number of drives: one drive says little
of others."""
_EVALUATIONS = 400


def fit_coefficient(network: FusionNetwork, evidence: Evidence, drives: int) -> bool:
    """Learn what the classes of friction tell of the coefficient, in place.

    With it the last layer of its head, by the likelihood of a Gaussian; each choice of modalities
    counts alike.

    Args:
        network: As trained.
        evidence: Of drives that the network has not learned from.
        drives: How many drives it is of; the fewer, the less is learned.

    Returns:
        Whether there was anything to learn from, and a strategy that fuses before it decides.
    """
    fusion = network.fusion
    known = evidence.rows(torch.isfinite(evidence.targets['friction_coefficient']).nonzero()[:, 0])
    chosen = list(choices(known, fewest=1))
    if not isinstance(fusion, FeatureFusion) or not chosen:
        return False
    network.requires_grad_(False).eval()  # noqa: FBT003  # torch's own signature
    head = fusion.heads.friction_coefficient
    told = [_told(fusion, choice) for choice in chosen]
    before = [values.clone() for values in head.read]

    def loss() -> torch.Tensor:
        changes = [(now - old).flatten() for now, old in zip(head.read, before, strict=True)]
        total = _SHRINKAGE / drives**2 * torch.cat(changes).square().sum()
        for hidden, friction, truth in told:
            total = total + gaussian_divergence(head.say(hidden, friction), truth) / len(told)
        return total

    minimise(head.read, loss, _EVALUATIONS)
    return True


@torch.no_grad()
def _told(
    fusion: FeatureFusion, choice: Evidence
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Give what the head hears, what it hears of the classes, and the truth."""
    outputs = fusion.fuse_tokens(choice.tokens, choice.presence, choice.votes)
    fused, _ = fusion.trunk(choice.tokens, choice.presence)
    return (
        fusion.heads.friction_coefficient.hidden(fused['friction_coefficient']),
        outputs['friction'].softmax(dim=1),
        choice.targets['friction_coefficient'],
    )
