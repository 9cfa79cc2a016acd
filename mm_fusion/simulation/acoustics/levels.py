# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How loud things are: octave-band levels of vehicles, road surfaces, wind and rain.

Vehicles follow the source model of CNOSSOS-EU: sound power by octave band, rolling noise growing
with the logarithm of the speed and propulsion noise with the speed (Directive 2002/49/EC, Annex
II, table F-1 as amended by Delegated Directive (EU) 2021/1226; categories 1 and 2), and so do the
corrections for brushed concrete and for paving of hard elements not in herring-bone (table F-4;
its small speed-dependent part is left out).

Directive and literature give no octave bands for water, snow, ice, gravel and mud. Theirs are
estimates of this package that follow what is described of them: wet roads add most above some
kHz (Sandberg & Ejsmont, Tyre/Road Noise Reference Book, 2002), snow absorbs high frequencies.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

BANDS_HZ = np.array([63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0])
"""Nominal centres of the octave bands."""

REFERENCE_PA = 20e-6
_REFERENCE_KMH = 70.0
_SLOWEST_PROPULSION_KMH = 20.0
_HALF_SPACE_DB = 8.0
"""Level at 1 m below the power level, over a hard ground: 10 log10(2 pi)."""

_ROLLING_A = np.array([
    [83.1, 89.2, 87.7, 93.1, 100.1, 96.7, 86.8, 76.2],
    [88.7, 93.2, 95.7, 100.9, 101.7, 95.1, 87.8, 83.6],
])  # fmt: skip
_ROLLING_B = np.array([
    [30.0, 41.5, 38.9, 25.7, 32.5, 37.2, 39.0, 40.0],
    [30.0, 35.8, 32.6, 23.8, 30.1, 36.2, 38.3, 40.1],
])  # fmt: skip
_PROPULSION_A = np.array([
    [97.9, 92.5, 90.7, 87.2, 84.7, 88.0, 84.4, 77.1],
    [105.5, 100.2, 100.5, 98.7, 101.0, 97.8, 91.2, 85.0],
])  # fmt: skip
_PROPULSION_B = np.array([
    [-1.3, 7.2, 7.7, 8.0, 8.0, 8.0, 8.0, 8.0],
    [-1.9, 4.7, 6.4, 6.5, 6.5, 6.5, 6.5, 6.5],
])  # fmt: skip

_FRICTION_DB = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],  # dry
    [0.0, 0.0, 0.0, 0.0, 1.5, 6.0, 11.0, 15.0],  # wet
    [1.0, 2.0, 3.0, 4.0, 4.0, 9.0, 16.0, 21.0],  # water
    [2.0, 1.0, -2.0, -6.0, -12.0, -15.0, -15.0, -12.0],  # fresh snow
    [2.0, 2.0, 1.0, -1.0, -4.0, -1.0, 3.0, 5.0],  # melted snow
    [0.0, -1.0, -2.0, -3.0, -4.0, -5.0, -4.0, -1.0],  # ice
])  # fmt: skip
_MATERIAL_DB = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],  # asphalt
    [8.2, -0.4, 2.8, 2.7, 2.5, 0.8, -0.3, -0.1],  # brushed concrete
    [31.4, 19.7, 16.8, 8.4, 7.2, 3.3, 7.8, 9.1],  # hard elements, not in herring-bone
    [14.0, 12.0, 9.0, 4.0, 1.0, 4.0, 9.0, 13.0],  # gravel
    [6.0, 5.0, 2.0, -3.0, -9.0, -10.0, -7.0, -4.0],  # mud
])  # fmt: skip
_UNEVENNESS_DB = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [5.0, 4.0, 2.5, 1.0, 0.0, 0.0, 0.0, 0.0],
    [11.0, 8.0, 5.0, 2.5, 1.0, 0.0, 0.0, 0.0],
])  # fmt: skip
_SURFACE_POWERS = tuple(
    10 ** (table / 10) for table in (_FRICTION_DB, _MATERIAL_DB, _UNEVENNESS_DB)
)

_WIND_REFERENCE_MPS = 30.0
_WIND_DB = np.array([84.0, 79.0, 72.0, 63.0, 53.0, 43.0, 33.0, 23.0])
"""Wind noise at the windshield of the microphone at the reference speed."""

_RAIN_DB = np.array([20.0, 26.0, 34.0, 40.0, 45.0, 48.0, 49.0, 48.0])
"""Rain of 1 mm/h on the ground around; an estimate."""


def pascal_squared(level_db: ArrayLike) -> NDArray[np.float64]:
    """Turn sound pressure levels into mean squares of the pressure, Pa²."""
    return np.asarray(REFERENCE_PA**2 * 10 ** (np.asarray(level_db, np.float64) / 10))


def surface_factor(
    friction: Sequence[float], material: Sequence[float], unevenness: Sequence[float]
) -> NDArray[np.float64]:
    """Give what a surface does to the power of rolling noise, float64 (8,); 1 on dry asphalt."""
    factors = [
        np.asarray(shares, np.float64) @ powers
        for shares, powers in zip((friction, material, unevenness), _SURFACE_POWERS)
    ]
    return np.asarray(factors[0] * factors[1] * factors[2])


def rolling(speed_mps: ArrayLike, heavy: ArrayLike) -> NDArray[np.float64]:
    """Give rolling noise on dry asphalt at 1 m, Pa² by octave band.

    Args:
        speed_mps: (...), slower than the 20 km/h of the directive too; nothing at rest.
        heavy: int (...), 0 light vehicles, 1 medium heavy ones.

    Returns:
        float64 (..., 8).
    """
    heavy = np.asarray(heavy, np.int64)
    ratio = np.maximum(np.abs(np.asarray(speed_mps, np.float64)), 1e-3) * 3.6 / _REFERENCE_KMH
    level = _ROLLING_A[heavy] + _ROLLING_B[heavy] * np.log10(ratio)[..., None]
    return pascal_squared(level - _HALF_SPACE_DB)


def propulsion(speed_mps: ArrayLike, heavy: ArrayLike) -> NDArray[np.float64]:
    """Give the noise of engine and exhaust at 1 m, Pa² by octave band, as ``rolling`` does."""
    heavy = np.asarray(heavy, np.int64)
    speed = np.maximum(3.6 * np.abs(np.asarray(speed_mps, np.float64)), _SLOWEST_PROPULSION_KMH)
    excess = (speed - _REFERENCE_KMH) / _REFERENCE_KMH
    level = _PROPULSION_A[heavy] + _PROPULSION_B[heavy] * excess[..., None]
    return pascal_squared(level - _HALF_SPACE_DB)


def wind(speed_mps: float) -> NDArray[np.float64]:
    """Give the noise of an air flow at the microphone, Pa² by octave band.

    Its power grows with the sixth power of the speed, as that of flow past small bodies does
    (Curle, 1955); level and spectrum at 30 m/s are estimates for a microphone with a windshield.
    """
    return pascal_squared(_WIND_DB) * (speed_mps / _WIND_REFERENCE_MPS) ** 6


def rainfall(rain_mmph: float) -> NDArray[np.float64]:
    """Give the noise of rain on the ground around, Pa² by octave band."""
    return pascal_squared(_RAIN_DB) * rain_mmph


def band_densities(frequencies_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give spectral densities whose sum, weighted by octave-band powers, is a smooth spectrum.

    Each is a raised cosine over the logarithm of the frequency, from one neighbouring centre to
    the other, so that the sum passes smoothly from band to band.

    Args:
        frequencies_hz: float64 (n,).

    Returns:
        float64 (8, n), 1/Hz; each integrates to 1 over all frequencies.
    """
    octave = np.log2(np.maximum(frequencies_hz, 1e-3)[None, :] / BANDS_HZ[:, None])
    shape = np.where(np.abs(octave) < 1, np.cos(math.pi / 2 * octave) ** 2, 0.0)
    fine = np.linspace(-1.0, 1.0, 2001)
    area = np.sum(np.cos(math.pi / 2 * fine) ** 2 * 2.0**fine) * (fine[1] - fine[0]) * math.log(2)
    return np.asarray(shape / (area * BANDS_HZ[:, None]))
