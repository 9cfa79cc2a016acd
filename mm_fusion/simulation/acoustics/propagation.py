# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How sound travels from moving vehicles to the microphones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SPEED_OF_SOUND_MPS = 343.2
"""At 20 °C."""

_TEMPERATURE_K = 293.15
_HUMIDITY_PERCENT = 70.0


def air_absorption_db_per_m(
    frequency_hz: ArrayLike,
    temperature_k: float = _TEMPERATURE_K,
    humidity_percent: float = _HUMIDITY_PERCENT,
) -> NDArray[np.float64]:
    """Give the attenuation of pure tones by the air at sea level, after ISO 9613-1:1993.

    Args:
        frequency_hz: (...).
        temperature_k: Temperature of the air.
        humidity_percent: Relative humidity.

    Returns:
        float64 (...), dB/m.
    """
    square = np.asarray(frequency_hz, np.float64) ** 2
    warmth = temperature_k / 293.15
    saturation = 10 ** (-6.8346 * (273.16 / temperature_k) ** 1.261 + 4.6151)
    vapour = humidity_percent * saturation
    oxygen = 24 + 4.04e4 * vapour * (0.02 + vapour) / (0.391 + vapour)
    nitrogen = warmth**-0.5 * (9 + 280 * vapour * math.exp(-4.170 * (warmth ** (-1 / 3) - 1)))
    classical = 1.84e-11 * math.sqrt(warmth)
    relaxing = 0.01275 * math.exp(-2239.1 / temperature_k) / (oxygen + square / oxygen)
    relaxing = relaxing + 0.1068 * math.exp(-3352.0 / temperature_k) / (
        nitrogen + square / nitrogen
    )
    return np.asarray(8.686 * square * (classical + warmth**-2.5 * relaxing))


def retarded_times(
    knots_s: NDArray[np.float64],
    places: NDArray[np.float64],
    heard_s: NDArray[np.float64],
    ears: NDArray[np.float64],
    up_m: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find when the sound set out that is heard at given times.

    Between knots the sources move straight and evenly, so that the time at which the sound set
    out solves a quadratic equation exactly; before the first knot they move as after it. The
    sources are slower than sound.

    Args:
        knots_s: float64 (k,), increasing times, the last not before any in ``heard_s``.
        places: float64 (s, k, 2), where each source is at each knot.
        heard_s: float64 (g,), times of hearing.
        ears: float64 (g, 2), where the microphone is at these times.
        up_m: Height of the microphone over the sources.

    Returns:
        float64 (s, g), when the sound set out, and int64 (s, g), the knot before that.
    """
    x = ears[None, :, None, 0] - places[:, None, :, 0]
    y = ears[None, :, None, 1] - places[:, None, :, 1]
    reach = SPEED_OF_SOUND_MPS * (heard_s[:, None] - knots_s)
    arrived = x * x + y * y <= np.where(reach > 0, reach * reach - up_m**2, -1.0)
    knot = np.clip(np.count_nonzero(arrived, axis=2) - 1, 0, len(knots_s) - 2)
    rows = np.arange(len(places))[:, None]
    start = places[rows, knot]
    span = knots_s[knot + 1] - knots_s[knot]
    velocity = (places[rows, knot + 1] - start) / span[..., None]
    away = ears[None] - start
    since = heard_s - knots_s[knot]
    square = SPEED_OF_SOUND_MPS**2
    a = np.sum(velocity**2, axis=2) - square
    b = square * since - np.sum(away * velocity, axis=2)
    c = np.sum(away**2, axis=2) + up_m**2 - square * since**2
    return knots_s[knot] + (np.sqrt(np.maximum(b**2 - a * c, 0.0)) - b) / a, knot
