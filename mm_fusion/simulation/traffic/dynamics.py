# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What tyres can do: the friction circle, and one step of the motion of vehicles.

The vehicles are kinematic bicycles seen from the rear axle, which has no side slip: the speed
is along the heading and the yaw rate is speed times curvature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.world import FRICTION_COEFFICIENTS, STEP_NS, Motion

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mm_fusion.simulation.roads import SurfaceProfile

GRAVITY_MPS2 = 9.81
STEP_S = STEP_NS * 1e-9

MATERIAL_GRIP = (1.0, 1.0, 0.85, 0.7, 0.6)
"""Factor on the friction coefficient by material: asphalt, concrete, cobble, gravel, mud.

Assumed, in the order that braking tests find; the coefficients themselves are for asphalt.
"""

_STAND_S = 0.1
"""The last of the speed fades within this time, as a driver eases off the brake."""


def grip_at(surface: SurfaceProfile, arc_m: ArrayLike) -> NDArray[np.float64]:
    """Give the friction coefficient (...) of places (...) on the main road."""
    return np.asarray(
        (surface.friction_at(arc_m) @ np.array(FRICTION_COEFFICIENTS))
        * (surface.material_at(arc_m) @ np.array(MATERIAL_GRIP))
    )


def within_grip(
    acceleration: NDArray[np.float64],
    curvature: NDArray[np.float64],
    speed: NDArray[np.float64],
    grip: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Limit what drivers demand to the friction circle; sideways comes first.

    Args:
        acceleration: (n,), demanded along the heading, m/s².
        curvature: (n,), demanded by the steering, 1/m.
        speed: (n,), m/s.
        grip: (n,), friction coefficients.

    Returns:
        Acceleration and curvature that the tyres can give.
    """
    most = grip * GRAVITY_MPS2
    square = np.maximum(speed**2, 1e-9)
    curvature = np.clip(curvature, -most / square, most / square)
    along = np.sqrt(np.maximum(most**2 - (square * curvature) ** 2, 0.0))
    return np.clip(acceleration, -along, along), curvature


def advance(
    states: NDArray[np.float64], acceleration: NDArray[np.float64], curvature: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Move vehicles on by one step of the world.

    Acceleration and yaw rate are linear within the step, so that speed and heading are their
    integrals by the trapezoidal rule. Nobody rolls backwards.

    Args:
        states: (n, 7), columns as in ``Motion``.
        acceleration: (n,), at the end of the step.
        curvature: (n,), at the end of the step.

    Returns:
        (n, 7), the next states; the column of the arc length is left as it was.
    """
    after = states.copy()
    speed, before = states[:, Motion.SPEED], states[:, Motion.ACCELERATION]
    reached = speed + STEP_S / 2 * (before + acceleration)
    fading = acceleration < -reached / _STAND_S
    faded = (speed + STEP_S / 2 * before) / (1 + STEP_S / 2 / _STAND_S)
    faded[faded < 1e-9] = 0.0
    after[:, Motion.SPEED] = np.where(fading, faded, reached)
    after[:, Motion.ACCELERATION] = np.where(fading, -faded / _STAND_S, acceleration)
    after[:, Motion.YAW_RATE] = after[:, Motion.SPEED] * curvature
    turned = STEP_S / 2 * (states[:, Motion.YAW_RATE] + after[:, Motion.YAW_RATE])
    after[:, Motion.HEADING] += turned
    bearing = states[:, Motion.HEADING] + turned / 2
    way = STEP_S / 2 * (speed + after[:, Motion.SPEED])
    after[:, Motion.X] += way * np.cos(bearing)
    after[:, Motion.Y] += way * np.sin(bearing)
    return after
