# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Drives made from the process model of the ego-state filter, with the samples of both sensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.geometry.process import (
    HEADING,
    SPEED,
    YAW_RATE,
    ProcessModel,
    step_noise,
    transition,
)
from mm_fusion.geometry.reference import ReferencePath
from mm_fusion.types.sensors import LocalPosition, VelocitySample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.geometry.process import Mean

START_NS = 1_700_000_000_000_000_000
STEP_S = 0.1
SPEED_STD, YAW_RATE_STD, POSITION_STD = 0.08, 0.01, 2.0
SLOW_TIME_S = 300.0


def stamp(time_s: float) -> int:
    return START_NS + round(time_s * 1e9)


def velocity(time_s: float, speed: float, yaw_rate: float | None = None) -> VelocitySample:
    return VelocitySample(stamp(time_s), stamp(time_s), speed, 0.0, yaw_rate)


def position(time_s: float, east: float, north: float, std: float = POSITION_STD) -> LocalPosition:
    covariance = np.eye(2) * std**2
    return LocalPosition(stamp(time_s), stamp(time_s), 'map', east, north, covariance)


@dataclass(frozen=True)
class Drive:
    """What was driven, float64 (n, 6) each ``STEP_S``, and what the sensors said of it."""

    states: NDArray[np.float64]
    velocities: list[VelocitySample]
    positions: list[LocalPosition]

    @property
    def samples(self) -> list[VelocitySample | LocalPosition]:
        return sorted([*self.velocities, *self.positions], key=lambda sample: sample.stamp_ns)

    @property
    def path(self) -> ReferencePath:
        stamps = np.array([stamp(i * STEP_S) for i in range(len(self.states))], dtype=np.int64)
        states = self.states
        return ReferencePath(stamps, states[:, :2], states[:, HEADING], states[:, SPEED])


def drive(
    seed: int, duration_s: float = 60.0, speed_mps: float = 15.0, *, noise: float = 1.0
) -> Drive:
    """Draw a drive: velocity at 10 Hz, positions at 1 Hz, noises as the filter expects them.

    ``noise`` is the share of white noise in the variance of positions; the rest is an error that
    changes as that of satellites does.
    """
    random, slowly = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    slow = np.sqrt(1.0 - noise) * POSITION_STD * slowly.normal(size=2)
    kept = np.exp(-1.0 / SLOW_TIME_S)
    process = ProcessModel()
    state: Mean = (20.0, -30.0, float(random.uniform(-3, 3)), speed_mps, 0.0, 0.0)
    states, velocities, positions = [], [], []
    for i in range(round(duration_s / STEP_S)):
        time_s = i * STEP_S
        states.append(state)
        measured = state[SPEED] + SPEED_STD * random.normal()
        turning = state[YAW_RATE] + YAW_RATE_STD * random.normal()
        velocities.append(velocity(time_s, measured, turning))
        if i % 10 == 0:
            slow = kept * slow + np.sqrt((1.0 - noise) * (1.0 - kept**2)) * (
                POSITION_STD * slowly.normal(size=2)
            )
            white = np.sqrt(noise) * POSITION_STD * random.normal(size=2)
            east, north = state[:2] + slow + white
            positions.append(position(time_s, float(east), float(north)))
        after, _ = transition(state, STEP_S, process)
        shaken = step_noise(state, STEP_S, process)
        a, b, c, d, e, f = random.multivariate_normal(np.array(after), shaken, method='eigh')
        state = (float(a), float(b), float(c), float(d), float(e), float(f))
    return Drive(np.array(states), velocities, positions)
