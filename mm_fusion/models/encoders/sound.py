# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound encoders: log-mel spectrogram as convolutions, then a small CNN, then a GRU."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mm_fusion.models.encoders.base import Encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000

_FFT = 512
_HOP = 256
_MELS = 64
_LOWEST_HZ = 150.0
_HIGHEST_HZ = 7_600.0
_POWER_FLOOR = 1e-7
_CHANNELS = (16, 32, 48, 96)
_STATE = 64


def mel_filters() -> NDArray[np.float32]:
    """Make triangular filters, evenly spaced on the mel scale of O'Shaughnessy (1987).

    Returns:
        float32 (mels, bins of the transform), each filter with unit sum.
    """

    def mel(hertz: float) -> float:
        return 2595.0 * math.log10(1.0 + hertz / 700.0)

    edges_mel = np.linspace(mel(_LOWEST_HZ), mel(_HIGHEST_HZ), _MELS + 2)
    edges = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins = np.arange(_FFT // 2 + 1) * SAMPLE_RATE_HZ / _FFT
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    # A filter narrower than a bin takes the bin nearest to its centre.
    empty = filters.sum(axis=1) == 0.0
    nearest = np.abs(bins - edges[1:-1, None]).argmin(axis=1)
    filters[empty, nearest[empty]] = 1.0
    return np.asarray(filters / filters.sum(axis=1, keepdims=True), np.float32)


class LogMel(nn.Module):
    """Log-mel spectrogram whose Fourier transform is a convolution, so that it exports.

    The mean over the window is taken off: neither the gain of the microphone nor the level of
    the recording says anything about a siren.
    """

    transform: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        time = np.arange(_FFT)
        phase = 2.0 * np.pi * np.outer(np.arange(_FFT // 2 + 1), time) / _FFT
        hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * time / _FFT)
        filters = mel_filters()
        heard = filters.any(axis=0)  # of the lowest and the highest bins no filter takes anything
        phase = phase[heard]
        kernel = np.concatenate([np.cos(phase), np.sin(phase)]) * hann / hann.sum()
        self.register_buffer(
            'transform', torch.from_numpy(kernel[:, None, :]).float(), persistent=False
        )
        self.register_buffer(
            'filters', torch.from_numpy(filters[:, heard].copy()), persistent=False
        )

    def forward(self, audio: Tensor) -> Tensor:
        """Transform ``audio``, float32 (batch, samples), to (batch, 2, mels, frames).

        The first channel keeps the spectral shape; from the second, each band's mean over time
        is taken off too, which leaves what moves.
        """
        # Half precision would drown what is faint beside what is loud.
        with torch.autocast(audio.device.type, enabled=False):
            decibel = self._decibel(audio.float())
        level = decibel - decibel.mean(dim=(1, 2), keepdim=True)
        motion = decibel - decibel.mean(dim=2, keepdim=True)
        return torch.stack([level, motion], dim=1)

    def _decibel(self, audio: Tensor) -> Tensor:
        spectrum = functional.conv1d(audio.unsqueeze(1), self.transform, stride=_HOP)
        real, imaginary = spectrum.chunk(2, dim=1)
        power = real * real + imaginary * imaginary
        # 1 + x / floor, not floor + x: an exporter may take so small a constant for zero.
        return torch.log10(1.0 + torch.matmul(self.filters, power) / _POWER_FLOOR)


class SoundEncoder(Encoder):
    """Embed a log-mel spectrogram; what is common to both kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.spectrogram = LogMel()

    def forward(self, audio: Tensor, /) -> Tensor:
        """Embed ``audio``, float32 (batch, samples) PCM in [-1, 1], as float32 (batch, size)."""
        return self.embed_spectrogram(self.spectrogram(audio))

    @abstractmethod
    def embed_spectrogram(self, spectrogram: Tensor) -> Tensor:
        """Embed what ``spectrogram`` gives: float32 (batch, 2, mels, frames)."""


class ConvolutionalSoundEncoder(SoundEncoder):
    """CNN over the spectrogram, pooled over time by mean and maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = _convolutions(pools=(None, (2, 2), (2, 2), (2, 2)))
        self.embedding_size = 2 * _CHANNELS[-1]

    def embed_spectrogram(self, spectrogram: Tensor) -> Tensor:
        """Embed what ``spectrogram`` gives: float32 (batch, 2, mels, frames)."""
        frames = self.blocks(spectrogram).mean(dim=2)
        return torch.cat([frames.mean(dim=2), frames.amax(dim=2)], dim=1)


class RecurrentSoundEncoder(SoundEncoder):
    """CNN over the spectrogram, then a GRU over time.

    After Choi et al., 2017, Convolutional Recurrent Neural Networks for Music Classification. The
    convolutions keep 64 ms apart what the GRU follows: how a wail rises and falls. Its
    states are pooled by mean, maximum and the last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blocks = _convolutions(pools=(None, (2, 2), (2, 1), (2, 1)))
        bands = _MELS // 2 ** len(_CHANNELS)
        self.reduce = nn.Linear(_CHANNELS[-1] * bands, _STATE)
        self.time = nn.GRU(_STATE, _STATE, batch_first=True)
        self.embedding_size = 3 * _STATE

    def embed_spectrogram(self, spectrogram: Tensor) -> Tensor:
        """Embed what ``spectrogram`` gives: float32 (batch, 2, mels, frames)."""
        frames = self.blocks(spectrogram).flatten(1, 2).transpose(1, 2)
        states: Tensor = self.time(functional.relu(self.reduce(frames)))[0]
        return torch.cat([states.mean(dim=1), states.amax(dim=1), states[:, -1]], dim=1)


def _convolutions(pools: tuple[tuple[int, int] | None, ...]) -> nn.Sequential:
    """Make the layers over (batch, 2, mels, frames); where no pool is, the convolution strides.

    It strides where the maps are largest: most of the time goes there.
    """
    layers: list[nn.Module] = []
    inputs = 2
    for channels, pool in zip(_CHANNELS, pools, strict=True):
        layers += [
            nn.Conv2d(inputs, channels, 5, stride=2, padding=2, bias=False)
            if pool is None
            else nn.Conv2d(inputs, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        layers += [] if pool is None else [nn.MaxPool2d(pool)]
        inputs = channels
    return nn.Sequential(*layers)
