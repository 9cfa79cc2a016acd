# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sirens and horns: tones whose phase is a function of the time at which they were sent.

The phase that is heard is that of the retarded time, so that the Doppler effect needs no formula
of its own. Each harmonic loses by the distance and by the air what its own frequency loses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.acoustics.levels import pascal_squared
from mm_fusion.simulation.acoustics.propagation import air_absorption_db_per_m

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mm_fusion.simulation.world import Siren

_STEPS = 8192
_CHARGES = 2.0
"""Time constants in a rise or a fall of a swept siren."""


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A tone with harmonics, whose pitch repeats.

    Attributes:
        pitch_hz: float64 (n,), the pitch over one period, evenly spaced.
        period_s: Length of the period.
        multiples: float64 (h,), frequencies of the partials over the pitch.
        amplitudes: float64 (h,), of the partials at 1 m, Pa.
    """

    pitch_hz: NDArray[np.float64]
    period_s: float
    multiples: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    _times_s: NDArray[np.float64] = field(init=False)
    _cycles: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        """Integrate the pitch to cycles."""
        closed = np.append(self.pitch_hz, self.pitch_hz[0])
        step = self.period_s / len(self.pitch_hz)
        cycles = np.concatenate([[0.0], np.cumsum((closed[1:] + closed[:-1]) / 2 * step)])
        object.__setattr__(self, '_times_s', np.linspace(0.0, self.period_s, len(cycles)))
        object.__setattr__(self, '_cycles', cycles)

    def cycles_at(self, sent_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the phase of the pitch at times (...), in cycles."""
        whole, part = np.divmod(sent_s, self.period_s)
        begun = np.interp(part, self._times_s, self._cycles)
        return np.asarray(whole * self._cycles[-1] + begun)

    def pitch_at(self, sent_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the pitch at times (...), Hz."""
        place = np.mod(sent_s, self.period_s) / self.period_s * len(self.pitch_hz)
        return np.asarray(self.pitch_hz[place.astype(np.int64) % len(self.pitch_hz)])

    def sound(
        self,
        sent_s: NDArray[np.float64],
        gain: NDArray[np.float64],
        distance_m: NDArray[np.float64],
        highest_hz: float,
    ) -> NDArray[np.float64]:
        """Give what arrives, Pa, float64 (n,).

        Args:
            sent_s: float64 (n,), when it set out.
            gain: float64 (n,), of the source, with the loss by spreading.
            distance_m: float64 (2,), how far it went at the first and at the last sample.
            highest_hz: Partials above it are left out.
        """
        count = len(sent_s)
        frequency = self.multiples * self.pitch_at(sent_s[[0, -1]])[:, None]
        lost = air_absorption_db_per_m(frequency) * distance_m[:, None]
        partial = np.where(frequency < highest_hz, self.amplitudes * 10 ** (-lost / 20), 0.0)
        cycles = self.multiples[:, None] * self.cycles_at(sent_s)
        # Whole cycles go first: single precision is enough, and fast, for what is left.
        angle = (2 * math.pi * (cycles - np.floor(cycles))).astype(np.float32)
        waves = partial @ np.sin(angle)
        ramp = np.arange(count) / count
        return np.asarray(gain * (waves[0] + ramp * (waves[1] - waves[0])))


def _voice(
    pitch: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    period_s: float,
    multiples: tuple[float, ...],
    weights: tuple[float, ...],
    level_db: float,
) -> Voice:
    """Make a voice from its pitch over the phase 0..1 of its period, and its level at 1 m."""
    amplitudes = np.array(weights)
    amplitudes *= math.sqrt(2 * float(pascal_squared(level_db)) / float(np.sum(amplitudes**2)))
    phases = np.arange(_STEPS) / _STEPS
    return Voice(pitch(phases), period_s, np.array(multiples, np.float64), amplitudes)


def _at_1_m(level_db: float, distance_m: float) -> float:
    return level_db + 20 * math.log10(distance_m)


def _swept(low_hz: float, high_hz: float, rising: float) -> Callable[..., NDArray[np.float64]]:
    """Sweep up during a share of the period and down in the rest, as a capacitor charges."""

    def charged(part: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.expm1(-_CHARGES * part) / math.expm1(-_CHARGES))

    def pitch(phase: NDArray[np.float64]) -> NDArray[np.float64]:
        down = 1 - charged(np.clip((phase - rising) / (1 - rising), 0, 1))
        share = np.where(phase < rising, charged(phase / rising), down)
        return np.asarray(low_hz + (high_hz - low_hz) * share)

    return pitch


def _alternating(low_hz: float, high_hz: float) -> Callable[..., NDArray[np.float64]]:
    """Hold one tone for half of the period and then the other, with short glides."""

    def pitch(phase: NDArray[np.float64]) -> NDArray[np.float64]:
        swing = np.clip(20 * np.sin(2 * math.pi * phase), -1, 1)
        return np.asarray(low_hz + (high_hz - low_hz) * (swing + 1) / 2)

    return pitch


_SPEAKER = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
_SPEAKER_WEIGHTS = (1.0, 0.42, 0.35, 0.16, 0.12, 0.06)
_TRUMPET = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
_TRUMPET_WEIGHTS = (0.8, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1)

SIREN_LEVELS_DB: dict[Siren, float] = {
    'wail': _at_1_m(118.0, 3.0),
    'yelp': _at_1_m(118.0, 3.0),
    'two_tone': _at_1_m(112.0, 3.5),
}
"""At 1 m. Electronic sirens: 118 dB at 3 m. DIN 14610 asks for 110 dB(A) or more at 3.5 m."""

SIRENS: dict[Siren, Voice] = {
    'wail': _voice(
        _swept(700.0, 1550.0, 0.35), 4.0, _SPEAKER, _SPEAKER_WEIGHTS, SIREN_LEVELS_DB['wail']
    ),
    'yelp': _voice(
        _swept(700.0, 1550.0, 0.5), 0.32, _SPEAKER, _SPEAKER_WEIGHTS, SIREN_LEVELS_DB['yelp']
    ),
    'two_tone': _voice(
        _alternating(440.0, 586.7), 1.5, _TRUMPET, _TRUMPET_WEIGHTS, SIREN_LEVELS_DB['two_tone']
    ),
}
"""Wail and yelp sweep 15 and 188 times a minute (electronic sirens: 10 to 30 and 150 to 250). The
two-tone siren sounds a' and d'', a fourth (4:3) within the 360 to 630 Hz of DIN 14610."""

HORN = _voice(
    np.ones_like,
    1.0,
    tuple(tone * order for tone in (400.0, 500.0) for order in range(1, 8)),
    (1.0, 0.9, 0.8, 0.6, 0.5, 0.35, 0.2) * 2,
    _at_1_m(110.0, 2.0),
)
"""A pair of horns; UN Regulation 28 asks for 105 to 118 dB(A) at 2 m."""
