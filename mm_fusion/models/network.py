# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The fusion network: an encoder for each modality, and a strategy that fuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.models.encoders import build_encoder
from mm_fusion.models.encoders.image import ImageEncoder, load_imagenet_weights
from mm_fusion.models.fusion import STRATEGIES
from mm_fusion.models.kinematics import KINEMATIC_COLUMNS
from mm_fusion.models.path import MotionPath
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.fusion.base import Fusion


MOTION = 'motion'
_STATE = len(KINEMATIC_COLUMNS)
"""Last numbers of the motion embedding: for the path alone, in SI units."""


class FusionNetwork(nn.Module):
    """Encoders and fusion; any modality may be missing, of the batch or of some samples.

    Args:
        config: Names and sizes of its parts.

    Attributes:
        config: The same.
        encoders: ``Encoder`` by modality.
        fusion: A ``Fusion``.
        path: A ``MotionPath``.
        embedding_sizes: Length of the embedding by modality.
    """

    fusion: Fusion

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        encoders = {name: build_encoder(name, config) for name in NETWORK_MODALITIES}
        self.embedding_sizes = {name: part.embedding_size for name, part in encoders.items()}
        self.encoders = nn.ModuleDict(encoders)
        learned = self.embedding_sizes[MOTION] - _STATE
        fused = {**self.embedding_sizes, MOTION: learned}
        self.fusion = STRATEGIES[config.fusion](fused, config.token_size)
        self.path = MotionPath()

    def encode(
        self,
        inputs: Mapping[str, Tensor],
        rows: Mapping[str, Tensor] | None,
        batch: int,
    ) -> dict[str, Tensor]:
        """Embed what is there.

        Args:
            inputs: By modality, the measurements of the n samples that have it: ``camera`` uint8
                (n, size, size, 3), ``microphone`` float32 (n, samples), ``motion`` float32
                (n, steps, 3). A modality that no sample has may be missing, or n be 0.
            rows: By modality, int64 (n,), the places of those samples in the batch; None where
                every sample has every modality of ``inputs``.
            batch: Number of samples.

        Returns:
            By modality, float32 (batch, embedding size), zeros where a sample does not have it.
        """
        device = next(self.parameters()).device
        embeddings = {}
        for name, size in self.embedding_sizes.items():
            embedded = torch.zeros(batch, size, device=device)
            if name in inputs and inputs[name].shape[0]:
                # Under autocast an encoder may give half precision; fusion is in single.
                found = self.encoders[name](inputs[name]).float()
                embedded = found if rows is None else embedded.index_copy(0, rows[name], found)
            embeddings[name] = embedded
        return embeddings

    def fuse(
        self, embeddings: Mapping[str, Tensor], presence: Tensor, age_s: Tensor
    ) -> dict[str, Tensor]:
        """Predict every task from embeddings.

        Args:
            embeddings: What ``encode`` gives.
            presence: float32 (batch, 3), 1 or 0, in ``NETWORK_MODALITIES`` order.
            age_s: float32 (batch, 3), seconds, in the same order.

        Returns:
            What ``Fusion.fuse_tokens`` gives, the path of ``MotionPath`` where motion is known.
        """
        learned = _learned(embeddings)
        outputs: dict[str, Tensor] = self.fusion(learned, presence, age_s)
        column = NETWORK_MODALITIES.index(MOTION)
        outputs['modes'], outputs['trajectory'] = self.path(
            embeddings[MOTION][:, -_STATE:],
            presence[:, column : column + 1],
            outputs['modes'],
            outputs['trajectory'],
        )
        return outputs

    def tokens(self, embeddings: Mapping[str, Tensor], presence: Tensor, age_s: Tensor) -> Tensor:
        """Give the tokens that are fused, (batch, 3, token size); arguments of ``fuse``."""
        return self.fusion.tokens(_learned(embeddings), presence, age_s)

    def votes(self, embeddings: Mapping[str, Tensor], presence: Tensor) -> dict[str, Tensor]:
        """Give what each modality votes by itself, as ``Fusion.votes``; arguments of ``fuse``."""
        return self.fusion.votes(_learned(embeddings), presence)

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        presence: Tensor,
        age_s: Tensor,
        rows: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Predict every task; arguments as of ``encode`` and ``fuse``."""
        return self.fuse(self.encode(inputs, rows, presence.shape[0]), presence, age_s)


def _learned(embeddings: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out what is for the path alone."""
    return {**embeddings, MOTION: embeddings[MOTION][:, :-_STATE]}


def build_network(config: NetworkConfig, *, pretrained: bool) -> FusionNetwork:
    """Build a network with random weights from torch's generator.

    Args:
        config: Names and sizes of its parts.
        pretrained: Start the image encoder from ImageNet; only EfficientNet-Lite0 of width 1 has
            such weights, every other stays random.

    Raises:
        DatasetError: The package with the ImageNet weights is not installed.
    """
    network = FusionNetwork(config)
    camera = network.encoders['camera']
    if pretrained and isinstance(camera, ImageEncoder) and config.width == 1.0:
        load_imagenet_weights(camera)
    return network
