# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Random variations of sound: mixtures, levels, spectral colour, speed, gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLOUR_POINTS = 6
_LEVEL = (0.02, 1.0)
_SHORTEST = 0.4


@dataclass(frozen=True, slots=True)
class SoundVariation:
    """How strongly and how often sounds are varied.

    Attributes:
        mix: Probability that another sound is mixed in.
        siren_to_noise_db: Range of the ratio of a siren to what is mixed in.
        noise_to_noise_db: Range of the ratio of another sound to what is mixed in.
        noise: Probability of coloured noise.
        colour_db: Largest gain of the random filter.
        silence: Probability that the front is silent, as when the microphone has just started.
        nothing: Probability that a sound without a siren is replaced by noise.
    """

    mix: float = 0.7
    siren_to_noise_db: tuple[float, float] = (-5.0, 20.0)
    noise_to_noise_db: tuple[float, float] = (-10.0, 10.0)
    noise: float = 0.2
    colour_db: float = 12.0
    silence: float = 0.15
    nothing: float = 0.02


def mix(
    signal: NDArray[np.float32], noise: NDArray[np.float32], ratio_db: float
) -> NDArray[np.float32]:
    """Add noise at the given ratio of signal power to noise power; silence changes nothing."""
    signal_power = float(np.mean(np.square(signal, dtype=np.float64)))
    noise_power = float(np.mean(np.square(noise, dtype=np.float64)))
    if signal_power == 0.0 or noise_power == 0.0:
        return signal
    gain = np.sqrt(signal_power / noise_power) * 10.0 ** (-ratio_db / 20.0)
    return np.asarray(signal + gain * noise, np.float32)


def random_window(
    clip: NDArray[np.float32], samples: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Cut a window at random, played up to a tenth slower or faster; short clips are repeated."""
    speed = math.exp(random.uniform(-0.1, 0.1))
    needed = int(samples * speed) + 2
    if clip.size < needed:
        clip = np.tile(clip, -(-needed // clip.size))
    start = int(random.integers(clip.size - needed + 1))
    positions = np.arange(samples) * speed
    left = positions.astype(np.int64)
    part = (positions - left).astype(np.float32)
    piece = clip[start : start + needed]
    return np.asarray(piece[left] * (1 - part) + piece[left + 1] * part, np.float32)


def coloured(
    window: NDArray[np.float32], random: np.random.Generator, most_db: float
) -> NDArray[np.float32]:
    """Filter with a random smooth gain curve: another microphone, room or loudspeaker."""
    spectrum = scipy.fft.rfft(window)
    points = random.uniform(-most_db, most_db, _COLOUR_POINTS)
    places = np.sqrt(np.linspace(0.0, 1.0, spectrum.size))
    curve = np.interp(places, np.linspace(0.0, 1.0, _COLOUR_POINTS), points)
    gain = np.exp((np.log(10.0) / 20.0 * curve).astype(np.float32))
    return np.asarray(scipy.fft.irfft(spectrum * gain, window.size), np.float32)


def coloured_noise(
    samples: int, random: np.random.Generator, most_db: float
) -> NDArray[np.float32]:
    """Make noise of a random smooth spectrum: float32 (samples,), of unit power before it."""
    return coloured(random.standard_normal(samples, np.float32), random, most_db)


def shortened(window: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Silence the front at random, as when the microphone has just started."""
    kept = window.copy()
    kept[: int(window.size * random.uniform(0.0, 1.0 - _SHORTEST))] = 0.0
    return kept


def levelled(window: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Scale to a random peak in [0.02, 1]; silence stays as it is."""
    peak = float(np.abs(window).max())
    level = math.exp(random.uniform(*np.log(_LEVEL)))
    return window * np.float32(level / peak) if peak > 0.0 else window


def amplified(window: NDArray[np.float32], gain_db: float) -> NDArray[np.float32]:
    """Change the level, and clip as a recorder does."""
    return np.clip(window * np.float32(10.0 ** (gain_db / 20.0)), -1.0, 1.0)
