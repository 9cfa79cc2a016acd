# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Random variations of sound: mixtures, levels, spectral colour, speed, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MIX_PROBABILITY = 0.7
_SIREN_TO_NOISE_DB = (-5.0, 20.0)
_NOISE_TO_NOISE_DB = (-10.0, 10.0)
_PEAK_RANGE = (0.02, 1.0)
_COLOUR_DB = 12.0
_COLOUR_POINTS = 6
_SILENCE_PROBABILITY = 0.02
_SHORTEST = 0.4
_SHORT_PROBABILITY = 0.15


def augment_batch(
    clips: Sequence[NDArray[np.float32]],
    sirens: NDArray[np.int64],
    others: NDArray[np.int64],
    backgrounds: NDArray[np.int64],
    samples: int,
    random: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make one batch of windows: sirens in noise, and other sounds in other sounds.

    Args:
        clips: All clips.
        sirens: Indices of clips with a siren.
        others: Indices of clips without.
        backgrounds: Indices of clips that may be mixed in; none has a siren.
        samples: Length of a window.
        random: Source of all randomness.

    Returns:
        float32 (batch, samples) in [-1, 1], and float32 (batch,): 1 with a siren, 0 without.
    """
    windows: list[NDArray[np.float32]] = []
    for index in np.concatenate([sirens, others]):
        heard = len(windows) < len(sirens)
        window = _window(clips[index], samples, random)
        if random.random() < _MIX_PROBABILITY:
            background = _window(clips[random.choice(backgrounds)], samples, random)
            ratio_db = random.uniform(*(_SIREN_TO_NOISE_DB if heard else _NOISE_TO_NOISE_DB))
            window = mix(window, background, ratio_db)
        if not heard and random.random() < _SILENCE_PROBABILITY:
            window = random.standard_normal(samples, np.float32)
        window = _shortened(_coloured(window, random), random)
        peak = float(np.abs(window).max())
        level = np.exp(random.uniform(*np.log(_PEAK_RANGE)))
        windows.append(window * (level / peak if peak > 0 else 1.0))
    targets = np.repeat([1.0, 0.0], [len(sirens), len(others)])
    return np.stack(windows).astype(np.float32), targets.astype(np.float32)


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


def _window(
    clip: NDArray[np.float32], samples: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Cut a window at random, played up to a tenth slower or faster; short clips are repeated."""
    speed = np.exp(random.uniform(-0.1, 0.1))
    needed = int(samples * speed) + 2
    if clip.size < needed:
        clip = np.tile(clip, -(-needed // clip.size))
    start = int(random.integers(clip.size - needed + 1))
    positions = np.arange(samples) * speed
    left = positions.astype(np.int64)
    part = (positions - left).astype(np.float32)
    piece = clip[start : start + needed]
    return np.asarray(piece[left] * (1 - part) + piece[left + 1] * part, np.float32)


def _coloured(window: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Filter with a random smooth gain curve: another microphone, room or loudspeaker."""
    spectrum = np.fft.rfft(window)
    points = random.uniform(-_COLOUR_DB, _COLOUR_DB, _COLOUR_POINTS)
    curve = np.interp(
        np.linspace(0, 1, spectrum.size) ** 0.5, np.linspace(0, 1, _COLOUR_POINTS), points
    )
    return np.asarray(np.fft.irfft(spectrum * 10.0 ** (curve / 20.0), window.size), np.float32)


def _shortened(window: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Silence the front now and then, as when the microphone has just started."""
    if random.random() < _SHORT_PROBABILITY:
        window = window.copy()
        window[: int(window.size * random.uniform(0.0, 1.0 - _SHORTEST))] = 0.0
    return window
