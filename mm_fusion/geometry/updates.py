# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Measurement updates of the ego-state filter, written out for one and two dimensions.

Both are the Kalman update for measurements of state columns; written with scalars, they cost a
few microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mm_fusion.geometry.process import EAST, NORTH, Mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.geometry.measurements import MeasuredPosition


def update_column(
    mean: Mean, covariance: NDArray[np.float64], column: int, value: float, variance: float
) -> tuple[Mean, NDArray[np.float64]]:
    """Update with a measurement of one column."""
    cross = covariance[column]
    gain = cross * (1.0 / (float(cross[column]) + variance))
    step = (gain * (value - mean[column])).tolist()
    return _moved(mean, step), covariance - gain[:, None] * cross


class Innovation(NamedTuple):
    """How a measured position differs from the state.

    Attributes:
        east_m: Measured less predicted.
        north_m: Measured less predicted.
        inverse: East-east, east-north and north-north of its inverse covariance, 1/m².
        squared_distance: Mahalanobis.
    """

    east_m: float
    north_m: float
    inverse: tuple[float, float, float]
    squared_distance: float


def innovation(
    mean: Mean, covariance: NDArray[np.float64], measured: MeasuredPosition, factor: float
) -> Innovation:
    """Compare a measured position, its covariance raised by a factor, with a state."""
    x, y = measured.east_m - mean[EAST], measured.north_m - mean[NORTH]
    (ee, en), (_, nn) = covariance[:2, :2].tolist()
    ee += factor * measured.east_variance
    en += factor * measured.covariance
    nn += factor * measured.north_variance
    scale = 1.0 / (ee * nn - en * en)
    a, b, c = nn * scale, -en * scale, ee * scale
    return Innovation(x, y, (a, b, c), a * x * x + 2.0 * b * x * y + c * y * y)


def update_position(
    mean: Mean, covariance: NDArray[np.float64], found: Innovation
) -> tuple[Mean, NDArray[np.float64]]:
    """Update with a measured position."""
    east, north = covariance[EAST], covariance[NORTH]
    ee, en, nn = found.inverse
    gain_e = ee * east + en * north
    gain_n = en * east + nn * north
    move = (gain_e * found.east_m + gain_n * found.north_m).tolist()
    lowered = covariance - gain_e[:, None] * east - gain_n[:, None] * north
    return _moved(mean, move), 0.5 * (lowered + lowered.T)


def _moved(mean: Mean, step: list[float]) -> Mean:
    a, b, c, d, e, f = mean
    return a + step[0], b + step[1], c + step[2], d + step[3], e + step[4], f + step[5]
