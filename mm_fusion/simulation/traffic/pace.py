# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How fast the main road is driven: limits, bends, surfaces, and braking in time for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.traffic.dynamics import GRAVITY_MPS2, grip_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import RoadNetwork

_STEP_M = 1.0
_MATERIAL_PACE = (1.0, 1.0, 0.85, 0.75, 0.6)
_UNEVENNESS_PACE = (1.0, 0.92, 0.7)
_FULL_PACE_GRIP = 0.75
_LATERAL_MPS2 = 2.4
_LATERAL_GRIP_SHARE = 0.4
_BRAKING_MPS2 = 1.7
_BRAKING_GRIP_SHARE = 0.3
_GIVE_WAY_M = 8.0
_GIVE_WAY_MPS = 6.5
_DAMPING_S = 0.9


class Pace:
    """Speeds on the main road, by arc length and direction.

    Drivers take bends with a comfortable lateral acceleration, slow down at junctions without
    traffic lights in towns, use a part of the grip only, and brake for what comes with a part of
    it too.

    Args:
        roads: With what lies on them.
        limit_mps: Speed limit.
    """

    def __init__(self, roads: RoadNetwork, limit_mps: float) -> None:
        course, surface = roads.main.course, roads.surface
        self._begin = course.start_m
        arcs = np.arange(course.start_m, course.end_m, _STEP_M)
        self._grip = grip_at(surface, arcs)
        adapted = np.minimum(1.0, np.sqrt(self._grip / _FULL_PACE_GRIP))
        adapted *= surface.material_at(arcs) @ np.array(_MATERIAL_PACE)
        adapted *= surface.unevenness_at(arcs) @ np.array(_UNEVENNESS_PACE)
        most = self._grip * GRAVITY_MPS2
        lateral = np.minimum(_LATERAL_MPS2, _LATERAL_GRIP_SHARE * most)
        bends = np.sqrt(lateral / np.maximum(np.abs(course.curvature_at(arcs)), 1e-6))
        for junction in roads.junctions:
            if roads.urban and not junction.signals:
                near = np.abs(arcs - junction.arc_m) < _GIVE_WAY_M
                bends[near] = np.minimum(bends[near], _GIVE_WAY_MPS)
        braking = np.minimum(_BRAKING_MPS2, _BRAKING_GRIP_SHARE * most)
        self._speeds = np.stack(
            [
                [_in_time(np.minimum(top, bends), braking, sign) for sign in (1, -1)]
                for top in (limit_mps * adapted, np.full_like(adapted, 60.0))
            ]
        )
        self._slopes = np.gradient(self._speeds, _STEP_M, axis=2)

    def grip(self, arc: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the friction coefficients (n,) at arc lengths (n,)."""
        return np.asarray(self._grip[self._index(arc)])

    def speed(
        self, arc: NDArray[np.float64], direction: NDArray[np.float64], hurry: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the speed, and its slope along the direction, (n,) each.

        Args:
            arc: (n,), m.
            direction: (n,), ±1.
            hurry: (n,), 1 for who may exceed the limit, else 0.
        """
        back = (direction < 0).astype(np.int64)
        index = self._index(arc)
        return self._speeds[hurry, back, index], direction * self._slopes[hurry, back, index]

    def _index(self, arc: NDArray[np.float64]) -> NDArray[np.int64]:
        index = ((arc - self._begin) / _STEP_M + 0.5).astype(np.int64)
        return np.clip(index, 0, len(self._grip) - 1)


def follow(
    speed: NDArray[np.float64], target: NDArray[np.float64], slope: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the acceleration (n,) that keeps to a speed which changes along the way."""
    return speed * slope + (target - speed) / _DAMPING_S


def _in_time(
    speeds: NDArray[np.float64], braking: NDArray[np.float64], sign: int
) -> NDArray[np.float64]:
    """Lower speeds so that each one is reached by braking before."""
    squares = (speeds**2)[::sign].copy()
    rises = 2 * _STEP_M * braking[::sign]
    # v² may fall by at most the sum of the rises: a running minimum from behind.
    total = np.concatenate([[0.0], np.cumsum(rises[:-1])])
    lowered = np.minimum.accumulate((squares + total)[::-1])[::-1] - total
    return np.asarray(np.sqrt(np.maximum(lowered, 0.01))[::sign])
