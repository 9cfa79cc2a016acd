# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Seeded noise that tiles: what goes out at one edge comes in at the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def band(
    rng: np.random.Generator, pixels: int, cycles: float, width: float = 1.5
) -> NDArray[np.float32]:
    """Make noise around one spatial frequency.

    Args:
        rng: Source of the randomness.
        pixels: Rows and columns.
        cycles: Frequency, cycles over the whole tile.
        width: Ratio of the highest to the middle frequency.

    Returns:
        float32 (pixels, pixels), mean 0, deviation 1.
    """
    frequency = _frequencies(pixels)
    gain = np.exp(-0.5 * (np.log(np.maximum(frequency, 1e-6) / cycles) / np.log(width)) ** 2)
    return _shaped(rng, pixels, gain)


def fractal(
    rng: np.random.Generator, pixels: int, cycles: float, octaves: int = 8, rough: float = 0.5
) -> NDArray[np.float32]:
    """Make noise whose amplitude falls with frequency.

    Args:
        rng: Source of the randomness.
        pixels: Rows and columns.
        cycles: Lowest frequency, cycles over the whole tile.
        octaves: Doublings of the frequency up to the highest.
        rough: Factor of the amplitude at each doubling.

    Returns:
        float32 (pixels, pixels), mean 0, deviation 1.
    """
    frequency = _frequencies(pixels)
    fall = 1 - np.log2(rough)
    gain = np.maximum(frequency / cycles, 0.5) ** -fall
    gain[(frequency < 0.9 * cycles) | (frequency > cycles * 2.0**octaves)] = 0
    return _shaped(rng, pixels, gain)


def _frequencies(pixels: int) -> NDArray[np.float64]:
    rows = np.fft.fftfreq(pixels, 1 / pixels)[:, None]
    return np.asarray(np.hypot(rows, np.fft.rfftfreq(pixels, 1 / pixels)[None]))


def _shaped(
    rng: np.random.Generator, pixels: int, gain: NDArray[np.float64]
) -> NDArray[np.float32]:
    spectrum = np.fft.rfft2(rng.standard_normal((pixels, pixels), np.float32)) * gain
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, (pixels, pixels))
    return np.asarray(field / field.std(), np.float32)
