# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The course of a road: a plane curve by its curvature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_STEP_M = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A plane curve given by its curvature, in the map frame (x east, y north).

    Curvature is linear between its knots (clothoids), so a wheel can follow it.

    Attributes:
        curvature: (arc length m, curvature 1/m, positive to the left) at each knot, by arc length.
        start_m: Arc length at which the curve begins, at most 0.
        end_m: Arc length at which it ends.
        heading_rad: Heading at arc length 0.
        origin_m: Position at arc length 0.
    """

    curvature: Sequence[tuple[float, float]]
    start_m: float
    end_m: float
    heading_rad: float
    origin_m: tuple[float, float] = (0.0, 0.0)
    arcs: NDArray[np.float64] = field(init=False)
    _knots: NDArray[np.float64] = field(init=False)
    _poses: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        """Integrate curvature to heading, and heading to position."""
        object.__setattr__(self, '_knots', np.asarray(self.curvature, np.float64))
        count = round((self.end_m - self.start_m) / _STEP_M) + 1
        arcs = self.start_m + _STEP_M * np.arange(count)
        heading = _integral(self.curvature_at(arcs))
        heading += self.heading_rad - np.interp(0.0, arcs, heading)
        middle = self.curvature_at(arcs[:-1] + _STEP_M / 2)
        bearing = heading[:-1] + _STEP_M / 4 * (self.curvature_at(arcs[:-1]) + middle)
        x = np.concatenate([[0.0], np.cumsum(_STEP_M * np.cos(bearing))])
        y = np.concatenate([[0.0], np.cumsum(_STEP_M * np.sin(bearing))])
        x += self.origin_m[0] - np.interp(0.0, arcs, x)
        y += self.origin_m[1] - np.interp(0.0, arcs, y)
        object.__setattr__(self, 'arcs', arcs)
        object.__setattr__(self, '_poses', np.stack([x, y, heading], axis=-1))

    def curvature_at(self, arc_m: ArrayLike) -> NDArray[np.float64]:
        """Give the curvature, 1/m, positive to the left."""
        arc = np.asarray(arc_m, np.float64)
        return np.asarray(np.interp(arc, self._knots[:, 0], self._knots[:, 1]))

    def pose_at(self, arc_m: ArrayLike) -> NDArray[np.float64]:
        """Give x, y and heading as float64 (..., 3) at arc lengths (...), held at the ends."""
        place = (np.asarray(arc_m, np.float64) - self.start_m) / _STEP_M
        place = np.clip(place, 0.0, len(self.arcs) - 1.0)
        index = np.minimum(place.astype(np.int64), len(self.arcs) - 2)
        part = (place - index)[..., None]
        return np.asarray((1 - part) * self._poses[index] + part * self._poses[index + 1])

    def beside(self, arc_m: ArrayLike, left_m: ArrayLike) -> NDArray[np.float64]:
        """Give positions float64 (..., 2) beside the course, positive offsets to the left."""
        pose = self.pose_at(arc_m)
        normal = np.stack([-np.sin(pose[..., 2]), np.cos(pose[..., 2])], axis=-1)
        return np.asarray(pose[..., :2] + np.asarray(left_m, np.float64)[..., None] * normal)


def _integral(values: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = (values[1:] + values[:-1]) * (_STEP_M / 2)
    return np.concatenate([[0.0], np.cumsum(steps)])
