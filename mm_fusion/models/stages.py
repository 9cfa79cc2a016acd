# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The network as the stages of a bundle: named inputs, named outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork

ENCODER_STAGES = {
    'camera': ('image_encoder', 'image'),
    'microphone': ('audio_encoder', 'audio'),
    'motion': ('motion_encoder', 'motion'),
}
"""By modality: its stage, and the name of the stage's input."""

FUSION_OUTPUTS = {
    'friction': 'friction_logits',
    'material': 'material_logits',
    'unevenness': 'unevenness_logits',
    'siren': 'siren_logit',
    'friction_coefficient': 'friction_coefficient',
    'modes': 'mode_logits',
    'trajectory': 'trajectory',
    'modality_weights': 'modality_weights',
}
"""Outputs of the fusion stage, in order, by what the network calls them."""


class FusionStage(nn.Module):
    """Give the fusion positional inputs and outputs, as a graph has them.

    Args:
        network: Whose fusion it is.
    """

    def __init__(self, network: FusionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, image: Tensor, audio: Tensor, motion: Tensor, presence: Tensor, age_s: Tensor
    ) -> tuple[Tensor, ...]:
        """Fuse; the outputs are those of ``FUSION_OUTPUTS`` in order."""
        embeddings = dict(zip(NETWORK_MODALITIES, (image, audio, motion), strict=True))
        outputs = self.network.fuse(embeddings, presence, age_s)
        return tuple(outputs[key] for key in FUSION_OUTPUTS)
