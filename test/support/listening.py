# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sounds for the tests: synthesised block by block from scenes given as a function of time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.acoustics import AcousticScene, SoundSynthesizer
from mm_fusion.simulation.acoustics.synthesizer import FULL_SCALE_PA
from mm_fusion.simulation.scenario import MicrophoneSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RATE_HZ = 16_000
QUIET = MicrophoneSettings(self_noise_db=-120.0)
TWO = MicrophoneSettings(self_noise_db=-120.0, channels=2, spacing_m=2.0)


def listen(
    scene_at: Callable[[float], AcousticScene],
    duration_s: float,
    settings: MicrophoneSettings = QUIET,
    seed: int = 1,
    block_s: float = 0.02,
) -> NDArray[np.int16]:
    """Give the samples, int16 (n, channels), that are heard from time 0 on."""
    synthesizer = SoundSynthesizer(settings, seed)
    count = round(block_s * settings.sample_rate_hz)
    span = count / settings.sample_rate_hz
    scenes = [scene_at(i * span) for i in range(round(duration_s / span) + 1)]
    return np.concatenate([synthesizer.block(*pair, count) for pair in itertools.pairwise(scenes)])


def pascal(samples: NDArray[np.int16], channel: int = 0) -> NDArray[np.float64]:
    """Turn one channel into pressure, float64 (n,)."""
    return samples[:, channel] / 32767 * FULL_SCALE_PA


def level_db(pressure: NDArray[np.float64], low_hz: float = 0.0, high_hz: float = 1e9) -> float:
    """Give the sound pressure level between two frequencies."""
    window = np.hanning(len(pressure))
    power = np.abs(np.fft.rfft(pressure * window)) ** 2 * 2 / len(pressure) / np.sum(window**2)
    frequency = np.fft.rfftfreq(len(pressure), 1 / RATE_HZ)
    within = (frequency >= low_hz) & (frequency < high_hz)
    return float(10 * np.log10(max(power[within].sum(), 1e-30) / (20e-6) ** 2))
