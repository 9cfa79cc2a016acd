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

_SLOW_MPS = 3.0
MAX_STEP_S = 0.25
"""Longest step of the integration, beside which decays and turns are slow."""


@dataclass(frozen=True, slots=True)
class ProcessModel:
    """How fast the motion of a road vehicle changes.

    The defaults were chosen on ``boreas_2021_08_05_13_34`` and ``comma2k19_example_1``.

    Attributes:
        acceleration_time_constant_s: Of its decay; may be infinite.
        yaw_rate_time_constant_s: Of its decay; may be infinite.
        jerk_density: Power spectral density of the noise that drives the acceleration, m²/s⁵.
        lateral_jerk_density: Of the noise that drives the yaw rate, as the lateral jerk that it
            makes, m²/s⁵: tyres limit the yaw rate the more, the faster the vehicle is. Below
            ``_SLOW_MPS`` steering limits it.
        speed_scale_density: Of the relative error of the measured speed, s: 2 % over ten seconds.
            It lets positions correct the way along the heading.
        heading_drift_density: Of the bias of the measured yaw rate, rad²/s.
    """

    acceleration_time_constant_s: float = 6.0
    yaw_rate_time_constant_s: float = 4.0
    jerk_density: float = 1.0
    lateral_jerk_density: float = 1.0
    speed_scale_density: float = 0.004
    heading_drift_density: float = 1e-5

    def __post_init__(self) -> None:
        """Check the signs."""
        time_constants = (
            self.acceleration_time_constant_s,
            self.yaw_rate_time_constant_s,
        )
        densities = (
            self.jerk_density,
            self.lateral_jerk_density,
            self.speed_scale_density,
            self.heading_drift_density,
        )
        if not (
            all(v > 0.0 for v in time_constants) and all(0.0 <= v < math.inf for v in densities)
        ):
            raise ValueError(f'process model: expected no negative numbers, found {self}')

    def yaw_acceleration_density(self, speed_mps: float) -> float:
        """Return the spectral density of the yaw acceleration at a speed, rad²/s³."""
        return self.lateral_jerk_density / (speed_mps * speed_mps + _SLOW_MPS * _SLOW_MPS)

    def yaw_rate_variance(self, speed_mps: float) -> float:
        """Return the variance of the yaw rate at a speed kept for long, (rad/s)²."""
        return 0.5 * self.yaw_rate_time_constant_s * self.yaw_acceleration_density(speed_mps)


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
        # For matrices this small, dot takes a third of the time of the operator.
        covariance = jacobian.dot(covariance).dot(jacobian.T) + step_noise(mean, step_s, process)
        mean = after
    return mean, covariance


def advance(mean: Mean, duration_s: float, process: ProcessModel) -> Mean:
    """Advance a state as ``propagate`` does, without its covariance: a fifth of the time."""
    steps = max(1, math.ceil(duration_s / MAX_STEP_S - 1e-9))
    step_s = duration_s / steps
    for _ in range(steps):
        mean, *_ = _course(mean, step_s, process)
    return mean


def transition(
    mean: Mean, step_s: float, process: ProcessModel
) -> tuple[Mean, NDArray[np.float64]]:
    """Advance a state by one step, at most ``MAX_STEP_S``, and return the Jacobian (6, 6) too."""
    after, decays, arc_of_turn, (d_east, d_north), (cosine, sine) = _course(mean, step_s, process)
    left_a, gain_a, left_w, gain_w = decays
    turn, chord, arc = arc_of_turn
    # The bulge of a bend, some mm, is taken as constant.
    by_speed, by_acceleration = chord * step_s, chord * (0.5 * step_s * gain_a)
    half_w, shorter = 0.5 * gain_w, gain_w * turn * arc / 12.0
    east_by_w = -half_w * d_north - shorter * cosine
    north_by_w = half_w * d_east - shorter * sine
    jacobian = np.array(
        (
            1.0, 0.0, -d_north, by_speed * cosine, east_by_w, by_acceleration * cosine,
            0.0, 1.0, d_east, by_speed * sine, north_by_w, by_acceleration * sine,
            0.0, 0.0, 1.0, 0.0, gain_w, 0.0,
            0.0, 0.0, 0.0, 1.0, 0.0, gain_a,
            0.0, 0.0, 0.0, 0.0, left_w, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0, left_a,
        )
    ).reshape(6, 6)  # fmt: skip
    return after, jacobian


def _course(
    mean: Mean, step_s: float, process: ProcessModel
) -> tuple[
    Mean,
    tuple[float, float, float, float],
    tuple[float, float, float],
    tuple[float, float],
    tuple[float, float],
]:
    """Advance a state by one step, and tell what the Jacobian is made of.

    Returns:
        The state after it; what is left of the acceleration and its integral, and the same of the
        yaw rate; the turn, the chord of its arc by its length, and that length; the displacement;
        and the direction of the chord.
    """
    east, north, heading, speed, yaw_rate, acceleration = mean
    left_a, gain_a = decay(step_s, process.acceleration_time_constant_s)
    left_w, gain_w = decay(step_s, process.yaw_rate_time_constant_s)
    turn = gain_w * yaw_rate
    chord = 1.0 - turn * turn / 24.0
    arc = step_s * speed + 0.5 * step_s * gain_a * acceleration
    # The faster end of a bend weighs more: what that adds at right angles to the chord.
    bulge = acceleration * yaw_rate * step_s**3 / 12.0
    cosine, sine = math.cos(heading + 0.5 * turn), math.sin(heading + 0.5 * turn)
    d_east = chord * arc * cosine - bulge * sine
    d_north = chord * arc * sine + bulge * cosine
    after = (
        east + d_east,
        north + d_north,
        heading + turn,
        speed + gain_a * acceleration,
        left_w * yaw_rate,
        left_a * acceleration,
    )
    decays = (left_a, gain_a, left_w, gain_w)
    return after, decays, (turn, chord, arc), (d_east, d_north), (cosine, sine)


def step_noise(mean: Mean, step_s: float, process: ProcessModel) -> NDArray[np.float64]:
    """Return the process noise that one step adds to the covariance: float64 (6, 6).

    The jerk and the yaw acceleration are white over the step, which is short beside their decay.
    """
    speed, heading = mean[SPEED], mean[HEADING]
    jerk = process.jerk_density * step_s
    yaw = process.yaw_acceleration_density(speed) * step_s
    half, third = 0.5 * step_s, step_s * step_s / 3.0
    scale = process.speed_scale_density * step_s
    along_e, along_n = speed * math.cos(heading), speed * math.sin(heading)
    drift = process.heading_drift_density * step_s
    across = scale * along_e * along_n
    # One flat tuple: written entry by entry, it would cost as much as all the rest of a step.
    return np.array(
        (
            scale * along_e * along_e, across, 0.0, 0.0, 0.0, 0.0,
            across, scale * along_n * along_n, 0.0, 0.0, 0.0, 0.0,
            0.0, 0.0, third * yaw + drift, 0.0, half * yaw, 0.0,
            0.0, 0.0, 0.0, third * jerk, 0.0, half * jerk,
            0.0, 0.0, half * yaw, 0.0, yaw, 0.0,
            0.0, 0.0, 0.0, half * jerk, 0.0, jerk,
        )
    ).reshape(6, 6)  # fmt: skip
