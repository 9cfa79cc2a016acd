# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Encoders: one sensor in, one embedding out; preprocessing is part of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from mm_fusion.errors import DatasetError
from mm_fusion.models.encoders.image import ImageEncoder
from mm_fusion.models.encoders.image_transformer import ImageTransformer
from mm_fusion.models.encoders.motion import MotionEncoder
from mm_fusion.models.encoders.sound import ConvolutionalSoundEncoder, RecurrentSoundEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.encoders.base import Encoder

ENCODERS: Mapping[str, Mapping[str, Callable[[NetworkConfig], Encoder]]] = {
    'camera': {
        'efficientnet_lite0': lambda config: ImageEncoder(config.width),
        'transformer': lambda config: ImageTransformer(config.image_size, config.width),
    },
    'microphone': {
        'crnn': lambda _: RecurrentSoundEncoder(),
        'cnn': lambda _: ConvolutionalSoundEncoder(),
    },
    'motion': {
        'gru': lambda _: MotionEncoder(nn.GRU),
        'lstm': lambda _: MotionEncoder(nn.LSTM),
    },
}
"""How to build each encoder, by modality and name; a new one is entered here."""


def build_encoder(modality: str, config: NetworkConfig) -> Encoder:
    """Build the encoder that ``config`` names for a modality, with random weights.

    Raises:
        DatasetError: There is no such modality.
    """
    names = {
        'camera': config.image_encoder,
        'microphone': config.sound_encoder,
        'motion': config.motion_encoder,
    }
    if modality not in names:
        raise DatasetError(f'encoder: found modality {modality!r}, expected one of {list(names)}')
    return ENCODERS[modality][names[modality]](config)
