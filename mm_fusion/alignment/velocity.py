# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Velocity at an instant, from the samples around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.types.sensors import VelocitySample

if TYPE_CHECKING:
    from mm_fusion.alignment.history import History


def velocity_at(
    history: History[VelocitySample], stamp_ns: int, timeout_ns: int
) -> VelocitySample | None:
    """Interpolate between the two samples around an instant, or hold the one before it.

    The sample before is returned as it is, with its own stamp, where it lies on the instant,
    where nothing newer is known, and where the two are further apart than the timeout, which no
    straight line bridges.

    Returns:
        None where no sample lies within the timeout before the instant.
    """
    before, after = history.around(stamp_ns)
    if before is None or stamp_ns - before.stamp_ns > timeout_ns:
        return None
    if before.stamp_ns == stamp_ns or after is None:
        return before
    if after.stamp_ns - before.stamp_ns > timeout_ns:
        return before
    return interpolate(before, after, stamp_ns)


def interpolate(before: VelocitySample, after: VelocitySample, stamp_ns: int) -> VelocitySample:
    """Draw a straight line between two samples and read it at an instant between them.

    A field that one of the two leaves unset stays unset. Of two variances the larger is taken:
    errors of neighbouring samples are correlated, so that interpolation does not shrink them.
    """
    share = (stamp_ns - before.stamp_ns) / (after.stamp_ns - before.stamp_ns)
    yaw_rate_rps = None
    if before.yaw_rate_rps is not None and after.yaw_rate_rps is not None:
        yaw_rate_rps = _mix(before.yaw_rate_rps, after.yaw_rate_rps, share)
    return VelocitySample(
        stamp_ns=stamp_ns,
        received_ns=max(before.received_ns, after.received_ns),
        speed_mps=_mix(before.speed_mps, after.speed_mps, share),
        lateral_mps=_mix(before.lateral_mps, after.lateral_mps, share),
        yaw_rate_rps=yaw_rate_rps,
        speed_variance=_larger(before.speed_variance, after.speed_variance),
        yaw_rate_variance=_larger(before.yaw_rate_variance, after.yaw_rate_variance),
    )


def _mix(first: float, second: float, share: float) -> float:
    return first * (1.0 - share) + second * share


def _larger(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else max(first, second)
