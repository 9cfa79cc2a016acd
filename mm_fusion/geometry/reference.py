# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A driven path, to look up the future that a prediction is compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_GAP_S = 2.5
_FAST_MPS, _STRAIGHT_RPS, _LEAST_STRAIGHT = 5.0, 0.02, 20
"""What is straight driving, and how many stretches of it tell its direction."""
_STRETCH_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ReferencePath:
    """Poses of the vehicle over time.

    Between two poses the position follows the cubic that has their speeds along their headings
    (at 1 Hz a straight line would cut a bend by half a metre); heading and speed are linear.

    Attributes:
        stamps_ns: int64 (n,), strictly increasing; at least one.
        positions: float64 (n, 2), in a fixed frame, m.
        headings: float64 (n,), counter-clockwise from x of that frame, rad; unwrapped on creation.
        speeds: float64 (n,), m/s, negative when reversing.
    """

    stamps_ns: NDArray[np.int64]
    positions: NDArray[np.float64]
    headings: NDArray[np.float64]
    speeds: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check shapes, order and finiteness, and unwrap the headings."""
        n = len(self.stamps_ns)
        shapes = (self.positions.shape, self.headings.shape, self.speeds.shape)
        if n == 0 or shapes != ((n, 2), (n,), (n,)):
            raise ValueError(f'path of {n} stamps: found shapes {shapes}')
        if (np.diff(self.stamps_ns) <= 0).any():
            raise ValueError('path: expected strictly increasing stamps')
        if not all(np.isfinite(x).all() for x in (self.positions, self.headings, self.speeds)):
            raise ValueError('path: found a number that is not finite')
        object.__setattr__(self, 'headings', np.unwrap(self.headings))

    @property
    def travel_rad(self) -> float:
        """Angle from the headings to where the path leads, straight on; ``travel_angle``.

        It is told by stretches of a second: of shorter ones, noise of the headings chooses which
        count as straight.
        """
        ends = np.searchsorted(self.stamps_ns, self.stamps_ns + _STRETCH_NS)
        starts = np.flatnonzero(ends < len(self.stamps_ns))
        ends = ends[starts]
        spans_ns = self.stamps_ns[ends] - self.stamps_ns[starts]
        near = spans_ns <= MAX_GAP_S * 1e9
        starts, ends = starts[near], ends[near]
        x, y = (self.positions[ends] - self.positions[starts]).T
        cosine, sine = np.cos(self.headings[starts]), np.sin(self.headings[starts])
        return travel_angle(
            np.column_stack([cosine * x + sine * y, cosine * y - sine * x]),
            self.headings[ends] - self.headings[starts],
            np.asarray(spans_ns[near] * 1e-9, np.float64),
        )

    def along_travel(self) -> ReferencePath:
        """Turn all headings alike, so that they are where the path leads, straight on."""
        return replace(self, headings=self.headings + self.travel_rad)

    def poses_at(
        self, stamps_ns: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Interpolate the poses.

        Args:
            stamps_ns: int64 (m,).

        Returns:
            Positions float64 (m, 2) and unwrapped headings float64 (m,); None where an instant
            is not covered, or lies in a gap of more than ``MAX_GAP_S``.
        """
        known = self.stamps_ns
        if (stamps_ns < known[0]).any() or (stamps_ns > known[-1]).any():
            return None
        after = np.searchsorted(known, stamps_ns, side='left')
        before = np.where(known[after] == stamps_ns, after, after - 1)
        span_s = (known[after] - known[before]) * 1e-9
        if (span_s > MAX_GAP_S).any():
            return None
        share = (stamps_ns - known[before]) * 1e-9 / np.where(span_s > 0.0, span_s, 1.0)
        heading = self.headings[before] * (1.0 - share) + self.headings[after] * share

        u = share[:, None]
        start, end = self.positions[before], self.positions[after]
        leave, arrive = (span_s[:, None] * self._velocities(i) for i in (before, after))
        position = (
            (1.0 + 2.0 * u) * (1.0 - u) ** 2 * start
            + u**2 * (3.0 - 2.0 * u) * end
            + u * (1.0 - u) ** 2 * leave
            - u**2 * (1.0 - u) * arrive
        )
        return position, heading

    def future_in_base_link(
        self, stamp_ns: int, times_s: Sequence[float] | NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return the way that was driven after an instant, in ``base_link`` at the instant.

        Args:
            stamp_ns: The instant.
            times_s: (m,), seconds after it, not decreasing.

        Returns:
            Positions float64 (m, 2) in m and headings float64 (m,) in rad, not wrapped; None
            where the path does not cover the instant and all times, or has a gap of more than
            ``MAX_GAP_S`` anywhere between.
        """
        ahead_ns = np.rint(np.asarray(times_s, dtype=np.float64) * 1e9).astype(np.int64)
        stamps = np.concatenate([[0], ahead_ns]) + stamp_ns
        poses = self.poses_at(stamps)
        if poses is None or self._has_gap(stamp_ns, int(stamps[-1])):
            return None
        positions, headings = poses
        cosine, sine = math.cos(headings[0]), math.sin(headings[0])
        rotation = np.array([[cosine, -sine], [sine, cosine]])
        return (positions[1:] - positions[0]) @ rotation, headings[1:] - headings[0]

    def _velocities(self, indices: NDArray[np.intp]) -> NDArray[np.float64]:
        heading = self.headings[indices]
        direction = np.stack([np.cos(heading), np.sin(heading)], axis=1)
        return direction * self.speeds[indices, None]

    def _has_gap(self, start_ns: int, end_ns: int) -> bool:
        first = int(np.searchsorted(self.stamps_ns, start_ns, side='right'))
        last = int(np.searchsorted(self.stamps_ns, end_ns, side='left'))
        between = np.diff(self.stamps_ns[max(0, first - 1) : last + 1])
        return bool((between > MAX_GAP_S * 1e9).any())


def travel_angle(
    steps: NDArray[np.float64], turned: NDArray[np.float64], seconds: NDArray[np.float64] | float
) -> float:
    """Tell how far a vehicle travels to the left of where it is said to head, straight on.

    Headings of an inertial system that is mounted askew are off by a constant, in which positions
    have no part; and driven straight, at any speed, a car travels where it heads.

    Args:
        steps: float64 (n, 2), displacements in the frame of the heading at their start, m.
        turned: float64 (n,), changes of the heading meanwhile, rad.
        seconds: How long each takes, (n,) or one for all.

    Returns:
        The median over what is driven straight and faster than 5 m/s, rad; 0 where fewer than 20
        steps are.
    """
    x, y = steps.T
    straight = (x > _FAST_MPS * seconds) & (np.abs(turned) < _STRAIGHT_RPS * seconds)
    if np.count_nonzero(straight) < _LEAST_STRAIGHT:
        return 0.0
    return float(np.median(np.arctan2(y, x)[straight] - 0.5 * turned[straight]))
