# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The noise of other vehicles: tyres, engine and exhaust, by octave band.

Each octave band is a fixed run of noise, read at the time when the sound set out. So the Doppler
effect, the loss by air and the spectrum of each surface come about band by band.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.acoustics.levels import BANDS_HZ, band_densities, propulsion, rolling
from mm_fusion.simulation.acoustics.propagation import air_absorption_db_per_m
from mm_fusion.simulation.acoustics.tracks import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.acoustics.tracks import Arrival

HEAVY_KINDS = frozenset({'truck', 'bus', 'fire_engine'})

_OVERSAMPLING = 4
_LENGTH = 2**18
_HIGHEST = 0.48
"""Of the sample rate."""

_STILL_MPS = 1.0
"""Below it engines fall silent, as those of parked cars and of cars with a start-stop system."""

_LOSS_DB_PER_M = air_absorption_db_per_m(BANDS_HZ)


class TrafficNoise:
    """Make the noise of vehicles from what arrives of them.

    Args:
        rate_hz: Samples a second.
        rng: Draws the noise, once.
    """

    def __init__(self, rate_hz: int, rng: np.random.Generator) -> None:
        self._rate_hz = rate_hz * _OVERSAMPLING
        bins = int(_HIGHEST * rate_hz / self._rate_hz * _LENGTH)
        frequencies = np.arange(bins, dtype=np.float64) * (self._rate_hz / _LENGTH)
        # E|X|² of a bin over its density, for an inverse transform that divides by its length.
        amplitudes = np.sqrt(band_densities(frequencies) * (self._rate_hz * _LENGTH / 4))
        drawn = rng.standard_normal((2, len(BANDS_HZ), bins), np.float32)
        table = np.fft.irfft((drawn[0] + 1j * drawn[1]) * amplitudes, _LENGTH)
        self._table = np.ascontiguousarray(table.T, np.float32)
        self._offsets = rng.integers(0, _LENGTH, 4096)

    def sound(
        self,
        sent_s: NDArray[np.float64],
        arrival: Arrival,
        surface: NDArray[np.float64],
        heavy: NDArray[np.int64],
        numbers: NDArray[np.int64],
        threshold_pa2: float,
    ) -> NDArray[np.float64]:
        """Give what arrives of all, Pa, float64 (n,).

        Args:
            sent_s: float64 (s, n), when it set out.
            arrival: At the first and the last of these times, among others.
            surface: float64 (8,), what the road does to rolling noise.
            heavy: int64 (s,), 1 for heavy vehicles.
            numbers: int64 (s,), of the vehicles.
            threshold_pa2: Vehicles that are quieter than this are left out.
        """
        ends = [0, -1]
        power = self._power(arrival.state[:, ends], heavy, surface)
        distance = arrival.distance_m[:, ends]
        loss = 10 ** (-distance[..., None] * _LOSS_DB_PER_M / 10)
        power *= loss * (arrival.audible[:, ends] / np.maximum(distance, 1.0))[..., None] ** 2
        heard = power.sum(axis=2).max(axis=1) > threshold_pa2
        if not heard.any():
            return np.zeros(sent_s.shape[1])
        weights = np.sqrt(power[heard]).astype(np.float32)
        place = sent_s[heard] * self._rate_hz + self._offsets[numbers[heard] % 4096, None]
        index = np.floor(place)
        part = (place - index).astype(np.float32)[..., None]
        index = index.astype(np.int64) % _LENGTH
        noise = self._table.take(index, axis=0) @ weights.swapaxes(1, 2)
        noise += part * (
            self._table.take((index + 1) % _LENGTH, axis=0) @ weights.swapaxes(1, 2) - noise
        )
        ramp = np.arange(sent_s.shape[1]) / sent_s.shape[1]
        begin, end = noise.sum(axis=0, dtype=np.float64).T
        return np.asarray(begin + ramp * (end - begin))

    def _power(
        self, state: NDArray[np.float64], heavy: NDArray[np.int64], surface: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give the power at 1 m, Pa², float64 (s, 2, 8)."""
        speed = np.abs(state[..., Column.SPEED])
        heavy = heavy[:, None]
        running = np.minimum(speed / _STILL_MPS, 1.0)[..., None] ** 2
        power = rolling(speed, heavy) * surface + propulsion(speed, heavy) * running
        return np.asarray(power * state[..., Column.THERE, None] ** 2)
