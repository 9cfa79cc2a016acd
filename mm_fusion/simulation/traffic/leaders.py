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
_SIREN_GAP_M = 0.15
_HORIZON_M = 150.0

EVADES_M = 25.0
"""Whoever makes way for a siren has done so when it is this near."""

EVADES_MPS = 2.0
"""Whoever is slower cannot make way any more."""


def leaders(
    fleet: Fleet, curvature: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the gap to the leader and the speed at which it closes, (n,) each.

    A leader is any vehicle ahead on the same track that overlaps, sideways, with the strip
    between where the vehicle is and where it is steering to. It may come towards it; then it
    counts where it steers to, if it can still get there. Past a siren, what the inner one sweeps
    in a bend counts too.

    Args:
        fleet: All vehicles.
        curvature: (n,), of the tracks as driven, 1/m.

    Returns:
        Gap from bumper to bumper, m, infinite where nobody is within 150 m; own speed less that
        of the leader, m/s.
    """
    way = fleet.direction
    same = way[:, None] == way[None, :]
    place = fleet.left * way
    aim = fleet.goal * way
    low, high = np.minimum(place, aim), np.maximum(place, aim)
    ahead = (fleet.arc[None, :] - fleet.arc[:, None]) * way[:, None]
    evades = (fleet.hurry[:, None] == 0) | ((ahead > EVADES_M) & (fleet.speed > EVADES_MPS))
    other = np.where(~same & evades, aim[None, :], place[None, :])
    apart = np.maximum(other - high[:, None], low[:, None] - other)
    clear = (fleet.width[:, None] + fleet.width[None, :]) / 2 + _SIDE_GAP_M
    if fleet.hurry.any():
        clear += _swept(fleet, aim[:, None] - other, curvature * way)
    near_end = np.where(same, fleet.rear[None, :], fleet.front[None, :])
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


def _swept(
    fleet: Fleet, left: NDArray[np.float64], curvature: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give how far (n, n) the front of the inner one of two vehicles swings out in a bend, m."""
    out = fleet.front**2 * np.abs(curvature) / 2
    inner = left * curvature[:, None] > 0.0
    siren = (fleet.hurry[:, None] + fleet.hurry[None, :]) == 1
    return np.where(siren, _SIREN_GAP_M + np.where(inner, out[:, None], out[None, :]), 0.0)
