# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples as the ego-state filter measures them: checked, metric, with their variances."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.errors import SampleError
from mm_fusion.geometry.enu import LocalFrame
from mm_fusion.types.sensors import DropReason, GnssFix, LocalPosition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.settings import EgoFilterSettings
    from mm_fusion.types.sensors import PositionSample, VelocitySample

_MAX_SPEED_MPS = 150.0
_MAX_YAW_RATE_RPS = 20.0
_MAX_COORDINATE_M = 1e7
_MIN_VARIANCE = 1e-6
_MAX_VARIANCE = 1e8


@dataclass(frozen=True, slots=True)
class MeasuredVelocity:
    """Speed (m/s) and yaw rate (rad/s) with variances; the yaw rate is None where unmeasured."""

    speed_mps: float
    speed_variance: float
    yaw_rate_rps: float | None
    yaw_rate_variance: float

    def without_yaw_rate(self) -> MeasuredVelocity:
        """Return the same without a yaw rate."""
        return replace(self, yaw_rate_rps=None)


@dataclass(frozen=True, slots=True)
class MeasuredPosition:
    """East and north (m) with the entries of their covariance (m²)."""

    east_m: float
    north_m: float
    east_variance: float
    covariance: float
    north_variance: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The covariance, (2, 2), m²."""
        return np.array(
            ((self.east_variance, self.covariance), (self.covariance, self.north_variance))
        )


def measured_velocity(sample: VelocitySample, settings: EgoFilterSettings) -> MeasuredVelocity:
    """Check a velocity and fill in the variances that its message leaves unset.

    Raises:
        SampleError: A number is not finite, or none that a road vehicle has.
    """
    _check('speed', sample.speed_mps, _MAX_SPEED_MPS)
    if sample.yaw_rate_rps is not None:
        _check('yaw rate', sample.yaw_rate_rps, _MAX_YAW_RATE_RPS)
    return MeasuredVelocity(
        sample.speed_mps,
        _variance('speed', sample.speed_variance, settings.speed_std_mps),
        sample.yaw_rate_rps,
        _variance('yaw rate', sample.yaw_rate_variance, settings.yaw_rate_std_rps),
    )


def origin_of(sample: PositionSample) -> LocalFrame | None:
    """Return the local frame at a fix; None for a position that is metric already.

    Raises:
        SampleError: The fix is not on the globe.
    """
    if isinstance(sample, LocalPosition):
        return None
    altitude = sample.altitude_m if math.isfinite(sample.altitude_m) else 0.0
    try:
        return LocalFrame(sample.latitude_deg, sample.longitude_deg, altitude)
    except ValueError as error:
        raise _off_the_globe(sample, error) from error


def measured_position(
    sample: PositionSample, frame: LocalFrame | None, settings: EgoFilterSettings
) -> MeasuredPosition:
    """Check a position, turn it metric and fill in a covariance that its message leaves unset.

    Raises:
        SampleError: A number is not finite, the position is not on the globe, or the covariance
            is none.
    """
    if isinstance(sample, GnssFix):
        if frame is None:
            raise SampleError(
                DropReason.UNSUPPORTED, 'position: found latitude and longitude after metric ones'
            )
        try:
            east, north, _ = frame.to_local(
                sample.latitude_deg, sample.longitude_deg, sample.altitude_m
            ).tolist()
        except ValueError as error:
            raise _off_the_globe(sample, error) from error
    else:
        if frame is not None:
            raise SampleError(
                DropReason.UNSUPPORTED, 'position: found metric ones after latitude and longitude'
            )
        east, north = sample.east_m, sample.north_m
    _check('east', east, _MAX_COORDINATE_M)
    _check('north', north, _MAX_COORDINATE_M)
    if sample.covariance is None:
        variance = settings.position_std_m**2
        return MeasuredPosition(east, north, variance, 0.0, variance)
    (ee, en), (_, nn) = sample.covariance.tolist()
    _check('east variance', ee, _MAX_VARIANCE)
    _check('north variance', nn, _MAX_VARIANCE)
    _check('covariance', en, _MAX_VARIANCE)
    if ee < 0.0 or nn < 0.0 or en * en > ee * nn:
        raise SampleError(
            DropReason.MALFORMED, f'position: found [{ee}, {en}, {nn}], expected a covariance'
        )
    return MeasuredPosition(east, north, ee + _MIN_VARIANCE, en, nn + _MIN_VARIANCE)


def _check(name: str, value: float, limit: float) -> None:
    if not math.isfinite(value):
        raise SampleError(DropReason.NOT_FINITE, f'{name}: found {value}, expected a number')
    if abs(value) > limit:
        raise SampleError(
            DropReason.MALFORMED, f'{name}: found {value:g}, expected at most {limit:g}'
        )


def _variance(name: str, variance: float | None, deviation: float) -> float:
    if variance is None:
        return deviation * deviation
    _check(f'{name} variance', variance, _MAX_VARIANCE)
    if variance < 0.0:
        raise SampleError(
            DropReason.MALFORMED, f'{name} variance: found {variance:g}, expected no negative one'
        )
    return variance + _MIN_VARIANCE


def _off_the_globe(sample: GnssFix, error: ValueError) -> SampleError:
    finite = math.isfinite(sample.latitude_deg) and math.isfinite(sample.longitude_deg)
    return SampleError(DropReason.MALFORMED if finite else DropReason.NOT_FINITE, str(error))
