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
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.simulation.acoustics.scene import SourceState
    from mm_fusion.simulation.acoustics.tracks import Arrival

_HEAVY_KINDS = frozenset({'truck', 'bus', 'fire_engine'})

_TABLE_HZ = 128_000
"""So fine that the nearest sample will do: what that errs by is noise 25 dB below the noise."""

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
        bins = int(_HIGHEST * rate_hz / _TABLE_HZ * _LENGTH)
        frequencies = np.arange(bins, dtype=np.float64) * (_TABLE_HZ / _LENGTH)
        # E|X|² of a bin over its density, for an inverse transform that divides by its length.
        amplitudes = np.sqrt(band_densities(frequencies) * (_TABLE_HZ * _LENGTH / 4))
        drawn = rng.standard_normal((2, len(BANDS_HZ), bins), np.float32)
        table = np.fft.irfft((drawn[0] + 1j * drawn[1]) * amplitudes, _LENGTH)
        self._table = np.ascontiguousarray(table.T, np.float32)
        self._offsets = rng.integers(0, _LENGTH, 4096)

    def sound(
        self,
        sent_s: NDArray[np.float64],
        arrival: Arrival,
        power: NDArray[np.float64],
        sources: Sequence[SourceState],
    ) -> NDArray[np.float64]:
        """Give what arrives of all, Pa, float64 (n,).

        Args:
            sent_s: float64 (s, n), when it set out.
            arrival: At the first and the last of these times, among others.
            power: float64 (s, 8), of the vehicles at 1 m, Pa².
            sources: The vehicles.
        """
        ends = [0, -1]
        distance = arrival.distance_m[:, ends]
        there = arrival.state[:, ends, Column.THERE] * arrival.audible[:, ends]
        gain = there / np.maximum(distance, 1.0)
        amplitude = np.sqrt(power)[:, None] * 10 ** (-distance[..., None] * _LOSS_DB_PER_M / 20)
        weights = (amplitude * gain[..., None]).astype(np.float32).swapaxes(1, 2)
        starts = self._offsets[[source.id % len(self._offsets) for source in sources]]
        place = (sent_s * _TABLE_HZ).astype(np.int64) + starts[:, None]
        noise = self._table.take(place % _LENGTH, axis=0) @ weights
        begin, end = noise.sum(axis=0, dtype=np.float64).T
        ramp = np.arange(sent_s.shape[1]) / sent_s.shape[1]
        return np.asarray(begin + ramp * (end - begin))


def is_heavy(sources: Sequence[SourceState]) -> NDArray[np.int64]:
    """Give 1 for each heavy vehicle and 0 for each light one, int64 (s,)."""
    return np.array([source.kind in _HEAVY_KINDS for source in sources], np.int64)


def vehicle_power(
    speed_mps: NDArray[np.float64], heavy: NDArray[np.int64], surface: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the noise of vehicles at 1 m, Pa² by octave band, float64 (..., 8).

    Args:
        speed_mps: float64 (...).
        heavy: int64, of a shape that fits; 1 for heavy vehicles.
        surface: float64 (8,), what the road does to rolling noise.
    """
    running = np.minimum(np.abs(speed_mps) / _STILL_MPS, 1.0)[..., None] ** 2
    return np.asarray(rolling(speed_mps, heavy) * surface + propulsion(speed_mps, heavy) * running)
