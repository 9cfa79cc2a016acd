# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The path ahead of an ego state, rolled out with the filter's own process model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.geometry.motion import checked_times, stopping_time
from mm_fusion.geometry.process import (
    ACCELERATION,
    EAST,
    HEADING,
    NORTH,
    SPEED,
    Mean,
    ProcessModel,
    advance,
    propagate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mm_fusion.geometry.ego_state import EgoState


def predict_path(
    state: EgoState,
    times_s: Sequence[float] | NDArray[np.float64],
    process: ProcessModel | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Roll a state out in ``base_link`` at its stamp.

    Acceleration and yaw rate decay as in the filter; a vehicle that brakes stops and stays. The
    covariance starts from that of speed, yaw rate and acceleration (where the vehicle is and
    where it heads do not matter in its own frame) and grows by the process noise.

    Args:
        state: Where to start.
        times_s: (n,), non-negative seconds after the stamp, not decreasing.
        process: Model to use; None takes the default of the filter.

    Returns:
        Positions float64 (n, 2) in m, headings float64 (n,) in rad, not wrapped, and covariances
        of the positions float64 (n, 2, 2) in m².

    Raises:
        ValueError: A time is not finite, negative or before the previous one.
    """
    model = process or ProcessModel()
    mean: Mean = _from_here(state)
    covariance: NDArray[np.float64] = np.zeros((6, 6))
    covariance[3:, 3:] = state.covariance[3:, 3:]

    points: list[tuple[float, float]] = []
    headings, swerves, covariances = [], [], []
    swerve = 0.0
    for duration_s, stops in _legs(mean, times_s, model):
        mean, covariance = propagate(mean, covariance, duration_s, model)
        swerve += duration_s * _sidewards(covariance)
        if stops:
            mean = _standing(mean)
            continue
        points.append((mean[EAST], mean[NORTH]))
        headings.append(mean[HEADING])
        swerves.append(swerve)
        covariances.append(covariance[:HEADING, :HEADING])
    angles = np.array(headings)
    aside = np.stack([-np.sin(angles), np.cos(angles)], axis=1)
    spread = np.square(swerves)[:, None, None] * aside[:, :, None] * aside[:, None, :]
    return _array(points), angles, np.array(covariances).reshape(-1, 2, 2) + spread


def predict_poses(
    state: EgoState,
    times_s: Sequence[float] | NDArray[np.float64],
    process: ProcessModel | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Do what ``predict_path`` does, without covariances: in a fifth of the time."""
    model = process or ProcessModel()
    mean = _from_here(state)
    points: list[tuple[float, float]] = []
    headings = []
    for duration_s, stops in _legs(mean, times_s, model):
        mean = advance(mean, duration_s, model)
        if stops:
            mean = _standing(mean)
            continue
        points.append((mean[EAST], mean[NORTH]))
        headings.append(mean[HEADING])
    return _array(points), np.array(headings)


def _from_here(state: EgoState) -> Mean:
    """Give the mean of a state in its own frame."""
    speed, yaw_rate, acceleration = state.mean[3:].tolist()
    return (0.0, 0.0, 0.0, speed, yaw_rate, acceleration)


def _standing(mean: Mean) -> Mean:
    east, north, heading = mean[:SPEED]
    return (east, north, heading, 0.0, 0.0, 0.0)


def _array(points: list[tuple[float, float]]) -> NDArray[np.float64]:
    return np.array(points).reshape(-1, 2)


def _legs(
    mean: Mean, times_s: Sequence[float] | NDArray[np.float64], model: ProcessModel
) -> Iterator[tuple[float, bool]]:
    """Split the way to each time into durations, and tell after which the vehicle stops.

    Raises:
        ValueError: A time is not finite, negative or before the previous one.
    """
    times = checked_times(times_s)
    if (np.diff(times) < 0.0).any():
        raise ValueError(f'times: expected no decrease, found {times.tolist()}')
    stop_s = stopping_time(mean[SPEED], mean[ACCELERATION], model.acceleration_time_constant_s)
    now_s = 0.0
    for time_s in times.tolist():
        if now_s <= stop_s <= time_s:
            yield stop_s - now_s, True
            now_s = stop_s
        yield time_s - now_s, False
        now_s = time_s


def _sidewards(covariance: NDArray[np.float64]) -> float:
    """Return the deviation of the speed sidewards that is not linear in the state, m/s.

    Where a stop is predicted, the path does not depend on the heading to first order; a vehicle
    that drives on all the same also turns. This is the product of the two deviations, which does.
    """
    speed, heading = float(covariance[SPEED, SPEED]), float(covariance[HEADING, HEADING])
    return math.sqrt(speed * min(heading, 1.0))
