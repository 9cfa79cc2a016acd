# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the ego-state filter believes after a sample, and how the next one changes it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.geometry.heading import Waypoint, find_heading, remember
from mm_fusion.geometry.position_errors import PositionErrors
from mm_fusion.geometry.process import (
    ACCELERATION,
    EAST,
    HEADING,
    NORTH,
    SPEED,
    YAW_RATE,
    Mean,
    ProcessModel,
    propagate,
)
from mm_fusion.geometry.updates import innovation, update_column, update_position

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.geometry.measurements import MeasuredPosition, MeasuredVelocity

_RECOVERY_S = 1.0
_RECOVERY_COUNT = 3
"""A sensor refused this often in a row, over this long, is believed against the filter."""

_STEADY_SIGMAS = 3.0
"""A position further off than this is taken for one whose slow error has jumped."""

_ANY_ACCELERATION = 2.0**2
_ANY_YAW_RATE = 0.3**2
_ANY_HEADING = math.pi**2 / 3.0
_ANY_SPEED = 15.0**2
_REVERSING_MPS = 0.5


@dataclass(frozen=True, slots=True)
class Refusals:
    """Measurements of one sensor refused in a row, and the stamp of the first of them."""

    number: int = 0
    since_ns: int = 0

    def another(self, stamp_ns: int) -> Refusals:
        """Count one more."""
        return Refusals(self.number + 1, self.since_ns if self.number else stamp_ns)

    def last(self, stamp_ns: int) -> bool:
        """Tell whether the sensor has been refused for long enough."""
        return (
            self.number >= _RECOVERY_COUNT
            and stamp_ns - self.since_ns >= _RECOVERY_S * 1_000_000_000
        )


_NONE = Refusals()
_UNTOLD = PositionErrors()


@dataclass(slots=True)
class Belief:
    """A Gaussian over the state, with what is known of it.

    Every field holds an immutable value or an array that is never written again, so that a
    shallow copy is a copy.

    Attributes:
        stamp_ns: The instant it holds for.
        process: How the state moves.
        mean: East, north, heading, speed, yaw rate, acceleration. East and north are where the
            receiver puts the vehicle: its slow error is in them.
        covariance: float64 (6, 6), without that error.
        speed_measured: Whether a velocity sample has been used.
        speed_known: Whether the speed is known, from a velocity or from positions.
        position_known: Whether a position has been used.
        heading_known: Whether positions have told the heading.
        position_ns: Stamp of the last position used.
        position_covariance: Of that position, as its receiver tells, (2, 2), m².
        position_errors: What is known of the receiver's errors.
        waypoints: Recent positions, while the heading is not known.
        travel: Way since the start by dead reckoning, while the heading is not known, m.
        last_position: Where the travel was last updated, m.
        velocity_refusals: Of velocity samples.
        position_refusals: Of positions.
    """

    stamp_ns: int
    process: ProcessModel
    mean: Mean = (0.0,) * 6
    covariance: NDArray[np.float64] = field(init=False)
    speed_measured: bool = False
    speed_known: bool = False
    position_known: bool = False
    heading_known: bool = False
    position_ns: int = 0
    position_covariance: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 2)))
    position_errors: PositionErrors = _UNTOLD
    waypoints: tuple[Waypoint, ...] = ()
    travel: tuple[float, float] = (0.0, 0.0)
    last_position: tuple[float, float] = (0.0, 0.0)
    velocity_refusals: Refusals = _NONE
    position_refusals: Refusals = _NONE

    def __post_init__(self) -> None:
        """Start from what is known of any road vehicle."""
        self.covariance = np.diag(
            [
                0.0,
                0.0,
                _ANY_HEADING,
                _ANY_SPEED,
                _ANY_YAW_RATE,
                _ANY_ACCELERATION,
            ]
        )

    def copy(self) -> Belief:
        """Return a copy, in a quarter of the time that ``copy.copy`` takes."""
        other = Belief.__new__(Belief)
        for name in Belief.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def advance(self, stamp_ns: int) -> None:
        """Move on to a later instant."""
        if stamp_ns > self.stamp_ns:
            duration_s = (stamp_ns - self.stamp_ns) * 1e-9
            self.mean, self.covariance = propagate(
                self.mean, self.covariance, duration_s, self.process
            )
            self.stamp_ns = stamp_ns

    def use_velocity(self, measured: MeasuredVelocity, gate_sigmas: float) -> bool:
        """Update with a velocity at the instant; return False where it is refused."""
        parts = [(SPEED, measured.speed_mps, measured.speed_variance)]
        if measured.yaw_rate_rps is not None:
            parts.append((YAW_RATE, measured.yaw_rate_rps, measured.yaw_rate_variance))
        if not self.speed_measured:
            self._replace_velocity(parts[:1])
            del parts[0]
        elif self._surprising(parts, gate_sigmas):
            self.velocity_refusals = self.velocity_refusals.another(self.stamp_ns)
            if not self.velocity_refusals.last(self.stamp_ns):
                return False
            self._replace_velocity(parts)
            parts = []
        for column, value, variance in parts:
            self.mean, self.covariance = update_column(
                self.mean, self.covariance, column, value, variance
            )
        self.velocity_refusals = _NONE
        self.speed_measured = self.speed_known = True
        return True

    def use_position(self, measured: MeasuredPosition, gate_sigmas: float) -> bool:
        """Update with a position at the instant; return False where it is refused."""
        if not self.heading_known:
            self._search_heading(measured)
        elif not self._correct_position(measured, gate_sigmas):
            self.position_refusals = self.position_refusals.another(self.stamp_ns)
            if not self.position_refusals.last(self.stamp_ns):
                return False
            self._lose_heading()
            self._search_heading(measured)
        self.position_refusals = _NONE
        self.position_known = True
        self.position_ns = self.stamp_ns
        self.position_covariance = measured.matrix
        return True

    def slow_error(self) -> NDArray[np.float64]:
        """Return the covariance of the error that all recent positions share, (2, 2), m²."""
        return self.position_errors.slow * self.position_covariance

    def _correct_position(self, measured: MeasuredPosition, gate_sigmas: float) -> bool:
        errors = self.position_errors
        steady = moved = errors.drift((self.stamp_ns - self.position_ns) * 1e-9)
        found = innovation(self.mean, self.covariance, measured, moved + errors.noise)
        expected = float(self.covariance[EAST, EAST] + self.covariance[NORTH, NORTH])
        both = measured.east_variance + measured.north_variance
        if found.squared_distance > min(_STEADY_SIGMAS, gate_sigmas) ** 2:
            moved = errors.jump
            found = innovation(self.mean, self.covariance, measured, moved + errors.noise)
            if found.squared_distance > gate_sigmas**2:
                return False
        self.position_errors = errors.after(
            found.east_m**2 + found.north_m**2, expected + steady * both, both
        )
        self.mean, self.covariance = update_position(
            self.mean, self._position_moved(measured, moved), found
        )
        self._face_forward()
        return True

    def _position_moved(self, measured: MeasuredPosition, share: float) -> NDArray[np.float64]:
        """Return the covariance after the slow error has changed by a share of the receiver's."""
        covariance = self.covariance.copy()
        covariance[:2, :2] += share * measured.matrix
        return covariance

    def _surprising(self, parts: list[tuple[int, float, float]], gate_sigmas: float) -> bool:
        for column, value, variance in parts:
            expected = gate_sigmas**2 * (float(self.covariance[column, column]) + variance)
            if (value - self.mean[column]) ** 2 > expected:
                return True
        return False

    def _replace_velocity(self, parts: list[tuple[int, float, float]]) -> None:
        for column, value, variance in parts:
            self._replace(column, value, variance)
        self._replace(ACCELERATION, 0.0, _ANY_ACCELERATION)

    def _replace(self, column: int, value: float, variance: float) -> None:
        mean = list(self.mean)
        mean[column] = value
        self.mean = (mean[0], mean[1], mean[2], mean[3], mean[4], mean[5])
        self.covariance = self.covariance.copy()
        self.covariance[column] = 0.0
        self.covariance[:, column] = 0.0
        self.covariance[column, column] = variance

    def _lose_heading(self) -> None:
        self.heading_known = self.position_known = False
        self.waypoints = ()
        self._replace(HEADING, self.mean[HEADING], _ANY_HEADING)

    def _search_heading(self, measured: MeasuredPosition) -> None:
        """Take the position as it is, and compare the way of positions with the way driven."""
        here = (measured.east_m, measured.north_m)
        if self.position_known:
            self.travel = (
                self.travel[0] + self.mean[EAST] - self.last_position[0],
                self.travel[1] + self.mean[NORTH] - self.last_position[1],
            )
        variance = max(measured.east_variance, measured.north_variance)
        newest = Waypoint(self.stamp_ns, *here, variance, self.travel)
        noise = self.position_errors.noise
        self._replace(EAST, here[0], noise * measured.east_variance)
        self._replace(NORTH, here[1], noise * measured.north_variance)
        self.covariance[EAST, NORTH] = noise * measured.covariance
        self.covariance[NORTH, EAST] = self.covariance[EAST, NORTH]
        self.last_position = here

        found = find_heading(
            self.waypoints,
            newest,
            reckoned=self.speed_measured,
            yaw_rate_variance=float(self.covariance[YAW_RATE, YAW_RATE]),
            process=self.process,
        )
        if found is None:
            self.waypoints = remember(self.waypoints, newest)
            return
        self._replace(HEADING, self.mean[HEADING] + found.turn_rad, found.variance)
        if not self.speed_measured:
            self._replace(SPEED, found.speed_mps, found.speed_variance)
        self.heading_known = self.speed_known = True
        self.waypoints = ()

    def _face_forward(self) -> None:
        """Turn a vehicle around that positions alone seem to show reversing."""
        if self.speed_measured or self.mean[SPEED] > -_REVERSING_MPS:
            return
        east, north, heading, speed, yaw_rate, acceleration = self.mean
        self.mean = (east, north, heading + math.pi, -speed, yaw_rate, -acceleration)
        signs = np.array([1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
        self.covariance = self.covariance * signs * signs[:, None]
