# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From a batch to its loss: network and losses in one module, as DDP wants them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn

from mm_fusion.errors import DatasetError
from mm_fusion.training.data.batch import Batch
from mm_fusion.training.mixup import mix_photographs

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.embed import EmbeddedBatch

_AnyBatch = TypeVar('_AnyBatch', bound='Batch | EmbeddedBatch')

_BOUNDED = ('camera', 'microphone')
"""What bfloat16 may be used for."""


class Objective(nn.Module, ABC):
    """What a step of a training minimises.

    Args:
        network: What learns.
        losses: What it learns by; its parameters, if any, learn as well.
        bfloat16: Compute the encoders of images and sound in bfloat16, where the device does
            that itself: they take most of the time, and their activations are bounded.
            Everything else needs the digits.
    """

    def __init__(self, network: FusionNetwork, losses: nn.Module, *, bfloat16: bool) -> None:
        super().__init__()
        self.network = network
        self.losses = losses
        self.half_precision = bfloat16

    @abstractmethod
    def forward(self, batch: Batch | EmbeddedBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Give the loss of a batch, and the terms that it is made of."""


class Supervised(Objective):
    """Learn from labels.

    Args:
        network: What learns.
        losses: Are ``Losses``.
        bfloat16: As for every objective.
        mixup: While training, photographs are mixed in pairs (``mix_photographs``) with this
            concentration; 0: never.
    """

    def __init__(
        self, network: FusionNetwork, losses: nn.Module, *, bfloat16: bool, mixup: float = 0.0
    ) -> None:
        super().__init__(network, losses, bfloat16=bfloat16)
        self.mixup = mixup

    def forward(self, batch: Batch | EmbeddedBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Give the weighted sum of the losses, and the terms by themselves."""
        mixed = None
        if self.mixup and self.network.training and isinstance(batch, Batch):
            mixed = mix_photographs(batch, self.mixup)
        if mixed is not None:
            batch = mixed.batch
        embeddings = embed(self.network, batch, bfloat16=self.half_precision)
        outputs = self.network.fuse(embeddings, batch.presence, batch.age_s)
        total, terms = self.losses(outputs, batch.targets, batch.presence)
        if mixed is None:
            return total, terms
        other, others = self.losses(outputs, mixed.partners, batch.presence)
        return torch.lerp(other, total, mixed.share), {
            name: torch.lerp(others[name], term, mixed.share) for name, term in terms.items()
        }


def embed(
    network: FusionNetwork, batch: Batch | EmbeddedBatch, *, bfloat16: bool = False
) -> dict[str, Tensor]:
    """Embed the modalities of a batch; one that was embedded before is taken as it is.

    Returns:
        By modality, float32 (B, size), zeros for the samples that lack it.
    """
    if not isinstance(batch, Batch):
        return batch.embeddings
    size, inputs = len(batch.presence), dict(batch.inputs)
    if 'motion' in inputs:
        inputs['motion'] = _newest(inputs['motion'], network.config.motion_steps)
    bfloat16 = bfloat16 and computes_bfloat16(batch.presence.device)
    coarse = {name: inputs[name] for name in _BOUNDED if bfloat16 and name in inputs}
    precise = {name: value for name, value in inputs.items() if name not in coarse}
    embeddings = network.encode(precise, batch.rows, size)
    if coarse:
        with torch.autocast(batch.presence.device.type, torch.bfloat16):
            found = network.encode(coarse, batch.rows, size)
        embeddings |= {name: found[name] for name in coarse}
    return embeddings


def computes_bfloat16(device: torch.device) -> bool:
    """Tell whether a device computes in bfloat16 itself.

    On a CPU oneDNN does, with AVX-512 or better; elsewhere torch converts number by number, and
    takes a multiple of the time of float32.
    """
    if device.type == 'cpu':
        # There is no public name for it, and builds without oneDNN lack it.
        native = getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', None)
        return native is not None and bool(native())
    return device.type != 'cuda' or torch.cuda.is_bf16_supported()


def _newest(motion: Tensor, steps: int) -> Tensor:
    """Keep the newest rows of a history that is longer than the network takes."""
    if motion.shape[1] < steps:
        raise DatasetError(
            f'motion_steps: found {motion.shape[1]} rows in the data, expected at least {steps}'
        )
    return motion[:, -steps:]


def to_device(batch: _AnyBatch, device: torch.device) -> _AnyBatch:
    """Move every tensor of a batch to where the network is."""
    if device.type == 'cpu':
        return batch
    moved: dict[str, Any] = {}
    for item in dataclasses.fields(batch):
        value = getattr(batch, item.name)
        if isinstance(value, torch.Tensor):
            moved[item.name] = value.to(device)
        elif isinstance(value, dict):
            moved[item.name] = {name: part.to(device) for name, part in value.items()}
    return dataclasses.replace(batch, **moved)
