# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How weights move: groups of parameters, the course of the rate, averaged weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import OptimizationConfig


def freeze(network: FusionNetwork, config: OptimizationConfig) -> None:
    """Keep the weights of all encoders, or of the first blocks of the image encoder.

    Raises:
        DatasetError: The image encoder has fewer blocks than shall be frozen.
    """
    if config.freeze_encoders:
        network.encoders.requires_grad_(False)  # noqa: FBT003  # torch's own signature
    if not config.frozen_blocks:
        return
    parts = first_blocks(network.encoders['camera'], config.frozen_blocks)
    for part in parts:
        part.requires_grad_(False)  # noqa: FBT003


def first_blocks(encoder: nn.Module, count: int) -> list[nn.Module]:
    """List the stem and the first blocks of an image encoder.

    Raises:
        DatasetError: It has fewer blocks, or does not name them.
    """
    blocks, stem = getattr(encoder, 'blocks', None), getattr(encoder, 'stem', None)
    if not isinstance(blocks, nn.Sequential) or not isinstance(stem, nn.Module):
        raise DatasetError(
            f'frozen_blocks: found {type(encoder).__name__}, which has no such blocks; expected '
            '0, or an encoder of convolutions'
        )
    found = len(blocks)
    if found < count:
        raise DatasetError(
            f'frozen_blocks: found {found} blocks in the image encoder, expected at least {count}'
        )
    return [stem, *list(blocks)[:count]]


def parameter_groups(
    network: FusionNetwork, losses: nn.Module, config: OptimizationConfig
) -> list[dict[str, object]]:
    """Group what learns by its factor on the rate, and by whether it decays.

    Biases, norms and the shares of the losses do not decay.
    """
    factors = {
        'camera': config.camera_factor,
        'microphone': config.microphone_factor,
        'motion': config.motion_factor,
    }
    encoders = {
        id(parameter): factors[name]
        for name, encoder in network.encoders.items()
        for parameter in encoder.parameters()
    }
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for parameter in (*network.parameters(), *losses.parameters()):
        if parameter.requires_grad:
            key = (encoders.get(id(parameter), 1.0), parameter.ndim > 1)
            groups.setdefault(key, []).append(parameter)
    if not groups:
        raise DatasetError('found no parameter that learns, expected some')
    return [
        {
            'params': parameters,
            'factor': factor,
            'weight_decay': config.weight_decay if decays else 0.0,
        }
        for (factor, decays), parameters in groups.items()
    ]


def rate_at(done: float, config: OptimizationConfig) -> float:
    """Rise in a straight line, fall as half a cosine (Loshchilov and Hutter, 2017, SGDR).

    Args:
        done: Share of the steps that are done.
        config: Rates.
    """
    if done < config.warm_up:
        share = done / config.warm_up
    else:
        left = (done - config.warm_up) / max(1.0 - config.warm_up, 1e-9)
        share = 0.5 * (1.0 + math.cos(math.pi * left))
    return config.learning_rate * max(share, config.least_rate)


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move averaged weights towards those of a model (an exponential moving average)."""
    for mean, value in zip(
        average.state_dict().values(), model.state_dict().values(), strict=True
    ):
        if mean.is_floating_point():
            mean.lerp_(value.to(mean.dtype), 1.0 - decay)
        else:
            mean.copy_(value)
