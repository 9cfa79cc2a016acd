# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The ego-state filter, fed from snapshots."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from mm_fusion.errors import SampleError
from mm_fusion.types.sensors import DropReason, Modality, modality_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mm_fusion.geometry.ego_filter import EgoState, EgoStateFilter
    from mm_fusion.types.predictions import EgoMotion
    from mm_fusion.types.sensors import PositionSample, VelocitySample
    from mm_fusion.types.snapshot import Snapshot

HISTORY_NS = 6_000_000_000
"""How long the motion at past snapshots is kept; no network looks further back."""


class EgoTracker:
    """Feed the ego-state filter from snapshots, each sample once and in order of stamp.

    It remembers the filtered motion at the stamps of past snapshots: a history that exists for
    any source of velocity, without a gyro too, and that later samples do not change.

    Args:
        ego_filter: The filter; owned by the tracker.
    """

    def __init__(self, ego_filter: EgoStateFilter) -> None:
        self._filter = ego_filter
        self._fed: dict[Modality, frozenset[int]] = {}
        self._motions: deque[tuple[int, EgoMotion]] = deque()

    @property
    def motions(self) -> Sequence[tuple[int, EgoMotion]]:
        """Stamps (ns) and motions of the last ``HISTORY_NS``, oldest first, where it is known."""
        return self._motions

    def reset(self) -> None:
        """Forget everything."""
        self._filter.reset()
        self._fed.clear()
        self._motions.clear()

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
        state = self._filter.state_at(snapshot.stamp_ns)
        if state is not None:
            self._remember(state)
        return state, refused

    def _remember(self, state: EgoState) -> None:
        self._motions.append((state.stamp_ns, state.motion))
        while self._motions[0][0] < state.stamp_ns - HISTORY_NS:
            self._motions.popleft()

    def _feed(self, sample: VelocitySample | PositionSample) -> DropReason | None:
        try:
            return None if self._filter.add(sample) else DropReason.OUTLIER
        except SampleError as error:
            return error.reason
