# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Broadband noise with a given spectrum that changes with time, without seams."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.acoustics.levels import band_densities
from mm_fusion.simulation.acoustics.propagation import SPEED_OF_SOUND_MPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOP_S = 0.02


class NoiseStream:
    """Overlap frames of shaped random spectra, so that powers add up to what is asked for.

    There are two parts: *diffuse* sound that comes from all around, with the coherence of a
    diffuse field between two microphones (sin(kd)/kd), and *local* noise that arises at each
    microphone by itself.

    Args:
        rate_hz: Samples a second.
        channels: Number of microphones.
        spacing_m: Distance between two.
        rng: Draws the noise, in order of time.
    """

    def __init__(
        self, rate_hz: int, channels: int, spacing_m: float, rng: np.random.Generator
    ) -> None:
        self.hop = max(round(HOP_S * rate_hz), 1)
        self._rng = rng
        frequencies = np.arange(self.hop + 1, dtype=np.float64) * (rate_hz / (2 * self.hop))
        # E|X|² of a bin over its density, for inverse transforms that divide by their length.
        self._scale = rate_hz * self.hop / 2
        self._densities = band_densities(frequencies)
        self._white = 2.0 / rate_hz
        self._coherence = np.sinc(2 * frequencies * spacing_m / SPEED_OF_SOUND_MPS)
        self._window = np.sin(math.pi * (np.arange(2 * self.hop) + 0.5) / (2 * self.hop))
        self._tail: NDArray[np.float64] = np.zeros((2, channels, self.hop))
        self._ready: NDArray[np.float64] = np.zeros((2, channels, 0))

    def sound(
        self,
        diffuse: NDArray[np.float64],
        local: NDArray[np.float64],
        white_pa2: float,
        count: int,
    ) -> NDArray[np.float64]:
        """Give the next ``count`` samples, Pa, float64 (2, channels, count): diffuse, local.

        Args:
            diffuse: float64 (8,), Pa² by octave band.
            local: float64 (8,), Pa² by octave band.
            white_pa2: White noise that is added to the local one.
            count: Number of samples.
        """
        while self._ready.shape[2] < count:
            frame = self._frame(diffuse, local, white_pa2)
            whole = self._tail + frame[..., : self.hop]
            self._tail = frame[..., self.hop :]
            self._ready = np.concatenate([self._ready, whole], axis=2)
        out, self._ready = self._ready[..., :count], self._ready[..., count:]
        return out

    def _frame(
        self, diffuse: NDArray[np.float64], local: NDArray[np.float64], white_pa2: float
    ) -> NDArray[np.float64]:
        channels = self._tail.shape[1]
        drawn = self._rng.standard_normal((2, channels, 2, self.hop + 1))
        spectra = drawn[:, :, 0] + 1j * drawn[:, :, 1]
        if channels == 2:
            alike = self._coherence
            spectra[0, 1] = alike * spectra[0, 0] + np.sqrt(1 - alike**2) * spectra[0, 1]
        powers = np.stack([diffuse, local]) @ self._densities
        powers[1] += white_pa2 * self._white
        spectra *= np.sqrt(self._scale * powers)[:, None]
        return np.asarray(np.fft.irfft(spectra, 2 * self.hop) * self._window)
