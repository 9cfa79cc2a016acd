# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Spectrograms are masked while a network trains, and at no other time."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.torch


def test_masks_last_as_long_as_the_context_and_the_training() -> None:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.masks import masked_spectrograms
    from support.learning import AUDIO, NETWORK

    torch.manual_seed(0)
    network = build_network(NETWORK, pretrained=False)
    sound = network.encoders['microphone']
    spectrogram = sound.get_submodule('spectrogram')
    audio = torch.randn(2, AUDIO)
    plain = spectrogram(audio)
    with masked_spectrograms(network):
        network.eval()
        assert torch.equal(spectrogram(audio), plain)
        network.train()
        masked = spectrogram(audio)
        assert not torch.equal(masked, plain)
        share = float((masked != plain).float().mean())
        assert 0.0 < share < 0.6
    assert torch.equal(spectrogram(audio), plain)
