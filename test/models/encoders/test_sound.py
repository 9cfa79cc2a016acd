# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound encoders: what the spectrogram is, and what is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = pytest.mark.torch


def sweep(rising: bool) -> Tensor:
    """Make a second of a tone that rises or falls by 1 kHz, (1, 16000)."""
    import torch

    time = torch.arange(16_000) / 16_000
    phase = 2 * torch.pi * (500 * time + 500 * time.square())
    tone = torch.sin(phase)[None]
    return tone if rising else tone.flip(1)


def test_mel_filters_match_their_definition() -> None:
    from mm_fusion.models.encoders.sound import mel_filters

    filters = mel_filters()
    assert filters.shape == (64, 257)
    assert filters.sum(axis=1) == pytest.approx(np.ones(64), abs=1e-6)
    centres = (filters * np.arange(257)).sum(axis=1) * 16_000 / 512
    assert (np.diff(centres) >= 0).all()
    assert 150 < centres[0] < 250
    assert 6_800 < centres[-1] < 7_600


def test_spectrogram_is_that_of_a_fourier_transform() -> None:
    import torch

    from mm_fusion.models.encoders.sound import LogMel, mel_filters

    audio = np.random.default_rng(0).uniform(-1, 1, 4096).astype(np.float32)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = np.stack([audio[s : s + 512] for s in range(0, 4096 - 511, 256)])
    power = np.abs(np.fft.rfft(frames * hann / hann.sum(), axis=1)) ** 2
    decibel = np.log10(power @ mel_filters().T.astype(np.float64) + 1e-7).T
    found = LogMel()(torch.from_numpy(audio)[None])[0].numpy()
    assert found[0] == pytest.approx(decibel - decibel.mean(), abs=1e-3)
    assert found[1] == pytest.approx(decibel - decibel.mean(axis=1, keepdims=True), abs=1e-3)


def test_what_is_faint_is_heard_beside_what_is_loud() -> None:
    import torch

    from mm_fusion.models.encoders.sound import LogMel

    seconds = torch.arange(16_000) / 16_000
    hum = 0.9 * torch.sin(2 * torch.pi * 60 * seconds)[None]
    tone = 1e-3 * torch.sin(2 * torch.pi * 4_000 * seconds)[None]
    spectrogram = LogMel()
    for faint in (tone, 0.0 * tone):
        shape = spectrogram(hum + faint)[0, 0]
        # Far from the hum, the bands have what they have without it.
        alone = spectrogram(faint)[0, 0]
        above = slice(32, 64)
        assert torch.allclose(
            shape[above] - shape[above].mean(), alone[above] - alone[above].mean(), atol=0.02
        )


def test_the_microphones_gain_changes_nothing() -> None:
    import torch

    from mm_fusion.models.encoders.sound import LogMel

    torch.manual_seed(0)
    audio = torch.rand(1, 8000) - 0.5
    # The floor of the power makes a small difference.
    assert torch.allclose(LogMel()(audio), LogMel()(audio * 0.3), atol=0.1)
    assert not torch.allclose(LogMel()(audio), LogMel()(audio.square()), atol=0.1)


def test_autocast_leaves_the_spectrogram_in_single_precision() -> None:
    import torch

    from mm_fusion.models.encoders.sound import LogMel

    audio = sweep(rising=True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = LogMel()(audio)
    assert torch.equal(found, LogMel()(audio))


@pytest.mark.parametrize('name', ['crnn', 'cnn'])
def test_silence_gives_finite_embeddings(name: str) -> None:
    import torch

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.encoders import build_encoder

    encoder = build_encoder('microphone', NetworkConfig(sound_encoder=name)).eval()
    with torch.no_grad():
        embedding = encoder(torch.zeros(1, 48_000))
    assert embedding.shape == (1, encoder.embedding_size)
    assert torch.isfinite(embedding).all()


@pytest.mark.parametrize('name', ['crnn', 'cnn'])
def test_an_encoder_is_its_spectrogram_and_what_it_makes_of_it(name: str) -> None:
    import torch

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.encoders import build_encoder
    from mm_fusion.models.encoders.sound import SoundEncoder

    torch.manual_seed(0)
    encoder = build_encoder('microphone', NetworkConfig(sound_encoder=name)).eval()
    assert isinstance(encoder, SoundEncoder)
    spectrogram = encoder.spectrogram(sweep(rising=True))
    assert spectrogram.shape == (1, 2, 64, 61)
    whole = encoder.embed_spectrogram(spectrogram)
    assert torch.equal(whole, encoder(sweep(rising=True)))
    spectrogram[:, :, 20:40] = 0.0
    assert not torch.allclose(whole, encoder.embed_spectrogram(spectrogram), atol=1e-3)


def test_the_recurrent_encoder_hears_in_which_order() -> None:
    import torch

    from mm_fusion.models.encoders.sound import RecurrentSoundEncoder

    torch.manual_seed(0)
    encoder = RecurrentSoundEncoder().eval()
    # Each of its frames is a mean over time, whatever the order there.
    encoder.blocks = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d((4, 16)))
    encoder.reduce = torch.nn.Linear(8, 64)
    spectrogram = torch.randn(1, 2, 64, 64)
    # Both have the same frames; only the recurrence can tell one order from the other.
    with torch.no_grad():
        found, reversed_ = (
            encoder.embed_spectrogram(x).reshape(3, 64) for x in (spectrogram, spectrogram.flip(3))
        )
        states = encoder.time(encoder.reduce(encoder.blocks(spectrogram).flatten(1, 2).mT).relu())[
            0
        ][0]
    assert (found - reversed_).abs().amax(dim=1).min() > 1e-3
    pooled = torch.stack([states.mean(dim=0), states.amax(dim=0), states[-1]])
    assert torch.allclose(found, pooled, atol=1e-6)
