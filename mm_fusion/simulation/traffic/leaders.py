# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Who has whom ahead: the nearest vehicle whose way overlaps the own one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.traffic.fleet import Fleet

_SIDE_GAP_M = 0.2
_HORIZON_M = 150.0


def leaders(
    fleet: Fleet, to: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the gap to the leader and the speed at which it closes, (n,) each.

    A leader is any vehicle ahead on the same track that overlaps, sideways, with the strip
    between where the vehicle is and where it is steering to; it may come towards it.

    Args:
        fleet: All vehicles.
        to: (n,), offset to the left of the track, as driven, that is steered to, m.

    Returns:
        Gap from bumper to bumper, m, infinite where nobody is within 150 m; own speed less that
        of the leader, m/s.
    """
    way = fleet.direction
    same = way[:, None] == way[None, :]
    place = fleet.left * way
    aim = to * way
    low, high = np.minimum(place, aim), np.maximum(place, aim)
    apart = np.maximum(place[None, :] - high[:, None], low[:, None] - place[None, :])
    clear = (fleet.width[:, None] + fleet.width[None, :]) / 2 + _SIDE_GAP_M
    near_end = np.where(same, fleet.rear[None, :], fleet.front[None, :])
    ahead = (fleet.arc[None, :] - fleet.arc[:, None]) * way[:, None]
    gap = ahead - fleet.front[:, None] - near_end
    counts = (
        (apart < clear)
        & (ahead > 0.0)
        & (gap < _HORIZON_M)
        & (fleet.track[:, None] == fleet.track[None, :])
        & fleet.active[None, :]
    )
    gap = np.where(counts, gap, np.inf)
    nearest = np.argmin(gap, axis=1)
    rows = np.arange(len(fleet))
    speed = fleet.speed
    leading = np.where(same[rows, nearest], speed[nearest], -speed[nearest])
    gap = gap[rows, nearest]
    return gap, np.where(np.isfinite(gap), speed - leading, 0.0)
