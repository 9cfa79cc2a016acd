# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The registry of encoders: each can be chosen by name, and all of it learns."""

from __future__ import annotations

import pytest

from mm_fusion.errors import DatasetError

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ('modality', 'choice'),
    [
        ('camera', {'image_encoder': 'efficientnet_lite0'}),
        ('camera', {'image_encoder': 'transformer'}),
        ('microphone', {'sound_encoder': 'crnn'}),
        ('microphone', {'sound_encoder': 'cnn'}),
        ('motion', {'motion_encoder': 'gru'}),
        ('motion', {'motion_encoder': 'lstm'}),
    ],
)
def test_every_encoder_embeds_and_learns(modality: str, choice: dict[str, str]) -> None:
    import torch

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.encoders import build_encoder

    torch.manual_seed(0)
    config = NetworkConfig.from_dict({'width': 0.25, 'image_size': 32, **choice})
    encoder = build_encoder(modality, config).train()
    measurement = {
        'camera': torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8),
        'microphone': torch.rand(2, 8192) - 0.5,
        'motion': torch.randn(2, 6, 3),
    }[modality]
    embedding = encoder(measurement)
    assert embedding.shape == (2, encoder.embedding_size)
    assert not torch.allclose(embedding[0], embedding[1])
    (embedding * torch.randn_like(embedding)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0.0, name


def test_an_unknown_modality_is_refused() -> None:
    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.encoders import build_encoder

    with pytest.raises(DatasetError, match=r"found modality 'radar'.*'camera'"):
        build_encoder('radar', NetworkConfig())
