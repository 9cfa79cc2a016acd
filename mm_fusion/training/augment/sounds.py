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
        tones: Probability that drops, beeps or horns are mixed in.
    """

    mix: float = 0.7
    siren_to_noise_db: tuple[float, float] = (-5.0, 20.0)
    noise_to_noise_db: tuple[float, float] = (-10.0, 10.0)
    noise: float = 0.2
    colour_db: float = 12.0
    silence: float = 0.15
    nothing: float = 0.02
    tones: float = 0.3


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


def tonal_events(samples: int, rate_hz: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Make sounds that have a pitch as sirens have, but one that does not move.

    Drops, glasses and bells: short tones that ring off; beepers of lorries: one tone, on and off;
    horns: two tones with overtones, held once or twice.

    Args:
        samples: Length of the result.
        rate_hz: Of the samples.
        random: Source of all randomness.

    Returns:
        float32 (samples,), of a level of about 1; at least one event.
    """
    made = (_drops, _beeps, _horns)[int(random.integers(3))]
    return np.asarray(made(samples, rate_hz, random), np.float32)


def _drops(samples: int, rate_hz: int, random: np.random.Generator) -> NDArray[np.float64]:
    sound = np.zeros(samples)
    pitch_hz = math.exp(random.uniform(math.log(300.0), math.log(3000.0)))
    for _ in range(1 + int(random.poisson(random.uniform(0.5, 8.0) * samples / rate_hz))):
        decay_s = math.exp(random.uniform(math.log(0.01), math.log(0.3)))
        start = int(random.integers(samples))
        times = np.arange(min(samples - start, int(6.0 * decay_s * rate_hz))) / rate_hz
        own_hz = pitch_hz * math.exp(random.normal(0.0, 0.3))
        strength = random.uniform(0.2, 1.0)
        sound[start : start + times.size] += (
            strength * np.exp(-times / decay_s) * np.sin(2.0 * np.pi * own_hz * times)
        )
    return sound


def _beeps(samples: int, rate_hz: int, random: np.random.Generator) -> NDArray[np.float64]:
    times = np.arange(samples) / rate_hz
    period_s = random.uniform(0.2, 1.2)
    on = (times / period_s + random.random()) % 1.0 < random.uniform(0.3, 0.7)
    return on * _overtones(times, random.uniform(600.0, 3000.0), random)


def _horns(samples: int, rate_hz: int, random: np.random.Generator) -> NDArray[np.float64]:
    sound = np.zeros(samples)
    low_hz = random.uniform(250.0, 550.0)
    for _ in range(int(random.integers(1, 3))):
        start = int(random.integers(samples))
        times = np.arange(min(samples - start, int(random.uniform(0.15, 1.5) * rate_hz))) / rate_hz
        for pitch_hz in (low_hz, low_hz * random.uniform(1.15, 1.3)):
            sound[start : start + times.size] += _overtones(times, pitch_hz, random)
    return sound


def _overtones(
    times: NDArray[np.float64], pitch_hz: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Give a tone with five overtones that fall off at random steepness."""
    steepness = random.uniform(0.5, 3.0)
    orders = np.arange(1, 7)[:, None]
    waves = np.sin(2.0 * np.pi * orders * pitch_hz * times) / orders**steepness
    return np.asarray(waves[orders[:, 0] * pitch_hz < 7000.0].sum(axis=0))


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
