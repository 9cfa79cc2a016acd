# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is said of the road, against the true road state along a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.bags import UNKNOWN
from mm_fusion.metrics.road_truth import (
    RoadTruthSums,
    no_road_truth,
    no_surfaces,
    score_siren_flag,
    score_surfaces,
    siren_events,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.metrics.road_truth import SurfaceSums
    from mm_fusion.recordings import RoadTrack
    from mm_fusion.types.predictions import RoadState

_TASKS = ('friction', 'material', 'unevenness')


def score_roads(
    stamps_ns: Sequence[int], roads: Sequence[RoadState | None], track: RoadTrack | None
) -> RoadTruthSums:
    """Compare road states with the truth at their stamps.

    Args:
        stamps_ns: Of the outputs.
        roads: Their road states; None where an output has none.
        track: The truth of the recording; None where there is none.
    """
    chosen = [index for index, road in enumerate(roads) if road is not None]
    if track is None or not chosen:
        return no_road_truth()
    states = [road for road in roads if road is not None]
    stamps = np.array([stamps_ns[index] for index in chosen], np.int64)
    truth = track.at(stamps)
    observed = np.array([state.surface_observed for state in states])
    heard = np.array([state.siren_observed for state in states])
    return RoadTruthSums(
        untold=int((~truth.told).sum()),
        seen=_surfaces(states, truth, truth.told & observed),
        blind=_surfaces(states, truth, truth.told & ~observed),
        siren=score_siren_flag(
            stamps,
            np.array([state.siren for state in states]),
            np.where(heard, truth.siren, UNKNOWN),
            siren_events(track.stamps_ns, track.siren == 1),
        ),
    )


def _surfaces(
    states: Sequence[RoadState], truth: RoadTrack, chosen: NDArray[np.bool_]
) -> SurfaceSums:
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return no_surfaces()
    picked = [states[row] for row in rows]
    return score_surfaces(
        {
            task: np.array([getattr(state.filtered, task) for state in picked], np.float64)
            for task in _TASKS
        },
        {task: getattr(truth, task)[rows] for task in _TASKS},
        np.array([state.friction_coefficient_mean for state in picked]),
        truth.friction_coefficient[rows],
    )
