# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the ego-state filter says about one instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.geometry.process import ACCELERATION, SPEED, YAW_RATE
from mm_fusion.types.predictions import EgoMotion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.geometry.enu import LocalFrame


@dataclass(frozen=True, slots=True, eq=False)
class EgoState:
    """Pose and motion of the vehicle.

    Attributes:
        stamp_ns: The instant.
        mean: float64 (6,), east (m), north (m), heading (rad, counter-clockwise from east, not
            wrapped), speed (m/s), yaw rate (rad/s), acceleration (m/s²).
        covariance: float64 (6, 6), in the same order.
        position_known: Whether a position has been measured; without one, east and north count
            from where the filter started.
        heading_known: Whether positions have told the heading; without that, it counts from the
            heading at which the filter started, and its variance is that of a full turn.
        frame: The local frame of east and north; None where positions are metric already, or
            none has been measured.
    """

    stamp_ns: int
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    position_known: bool
    heading_known: bool
    frame: LocalFrame | None

    @property
    def motion(self) -> EgoMotion:
        """The motion in ``base_link``."""
        return EgoMotion(
            speed_mps=float(self.mean[SPEED]),
            acceleration_mps2=float(self.mean[ACCELERATION]),
            yaw_rate_rps=float(self.mean[YAW_RATE]),
        )
