# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What each modality is worth beside the others, from drives held out.

Of the drives that it learns from, every encoder comes to know nearly everything by itself, sound
too: the fusion learns to trust all of them alike, and on other drives sound misleads it where the
camera sees well. So what it trusts is learned again from drives that no encoder has learned from,
by a few numbers that cannot learn those by heart.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.models.heads import TASK_SIZES
from mm_fusion.training.losses import evened
from mm_fusion.training.minimise import minimise
from mm_fusion.training.objective import to_device
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.embed import EmbeddedBatch

_EVALUATIONS = 400
_SHRINKAGE = 1.0
"""Of the square of what is learned, over the square of the number of drives: one drive says little
of others."""
_FEWEST = 2
"""Modalities that must be there for one to be worth more than another."""
_MOST = 2000
"""Samples of a choice that are learned from, evenly among those there are."""
_COEFFICIENT_UNIT = 0.1
"""An error of the friction coefficient that counts like one unit of cross-entropy."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is fused, which does not depend on trust; B samples.

    Attributes:
        tokens: float32 (B, 3, token size).
        presence: float32 (B, 3).
        votes: By task, float32 (B, 3, classes).
        targets: As in ``Batch``.
    """

    tokens: Tensor
    presence: Tensor
    votes: Mapping[str, Tensor]
    targets: Mapping[str, Tensor]

    @classmethod
    @torch.no_grad()
    def of(cls, network: FusionNetwork, samples: EmbeddedBatch) -> Evidence:
        """Make it of embedded samples, where the network is."""
        found = to_device(samples, next(network.parameters()).device)
        return cls(
            network.tokens(found.embeddings, found.presence, found.age_s),
            found.presence,
            network.votes(found.embeddings, found.presence),
            found.targets,
        )

    def rows(self, chosen: Tensor) -> Evidence:
        """Give some of the samples."""
        return Evidence(
            self.tokens[chosen],
            self.presence[chosen],
            {task: value[chosen] for task, value in self.votes.items()},
            {name: value[chosen] for name, value in self.targets.items()},
        )

    def keep(self, names: Sequence[str]) -> Evidence:
        """Hide every modality of ``NETWORK_MODALITIES`` but some."""
        kept = [float(name in names) for name in NETWORK_MODALITIES]
        presence = self.presence * torch.tensor(kept, device=self.presence.device)
        tokens = self.tokens * presence.unsqueeze(2)
        return dataclasses.replace(self, tokens=tokens, presence=presence)


def fit_trust(
    network: FusionNetwork,
    evidence: Evidence,
    drives: int,
    progress: Callable[[int, int], None],
) -> bool:
    """Learn what modalities are worth beside each other, in place.

    Each choice of two or more modalities counts, with cross-entropy for each task of classes and
    the distance from the friction coefficient. Temperatures are learned beside, and forgotten:
    being less sure is no reason to trust another.

    Args:
        network: As trained; it goes on from the trust that it has.
        evidence: Of drives that the network has not learned from.
        drives: How many drives it is of; the fewer, the less is learned.
        progress: Told how often the loss was asked for, and how often it is at most.

    Returns:
        Whether there was anything to learn from, and a strategy that learns it.
    """
    trust, chosen = network.fusion.trust, list(choices(evidence, _FEWEST))
    if not trust or not chosen:
        return False
    network.requires_grad_(False).eval()  # noqa: FBT003  # torch's own signature
    before = [values.clone() for values in trust]
    log_temperatures = {task: torch.zeros((), device=trust[0].device) for task in TASK_SIZES}
    asked = itertools.count(1)

    def loss() -> Tensor:
        changes = [(now - old).flatten() for now, old in zip(trust, before, strict=True)]
        total = _SHRINKAGE / drives**2 * torch.cat(changes).square().sum()
        for choice in chosen:
            outputs = network.fusion.fuse_tokens(choice.tokens, choice.presence, choice.votes)
            total = total + _loss(outputs, choice.targets, log_temperatures) / len(chosen)
        progress(min(next(asked), _EVALUATIONS - 1), _EVALUATIONS)
        return total

    minimise([*trust, *log_temperatures.values()], loss, _EVALUATIONS)
    progress(_EVALUATIONS, _EVALUATIONS)
    return True


def choices(evidence: Evidence, fewest: int) -> Iterator[Evidence]:
    """Give the samples with each choice of modalities that some of them have all of.

    Args:
        evidence: Of these samples; of many, some are taken evenly.
        fewest: Modalities of a choice.
    """
    for size in range(fewest, len(NETWORK_MODALITIES) + 1):
        for names in itertools.combinations(NETWORK_MODALITIES, size):
            columns = [NETWORK_MODALITIES.index(name) for name in names]
            having = (evidence.presence[:, columns].amin(dim=1) > 0.0).nonzero()[:, 0]
            if len(having):
                count = min(len(having), _MOST)
                evenly = torch.linspace(0, len(having) - 1, count, device=having.device)
                yield evidence.rows(having[evenly.round().long()]).keep(names)


def _loss(
    outputs: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    log_temperatures: Mapping[str, Tensor],
) -> Tensor:
    total = outputs['siren'].sum() * 0.0  # samples without any label still have a gradient
    for task in TASK_SIZES:
        known = targets[task] != UNLABELLED
        if not known.any():
            continue
        logits = outputs[task][known] * torch.exp(-log_temperatures[task])
        if task in SURFACE_CLASSES:
            total = total + functional.cross_entropy(
                logits, targets[task][known], evened(targets[task][known], logits.shape[1])
            )
        else:
            total = total + functional.binary_cross_entropy_with_logits(
                logits[:, 0], targets[task][known].float()
            )
    known = torch.isfinite(targets['friction_coefficient'])
    if known.any():
        wrong = outputs['friction_coefficient'][known, 0] - targets['friction_coefficient'][known]
        total = total + wrong.abs().mean() / _COEFFICIENT_UNIT
    return total
