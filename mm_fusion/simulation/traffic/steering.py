# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Lane keeping: a driver steers the rear axle back to the line that is to be followed.

The law is that of Samson for the rear axle, as in the survey of Paden, Čáp, Yong, Yershov and
Frazzoli, IEEE Transactions on Intelligent Vehicles 1 (2016), section V; its gains are per metre,
with a length that grows with the speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.traffic.dynamics import STEP_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREVIEW_S = 0.12
"""Drivers steer for the curvature that comes after this time: the lag of arms and wheels."""

_LENGTH_M = 5.0
_LENGTH_S = 1.1
_ANGLE_RAD = 0.6
_RATE_RPS = 0.7
_LAG_S = 0.12


def steer(
    steering: NDArray[np.float64],
    wheelbase: NDArray[np.float64],
    speed: NDArray[np.float64],
    off: NDArray[np.float64],
    turned: NDArray[np.float64],
    curvature: NDArray[np.float64],
    alert: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Give the angles of the front wheels (n,) after one step of the world, rad.

    Args:
        steering: Angles now, rad.
        wheelbase: m.
        speed: m/s.
        off: Place to the left of where the driver wants to be, m.
        turned: Heading less that of the line, rad.
        curvature: Of the line as driven, a preview ahead, 1/m.
        alert: Who makes way for a siren, or has one: they steer in half the length.
    """
    length = (_LENGTH_M + _LENGTH_S * speed) * np.where(alert, 0.5, 1.0)
    wanted = curvature - 1.8 / length * np.sin(turned) - off / length**2
    angle = np.clip(np.arctan(wheelbase * wanted), -_ANGLE_RAD, _ANGLE_RAD)
    rate = np.clip((angle - steering) / _LAG_S, -_RATE_RPS, _RATE_RPS)
    # Nobody turns the wheels while standing.
    return np.asarray(steering + STEP_S * rate * np.minimum(speed, 1.0))
