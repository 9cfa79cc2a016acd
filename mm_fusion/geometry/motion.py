# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Roll-outs of the constant-velocity, constant-turn-rate and -acceleration models.

In the complex plane (x + iy) a vehicle of speed v + as and heading ws is, after t seconds, at

    p(t) = v t E1(iwt) + a t² E2(iwt),    Ek(z) = integral of u^(k-1) exp(zu) over u in [0, 1]

The functions Ek are entire, so that a vanishing yaw rate is not a special case: it only has to be
evaluated without cancellation. The models are those of Schubert, Richter and Wanielik (2008),
Comparison and evaluation of advanced motion models for vehicle tracking.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.types.predictions import EgoMotion

MotionModel: TypeAlias = Literal['cv', 'ctrv', 'ctra']

_SERIES_RADIUS = 1.0
_SERIES_TERMS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """A predicted path in ``base_link`` at t = 0.

    Attributes:
        times_s: float64 (n,), seconds.
        positions: float64 (n, 2), x forward and y left, m.
        headings: float64 (n,), counter-clockwise from x, rad, not wrapped.
        covariances: float64 (n, 2, 2), of the positions, m².
    """

    times_s: NDArray[np.float64]
    positions: NDArray[np.float64]
    headings: NDArray[np.float64]
    covariances: NDArray[np.float64]


def roll_out(
    model: MotionModel,
    motion: EgoMotion,
    times_s: Sequence[float] | NDArray[np.float64],
    covariance: NDArray[np.float64] | None = None,
) -> Rollout:
    """Continue a motion under one of the three models.

    ``cv`` holds the speed on a straight line, ``ctrv`` also holds the yaw rate, ``ctra`` also the
    acceleration. A vehicle that brakes stops and stays: neither its direction of travel nor, from
    then on, its heading changes.

    Args:
        model: Name of the model.
        motion: Motion at t = 0; what the model does not use is ignored.
        times_s: (n,), non-negative seconds, in any order.
        covariance: float64 (3, 3) of (speed, acceleration, yaw rate), in the order of the fields
            of ``EgoMotion``; None stands for a motion known exactly. It is propagated to first
            order through the analytic Jacobian of the position.

    Raises:
        ValueError: A number is not finite, a time is negative, or a shape is wrong.
    """
    times = checked_times(times_s)
    speed = motion.speed_mps
    acceleration = motion.acceleration_mps2 if model == 'ctra' else 0.0
    yaw_rate = motion.yaw_rate_rps if model != 'cv' else 0.0
    if not (math.isfinite(speed) and math.isfinite(acceleration) and math.isfinite(yaw_rate)):
        raise ValueError(f'roll-out: expected finite numbers, found {motion}')

    moving = np.minimum(times, stopping_time(speed, acceleration))
    e1, e2, e3 = _exponential_integrals(1j * yaw_rate * moving)
    by_speed = moving * e1
    by_acceleration = moving**2 * e2
    by_yaw_rate = 1j * (speed * moving**2 * e2 + acceleration * moving**3 * e3)
    path = speed * by_speed + acceleration * by_acceleration

    # At the stop the speed is zero, so that the stopping time adds nothing to the Jacobian.
    columns = np.stack([by_speed, by_acceleration, by_yaw_rate], axis=1)
    columns *= (True, model == 'ctra', model != 'cv')
    return Rollout(
        times_s=times,
        positions=np.stack([path.real, path.imag], axis=1),
        headings=yaw_rate * moving,
        covariances=_position_covariances(columns, covariance),
    )


def stopping_time(
    speed_mps: float, acceleration_mps2: float, time_constant_s: float = math.inf
) -> float:
    """Return the seconds until a braking vehicle stands; infinite where it never does.

    Args:
        speed_mps: Now.
        acceleration_mps2: Now.
        time_constant_s: With which the acceleration decays; infinite where it stays.
    """
    if speed_mps * acceleration_mps2 >= 0.0:
        return math.inf
    brake_s = -speed_mps / acceleration_mps2
    if math.isinf(time_constant_s):
        return brake_s
    share = brake_s / time_constant_s
    return -time_constant_s * math.log1p(-share) if share < 1.0 else math.inf


def checked_times(times_s: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the times as an array, or raise a ValueError where they are not seconds from now."""
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or not np.isfinite(times).all() or (times < 0.0).any():
        raise ValueError(f'times: expected a row of non-negative seconds, found {times_s!r}')
    return times


def _exponential_integrals(
    z: NDArray[np.complex128],
) -> tuple[NDArray[np.complex128], NDArray[np.complex128], NDArray[np.complex128]]:
    """Evaluate E1, E2 and E3: by their power series near zero, by recurrence elsewhere."""
    near = np.abs(z) < _SERIES_RADIUS
    far = np.where(near, 1.0, z)
    exponential = np.exp(far)
    e1 = (exponential - 1.0) / far
    e2 = (exponential - e1) / far
    e3 = (exponential - 2.0 * e2) / far

    small = np.where(near, z, 0.0)
    power = np.ones_like(z)
    s1, s2, s3 = np.zeros_like(z), np.zeros_like(z), np.zeros_like(z)
    for m in range(_SERIES_TERMS):
        s1 += power / (m + 1)
        s2 += power / (m + 2)
        s3 += power / (m + 3)
        power = power * small / (m + 1)
    return np.where(near, s1, e1), np.where(near, s2, e2), np.where(near, s3, e3)


def _position_covariances(
    columns: NDArray[np.complex128], covariance: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    if covariance is None:
        return np.zeros((columns.shape[0], 2, 2))
    if covariance.shape != (3, 3) or not np.isfinite(covariance).all():
        raise ValueError(f'covariance: expected 3 by 3 finite numbers, found {covariance!r}')
    jacobians = np.stack([columns.real, columns.imag], axis=1)
    result: NDArray[np.float64] = jacobians @ covariance @ jacobians.transpose(0, 2, 1)
    return 0.5 * (result + result.transpose(0, 2, 1))
