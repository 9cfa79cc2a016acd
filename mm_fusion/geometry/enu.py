# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The local east-north-up frame at a point of the globe."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pymap3d

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """The plane that touches the WGS-84 ellipsoid at an origin: x east, y north, z up.

    Attributes:
        latitude_deg: Of the origin, in [-90, 90].
        longitude_deg: Of the origin, in [-180, 360].
        altitude_m: Of the origin, over the ellipsoid; finite.
    """

    latitude_deg: float
    longitude_deg: float
    altitude_m: float

    def __post_init__(self) -> None:
        """Check the origin."""
        _check(self.latitude_deg, self.longitude_deg)
        if not math.isfinite(self.altitude_m):
            raise ValueError(f'altitude of an origin: found {self.altitude_m}, expected a number')

    def to_local(
        self, latitude_deg: float, longitude_deg: float, altitude_m: float
    ) -> NDArray[np.float64]:
        """Turn a point of the globe into local coordinates.

        Args:
            latitude_deg: WGS-84.
            longitude_deg: WGS-84.
            altitude_m: Over the ellipsoid; NaN stands for the height of the origin.

        Returns:
            float64 (3,), east, north and up in m.

        Raises:
            ValueError: The latitude or the longitude is off the globe.
        """
        _check(latitude_deg, longitude_deg)
        if not math.isfinite(altitude_m):
            altitude_m = self.altitude_m
        return np.array(
            pymap3d.geodetic2enu(
                latitude_deg,
                longitude_deg,
                altitude_m,
                self.latitude_deg,
                self.longitude_deg,
                self.altitude_m,
            ),
            dtype=np.float64,
        )

    def to_geodetic(self, enu: NDArray[np.float64]) -> tuple[float, float, float]:
        """Turn local coordinates (3,) into latitude (deg), longitude (deg) and altitude (m)."""
        latitude, longitude, altitude = pymap3d.enu2geodetic(
            float(enu[0]),
            float(enu[1]),
            float(enu[2]),
            self.latitude_deg,
            self.longitude_deg,
            self.altitude_m,
        )
        return float(latitude), float(longitude), float(altitude)


def _check(latitude_deg: float, longitude_deg: float) -> None:
    # Written so that NaN fails both comparisons.
    if not (-90.0 <= latitude_deg <= 90.0 and -180.0 <= longitude_deg <= 360.0):
        raise ValueError(
            f'position: found latitude {latitude_deg}, longitude {longitude_deg}, '
            'expected degrees in [-90, 90] and [-180, 360]'
        )
