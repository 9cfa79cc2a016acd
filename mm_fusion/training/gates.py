# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Training of the gated fusion on embeddings of both modalities.

Photographs and sounds were never recorded together, so they are paired at random. Either is
dropped at times, and grows old at times: the older, the likelier it is that the scene has changed
since, which is played by taking another example's embedding in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from mm_fusion.labels import UNLABELLED
from mm_fusion.models.fusion.gated import GatedFusion
from mm_fusion.models.heads import TASK_SIZES
from mm_fusion.training.loop import Schedule, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from mm_fusion.models.heads import TaskHeads

_BATCH = 64
_STEPS_PER_EPOCH = 50
_DROP_PROBABILITY = 0.25
_AGED_PROBABILITY = 0.5
_OLDEST_S = 4.0
_WEIGHT_RATE_FACTOR = 1e-3
_SCENE_LASTS_S = {'camera': 3.0, 'microphone': 6.0}
"""Time after which a scene has changed with probability 1 - 1/e."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Examples of one modality, embedded, with the labels that they have.

    Attributes:
        embeddings: float32 (n, size).
        targets: By task, int64 (n,), ``UNLABELLED`` where it cannot be told; a task that the
            modality was never labelled for is left out.
    """

    embeddings: Tensor
    targets: Mapping[str, Tensor]


def assemble(heads: Mapping[str, TaskHeads]) -> GatedFusion:
    """Make a fusion network from trained heads, by modality, with gates that trust all alike."""
    fusion = GatedFusion({name: trained.embedding_size for name, trained in heads.items()})
    for name, trained in heads.items():
        fusion.heads[name].load_state_dict(trained.state_dict())
    return fusion


def train_gates(
    fusion: GatedFusion,
    examples: Mapping[str, Embedded],
    schedule: Schedule,
    *,
    seed: int,
    checkpoint: Path,
    progress: Callable[[int, int], None],
) -> None:
    """Train the gates in place; the heads keep what their own labels taught them.

    Args:
        fusion: From ``assemble``.
        examples: ``camera`` and ``microphone``.
        schedule: Length and rates.
        seed: Of everything random.
        checkpoint: File to resume from.
        progress: Told the epochs done and their total.
    """

    def epoch_losses(epoch: int) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(seed * 1013 + epoch)
        for _ in range(_STEPS_PER_EPOCH):
            yield _loss(fusion, examples, generator)

    fit(
        fusion,
        _learning(fusion),
        epoch_losses,
        _STEPS_PER_EPOCH,
        schedule,
        seed=seed,
        checkpoint=checkpoint,
        progress=progress,
    )


def _learning(fusion: GatedFusion) -> list[tuple[list[nn.Parameter], float]]:
    """Let the weights on the embeddings learn far slower than the biases and the decay.

    There are about as many of them as examples: at full rate they learn by heart which examples
    the heads get wrong.
    """
    named = list(fusion.gates.named_parameters())
    weights = [parameter for name, parameter in named if name.endswith('weight')]
    others = [parameter for name, parameter in named if not name.endswith('weight')]
    return [(weights, _WEIGHT_RATE_FACTOR), (others, 1.0)]


def _loss(
    fusion: GatedFusion, examples: Mapping[str, Embedded], generator: torch.Generator
) -> Tensor:
    presence = torch.zeros(_BATCH, 3)
    dropped = torch.rand(_BATCH, generator=generator)
    presence[:, 0] = (dropped >= _DROP_PROBABILITY).float()
    presence[:, 1] = (dropped < 1.0 - _DROP_PROBABILITY).float()
    age_s = torch.rand(_BATCH, 3, generator=generator) * _OLDEST_S
    age_s *= torch.rand(_BATCH, 3, generator=generator) < _AGED_PROBABILITY
    embeddings: dict[str, Tensor] = {}
    targets: dict[str, Tensor] = {}
    for column, (name, part) in enumerate(examples.items()):
        chosen = _draw(part, generator)
        changed = torch.rand(_BATCH, generator=generator) < 1.0 - torch.exp(
            -age_s[:, column] / _SCENE_LASTS_S[name]
        )
        seen = torch.where(changed, _draw(part, generator), chosen)
        embeddings[name] = part.embeddings[seen] * presence[:, column : column + 1]
        targets |= {task: labels[chosen] for task, labels in part.targets.items()}
    outputs = fusion(embeddings, presence, age_s)
    total = presence.new_zeros(())
    for task, target in targets.items():
        known = target != UNLABELLED
        if known.any():
            total = total + _divergence(outputs[task][known], target[known])
    return total


def _draw(part: Embedded, generator: torch.Generator) -> Tensor:
    return torch.randint(len(part.embeddings), (_BATCH,), generator=generator)


def _divergence(logits: Tensor, target: Tensor) -> Tensor:
    if logits.shape[1] == TASK_SIZES['siren']:
        return functional.binary_cross_entropy_with_logits(logits[:, 0], target.float())
    return functional.cross_entropy(logits, target)
