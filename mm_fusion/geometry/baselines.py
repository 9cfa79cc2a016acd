# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The motion that the named baselines CV, CTRV and CTRA start from, taken from raw velocities.

The protocol of the published figures: on a grid of 0.5 s that begins two seconds after the first
pose of the ground truth and ends six seconds before the last, at each instant where the
interpolated speed exceeds 1 m/s, ``roll_out`` is compared with the ground truth at 0.5 s to 6 s
after it (positions interpolated, in ``base_link`` at the instant by the interpolated heading).
ADE is the mean of the distances over the steps and then over the instants, FDE that of the last
step. The turning subset is where the headings at the instant and 6 s later differ by over 15°.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.types.predictions import EgoMotion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mm_fusion.types.sensors import VelocitySample

_ACCELERATION_NS = 1_000_000_000
_YAW_RATE_NS = 500_000_000
_STALE_NS = 2_500_000_000


def baseline_motion(velocities: Sequence[VelocitySample], stamp_ns: int) -> EgoMotion | None:
    """Take the motion at an instant from raw velocities.

    The speed is interpolated between the samples around the instant (held where none follows);
    the yaw rate is the mean over the last half second, 0 where it is not measured; the
    acceleration is the slope of the least-squares line through the speeds of the last second.
    Where a window holds too few samples, the last one or two are taken.

    Args:
        velocities: In order of stamp; of those after the instant only the next one is used.
        stamp_ns: The instant.

    Returns:
        None where the last sample is older than 2.5 s.
    """
    stamps = np.array([sample.stamp_ns - stamp_ns for sample in velocities], dtype=np.int64)
    past = int(np.searchsorted(stamps, 0, side='right'))
    if past == 0 or stamps[past - 1] < -_STALE_NS:
        return None
    last = velocities[past - 1]
    yaw_from = min(past - 1, int(np.searchsorted(stamps, -_YAW_RATE_NS)))
    yaw_rates = [sample.yaw_rate_rps or 0.0 for sample in velocities[yaw_from:past]]

    first = min(past - 2, int(np.searchsorted(stamps, -_ACCELERATION_NS)))
    acceleration = 0.0
    if first >= 0 and stamps[first] >= -_STALE_NS:
        times = stamps[first:past] * 1e-9
        speeds = np.array([sample.speed_mps for sample in velocities[first:past]])
        times = times - times.mean()
        spread = float(times @ times)
        acceleration = float(times @ speeds) / spread if spread > 0.0 else 0.0

    speed = last.speed_mps
    if past < len(velocities) and stamps[past] - stamps[past - 1] <= _STALE_NS:
        share = float(-stamps[past - 1] / (stamps[past] - stamps[past - 1]))
        speed += share * (velocities[past].speed_mps - speed)
    return EgoMotion(
        speed_mps=speed,
        acceleration_mps2=acceleration,
        yaw_rate_rps=float(np.mean(yaw_rates)),
    )
