# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The process model of the ego-state filter: CTRA with correlated acceleration and yaw rate.

Acceleration and yaw rate are first-order Gauss-Markov processes (Singer, 1970, Estimating optimal
tracking filter performance for manned maneuvering targets): without measurements they decay to
zero with a time constant, as brakings and turns end. Infinite time constants make it CTRA.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EAST, NORTH, HEADING, SPEED, YAW_RATE, ACCELERATION = range(6)
"""Columns of the state: m, m, rad, m/s, rad/s, m/s²."""

Mean: TypeAlias = tuple[float, float, float, float, float, float]

_IDENTITY = np.eye(6)
_MAX_ACCELERATION = 3.0
_MAX_YAW_RATE = 0.5
MAX_STEP_S = 0.25
"""Longest step of the integration; exact for CTRV, some mm off where it also brakes."""


@dataclass(frozen=True, slots=True)
class ProcessModel:
    """How fast the motion of a road vehicle changes.

    The defaults were chosen on ``boreas_2021_08_05_13_34`` and ``comma2k19_example_1``.

    Attributes:
        acceleration_time_constant_s: Of its decay; may be infinite.
        yaw_rate_time_constant_s: Of its decay; may be infinite.
        jerk_density: Power spectral density of the noise that drives the acceleration, m²/s⁵.
        yaw_acceleration_density: Of the noise that drives the yaw rate, rad²/s³.
        speed_scale_density: Of the relative error of the measured speed, s: 2 % over ten seconds.
            It lets positions correct the way along the heading.
        heading_drift_density: Of the bias of the measured yaw rate, rad²/s.
    """

    acceleration_time_constant_s: float = 5.0
    yaw_rate_time_constant_s: float = 5.0
    jerk_density: float = 0.5
    yaw_acceleration_density: float = 0.01
    speed_scale_density: float = 0.004
    heading_drift_density: float = 1e-5

    def __post_init__(self) -> None:
        """Check the signs."""
        positive = (
            self.acceleration_time_constant_s,
            self.yaw_rate_time_constant_s,
            self.jerk_density,
            self.yaw_acceleration_density,
        )
        drifts = (self.speed_scale_density, self.heading_drift_density)
        if not (all(v > 0.0 for v in positive) and all(0.0 <= v < math.inf for v in drifts)):
            raise ValueError(f'process model: expected positive numbers, found {self}')

    @property
    def acceleration_variance(self) -> float:
        """Variance of the acceleration of a vehicle of which nothing is known, (m/s²)²."""
        return min(
            _MAX_ACCELERATION**2, 0.5 * self.jerk_density * self.acceleration_time_constant_s
        )

    @property
    def yaw_rate_variance(self) -> float:
        """Variance of the yaw rate of a vehicle of which nothing is known, (rad/s)²."""
        stationary = 0.5 * self.yaw_acceleration_density * self.yaw_rate_time_constant_s
        return min(_MAX_YAW_RATE**2, stationary)


def decay(step_s: float, time_constant_s: float) -> tuple[float, float]:
    """Return what is left of a decaying quantity after a step, and its integral over the step."""
    if math.isinf(time_constant_s):
        return 1.0, step_s
    lost = -math.expm1(-step_s / time_constant_s)
    return 1.0 - lost, time_constant_s * lost


def propagate(
    mean: Mean, covariance: NDArray[np.float64], duration_s: float, process: ProcessModel
) -> tuple[Mean, NDArray[np.float64]]:
    """Advance a state and its covariance, to first order through the Jacobian.

    Args:
        mean: East, north, heading, speed, yaw rate, acceleration.
        covariance: float64 (6, 6).
        duration_s: Non-negative.
        process: The model.
    """
    steps = max(1, math.ceil(duration_s / MAX_STEP_S - 1e-9))
    step_s = duration_s / steps
    for _ in range(steps):
        after, jacobian = transition(mean, step_s, process)
        covariance = jacobian @ covariance @ jacobian.T
        add_noise(covariance, mean, step_s, process)
        mean = after
    return mean, covariance


def transition(
    mean: Mean, step_s: float, process: ProcessModel
) -> tuple[Mean, NDArray[np.float64]]:
    """Advance a state by one step, at most ``MAX_STEP_S``, and return the Jacobian (6, 6) too."""
    east, north, heading, speed, yaw_rate, acceleration = mean
    left_a, gain_a = decay(step_s, process.acceleration_time_constant_s)
    left_w, gain_w = decay(step_s, process.yaw_rate_time_constant_s)
    half_a, half_w = 0.5 * step_s * gain_a, 0.5 * gain_w
    turn = gain_w * yaw_rate
    chord = 1.0 - turn * turn / 24.0  # of an arc, by its length
    distance = chord * (step_s * speed + half_a * acceleration)
    cosine, sine = math.cos(heading + 0.5 * turn), math.sin(heading + 0.5 * turn)
    d_east, d_north = distance * cosine, distance * sine

    jacobian = _IDENTITY.copy()
    jacobian[EAST, HEADING:] = (-d_north, step_s * cosine, -half_w * d_north, half_a * cosine)
    jacobian[NORTH, HEADING:] = (d_east, step_s * sine, half_w * d_east, half_a * sine)
    jacobian[HEADING, YAW_RATE] = gain_w
    jacobian[SPEED, ACCELERATION] = gain_a
    jacobian[YAW_RATE, YAW_RATE] = left_w
    jacobian[ACCELERATION, ACCELERATION] = left_a
    after = (
        east + d_east,
        north + d_north,
        heading + turn,
        speed + gain_a * acceleration,
        left_w * yaw_rate,
        left_a * acceleration,
    )
    return after, jacobian


def add_noise(
    covariance: NDArray[np.float64], mean: Mean, step_s: float, process: ProcessModel
) -> None:
    """Add the process noise of one step to a covariance, in place.

    The jerk and the yaw acceleration are white over the step, which is short beside their decay.
    """
    for rate, driven, density in (
        (SPEED, ACCELERATION, process.jerk_density),
        (HEADING, YAW_RATE, process.yaw_acceleration_density),
    ):
        noise = density * step_s
        covariance[driven, driven] += noise
        noise *= 0.5 * step_s
        covariance[rate, driven] += noise
        covariance[driven, rate] += noise
        covariance[rate, rate] += noise * step_s / 1.5
    covariance[HEADING, HEADING] += process.heading_drift_density * step_s
    scale = process.speed_scale_density * step_s
    along_e = mean[SPEED] * math.cos(mean[HEADING])
    along_n = mean[SPEED] * math.sin(mean[HEADING])
    covariance[EAST, EAST] += scale * along_e * along_e
    covariance[NORTH, NORTH] += scale * along_n * along_n
    covariance[EAST, NORTH] += scale * along_e * along_n
    covariance[NORTH, EAST] += scale * along_e * along_n
