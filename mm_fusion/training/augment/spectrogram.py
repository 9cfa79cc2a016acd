# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Masks on spectrograms: SpecAugment (Park et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class SpecAugment:
    """Mask bands of frequency and spans of time, other ones in each sample.

    Without time warping, which its authors found to matter least.

    Attributes:
        bands: Bands of frequency that are masked.
        widest_band: Largest share of the mel bands that one takes.
        spans: Spans of time that are masked.
        longest_span: Largest share of the frames that one takes.
    """

    bands: int = 2
    widest_band: float = 0.15
    spans: int = 2
    longest_span: float = 0.1

    def __call__(self, spectrogram: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Set what is masked to the mean of its sample.

        Args:
            spectrogram: float (batch, channels, mels, frames), log-mel.
            generator: Source of all randomness; None takes torch's own.

        Returns:
            The same shape; the input is left as it is.
        """
        mels, frames = spectrogram.shape[-2:]
        banned = torch.zeros_like(spectrogram[:, :1], dtype=torch.bool)
        for _ in range(self.bands):
            banned |= _stripes(spectrogram, mels, self.widest_band, generator)[:, None, :, None]
        for _ in range(self.spans):
            banned |= _stripes(spectrogram, frames, self.longest_span, generator)[:, None, None]
        mean = spectrogram.mean(dim=(1, 2, 3), keepdim=True)
        return torch.where(banned, mean, spectrogram)


def _stripes(
    spectrogram: Tensor, size: int, largest: float, generator: torch.Generator | None
) -> Tensor:
    """Draw a stripe for each sample: bool (batch, size), True inside."""
    width, start = torch.rand(
        (2, len(spectrogram), 1), generator=generator, device=spectrogram.device
    )
    width = width * (largest * size)
    start = start * (size - width)
    places = torch.arange(size, device=spectrogram.device)
    inside: Tensor = (places >= start) & (places < start + width)
    return inside
