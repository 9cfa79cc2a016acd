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
_HOP = _FFT // 2
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

    A window is two hops, and each hop is transformed once for both windows that it is in: their
    sum is the transform of the whole window, and Hann's shape is laid over that as a sum of
    neighbouring bins (Harris, 1978, On the use of windows for harmonic analysis with the discrete
    Fourier transform). That takes half the products and half the constants.

    The mean over the window is taken off: neither the gain of the microphone nor the level of
    the recording says anything about a siren.
    """

    transform: Tensor
    signs: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        filters = mel_filters()
        heard = np.flatnonzero(filters.any(axis=0))  # the lowest and the highest bins are not
        bins = np.arange(heard[0] - 1, heard[-1] + 2)  # Hann's window takes from both neighbours
        phase = 2.0 * np.pi * np.outer(bins, np.arange(_HOP)) / _FFT
        kernel = np.concatenate([np.cos(phase), np.sin(phase)]) / _FFT
        signs = np.tile(np.where(bins % 2, -1.0, 1.0), 2)  # half a window later
        for name, values in (
            ('transform', kernel[:, None, :]),
            ('signs', signs[:, None]),
            ('filters', filters[:, bins[1:-1]]),
        ):
            self.register_buffer(name, torch.from_numpy(values).float(), persistent=False)

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
        halves = functional.conv1d(audio.unsqueeze(1), self.transform, stride=_HOP)
        windows = halves[:, :, :-1] + self.signs * halves[:, :, 1:]
        real, imaginary = (_hann(part) for part in windows.chunk(2, dim=1))
        power = real * real + imaginary * imaginary
        # 1 + x / floor, not floor + x: an exporter may take so small a constant for zero.
        return torch.log10(1.0 + torch.matmul(self.filters, power) / _POWER_FLOOR)


def _hann(bins: Tensor) -> Tensor:
    """Lay Hann's window over transforms (batch, bins, frames); the outer bins fall away."""
    return bins[:, 1:-1] - 0.5 * (bins[:, :-2] + bins[:, 2:])


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
