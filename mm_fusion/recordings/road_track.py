# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The true road state along a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.bags import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.bags import RoadTruth, SirenTruth

_NAN = float('nan')


@dataclass(frozen=True, slots=True, eq=False)
class RoadTrack:
    """The true road state at a series of times.

    Attributes:
        stamps_ns: int64 (n,), increasing.
        friction: int64 (n,), index of the class, or ``UNKNOWN``.
        material: int64 (n,), the same.
        unevenness: int64 (n,), the same.
        friction_coefficient: float64 (n,), NaN where it is not known.
        siren: int64 (n,), 1 where one can be heard, 0 where none can, or ``UNKNOWN``.
        siren_distance_m: float64 (n,), to the nearest siren that is on; NaN where none is.
    """

    stamps_ns: NDArray[np.int64]
    friction: NDArray[np.int64]
    material: NDArray[np.int64]
    unevenness: NDArray[np.int64]
    friction_coefficient: NDArray[np.float64]
    siren: NDArray[np.int64]
    siren_distance_m: NDArray[np.float64]

    def at(self, stamps_ns: NDArray[np.int64]) -> RoadTrack:
        """Give what is true at other times: the nearest truth within half its period."""
        rows = nearest(self.stamps_ns, stamps_ns)
        told = rows >= 0
        return RoadTrack(
            stamps_ns=stamps_ns,
            friction=np.where(told, self.friction[rows], UNKNOWN),
            material=np.where(told, self.material[rows], UNKNOWN),
            unevenness=np.where(told, self.unevenness[rows], UNKNOWN),
            friction_coefficient=np.where(told, self.friction_coefficient[rows], _NAN),
            siren=np.where(told, self.siren[rows], UNKNOWN),
            siren_distance_m=np.where(told, self.siren_distance_m[rows], _NAN),
        )

    @property
    def told(self) -> NDArray[np.bool_]:
        """Whether anything is known, bool (n,)."""
        surface = np.stack([self.friction, self.material, self.unevenness])
        return np.asarray((surface != UNKNOWN).any(axis=0) | (self.siren != UNKNOWN))


def road_track(roads: Sequence[RoadTruth], sirens: Sequence[SirenTruth]) -> RoadTrack | None:
    """Order the truth of a recording by stamp, the first of each; None where there is none."""
    by_stamp: dict[int, RoadTruth] = {}
    for road in roads:
        by_stamp.setdefault(road.stamp_ns, road)
    if not by_stamp:
        return None
    rows = [by_stamp[stamp_ns] for stamp_ns in sorted(by_stamp)]
    stamps_ns = np.array([row.stamp_ns for row in rows], np.int64)
    return RoadTrack(
        stamps_ns=stamps_ns,
        friction=np.array([row.friction for row in rows], np.int64),
        material=np.array([row.material for row in rows], np.int64),
        unevenness=np.array([row.unevenness for row in rows], np.int64),
        friction_coefficient=np.array([row.friction_coefficient for row in rows]),
        siren=np.array([UNKNOWN if row.siren is None else row.siren for row in rows], np.int64),
        siren_distance_m=_distances(stamps_ns, sirens),
    )


def _distances(stamps_ns: NDArray[np.int64], sirens: Sequence[SirenTruth]) -> NDArray[np.float64]:
    ordered = sorted(sirens, key=lambda siren: siren.stamp_ns)
    if not ordered:
        return np.full(len(stamps_ns), _NAN)
    rows = nearest(np.array([siren.stamp_ns for siren in ordered], np.int64), stamps_ns)
    distances = np.array([siren.distance_m for siren in ordered])
    return np.where(rows >= 0, distances[rows], _NAN)


def nearest(stamps_ns: NDArray[np.int64], asked_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the nearest of the stamps within half their median period: its index, else -1.

    Args:
        stamps_ns: int64 (n,), increasing, n > 0.
        asked_ns: int64 (m,).
    """
    half_ns = np.median(np.diff(stamps_ns)) / 2 if len(stamps_ns) > 1 else 0.0
    after = np.searchsorted(stamps_ns, asked_ns).clip(1, max(len(stamps_ns) - 1, 1))
    after = np.minimum(after, len(stamps_ns) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(stamps_ns[before] - asked_ns) <= np.abs(stamps_ns[after] - asked_ns)
    rows = np.where(nearer, before, after)
    return np.where(np.abs(stamps_ns[rows] - asked_ns) <= half_ns, rows, -1)
