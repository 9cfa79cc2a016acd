# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The ego-state filter, fed from snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.errors import SampleError
from mm_fusion.types.sensors import DropReason, Modality, modality_of

if TYPE_CHECKING:
    from mm_fusion.geometry.ego_filter import EgoState, EgoStateFilter
    from mm_fusion.types.sensors import PositionSample, VelocitySample
    from mm_fusion.types.snapshot import Snapshot


class EgoTracker:
    """Feed the ego-state filter from snapshots, each sample once and in order of stamp.

    Args:
        ego_filter: The filter; owned by the tracker.
    """

    def __init__(self, ego_filter: EgoStateFilter) -> None:
        self._filter = ego_filter
        self._fed: dict[Modality, frozenset[int]] = {}

    def reset(self) -> None:
        """Forget everything."""
        self._filter.reset()
        self._fed.clear()

    def update(
        self, snapshot: Snapshot
    ) -> tuple[EgoState | None, list[tuple[Modality, DropReason]]]:
        """Feed what is new in a snapshot.

        A sample that came late, but within the history, is fed too; the filter handles its age.

        Returns:
            The state at the stamp, or None where the motion is not known, and what the filter
            refused.
        """
        fresh: list[VelocitySample | PositionSample] = []
        for modality, samples in (
            (Modality.VELOCITY, snapshot.velocities),
            (Modality.GNSS, snapshot.positions),
        ):
            fed = self._fed.get(modality, frozenset())
            fresh.extend(sample for sample in samples if sample.stamp_ns not in fed)
            self._fed[modality] = frozenset(sample.stamp_ns for sample in samples)
        refused = []
        for sample in sorted(fresh, key=lambda sample: sample.stamp_ns):
            reason = self._feed(sample)
            if reason is not None:
                refused.append((modality_of(sample), reason))
        return self._filter.state_at(snapshot.stamp_ns), refused

    def _feed(self, sample: VelocitySample | PositionSample) -> DropReason | None:
        try:
            return None if self._filter.add(sample) else DropReason.OUTLIER
        except SampleError as error:
            return error.reason
