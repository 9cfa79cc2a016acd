# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What sound says of the road, read anew from drives held out.

Of the drives that it learns from, the encoder of sound comes to know each one, and what is read
from it there holds for these alone. What it gives on others still tells a good deal of their road:
linear votes, fitted to drives that it has not learned from, find that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.training.embed import keep_modalities
from mm_fusion.training.losses import evened
from mm_fusion.training.minimise import minimise
from mm_fusion.training.objective import to_device
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.embed import EmbeddedBatch

HEARD = 'microphone'
_SHRINKAGE = 100.0
"""Of the square of the weights on standardised embeddings, over the square of the number of
drives: one drive says little of others."""
_EVALUATIONS = 125
_LEAST_DEVIATION = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """What is added to the votes of sound, by surface task; none where nothing was labelled.

    Attributes:
        weights: float32 (classes, embedding size).
        biases: float32 (classes,).
    """

    weights: Mapping[str, Tensor]
    biases: Mapping[str, Tensor]

    def votes(self, samples: EmbeddedBatch) -> dict[str, Tensor]:
        """Give what is added to the votes of some samples: (batch, classes) logits by task."""
        heard = samples.embeddings[HEARD]
        return {
            task: functional.linear(heard, weight, self.biases[task])
            for task, weight in self.weights.items()
        }

    def add_to(self, network: FusionNetwork) -> None:
        """Add it to a network, in place."""
        state = network.fusion.linear[HEARD].state_dict()
        for task, weight in self.weights.items():
            state[f'tasks.{task}.weight'] += weight.to(state[f'tasks.{task}.weight'].device)
            state[f'tasks.{task}.bias'] += self.biases[task].to(state[f'tasks.{task}.bias'].device)


def fit_readout(network: FusionNetwork, samples: EmbeddedBatch, drives: int) -> Readout:
    """Fit what is to be added to the votes of sound; nothing changes by that.

    A logistic regression for each task on what the network says from sound alone, all classes
    that are there counting alike. It moves the less, the fewer drives there are.

    Args:
        network: As trained.
        samples: Of drives that it has not learned from; those with sound and a label are used.
        drives: How many drives they are of.
    """
    column = NETWORK_MODALITIES.index(HEARD)
    samples = samples.rows((samples.presence[:, column] > 0.0).nonzero()[:, 0].numpy())
    weights: dict[str, Tensor] = {}
    biases: dict[str, Tensor] = {}
    if len(samples.presence):
        heard, said = samples.embeddings[HEARD], _said(network, samples)
        mean, deviation = heard.mean(dim=0), heard.std(dim=0, correction=0) + _LEAST_DEVIATION
        standardised = (heard - mean) / deviation
        for task, before in said.items():
            targets = samples.targets[task]
            known = targets != UNLABELLED
            if known.any():
                weight, bias = _regress(standardised[known], before[known], targets[known], drives)
                weights[task] = weight / deviation
                biases[task] = bias - weights[task] @ mean
    return Readout(weights, biases)


@torch.no_grad()
def _said(network: FusionNetwork, samples: EmbeddedBatch) -> dict[str, Tensor]:
    """Let a network speak from sound alone."""
    device = next(network.parameters()).device
    alone = to_device(keep_modalities(samples, (HEARD,)), device)
    outputs = network.fuse(alone.embeddings, alone.presence, alone.age_s)
    return {task: outputs[task].cpu() for task in SURFACE_CLASSES}


def _regress(x: Tensor, before: Tensor, targets: Tensor, drives: int) -> tuple[Tensor, Tensor]:
    """Fit weights (classes, size) and biases (classes,) of what is added to logits."""
    classes = before.shape[1]
    weight, bias = torch.zeros(classes, x.shape[1]), torch.zeros(classes)
    counts = evened(targets, classes)

    def loss() -> Tensor:
        logits = before + functional.linear(x, weight, bias)
        shrinkage = _SHRINKAGE / drives**2 * (weight.square().sum() + bias.square().sum())
        return functional.cross_entropy(logits, targets, counts) + shrinkage

    minimise([weight, bias], loss, _EVALUATIONS)
    return weight, bias
