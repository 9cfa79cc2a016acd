# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The path that was driven, from odometry or the smoothed future, and the road that was there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import numpy as np

from mm_fusion.bags import RoadTruth, SirenTruth, Truth
from mm_fusion.errors import SampleError
from mm_fusion.geometry.measurements import measured_position, measured_velocity, origin_of
from mm_fusion.geometry.reference import ReferencePath
from mm_fusion.geometry.smoothing import smoothed_path
from mm_fusion.messages import OdometryPose
from mm_fusion.recordings.road_track import road_track
from mm_fusion.types.sensors import GnssFix, LocalPosition, VelocitySample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mm_fusion.bags import BagEvent
    from mm_fusion.recordings.road_track import RoadTrack
    from mm_fusion.settings import EgoFilterSettings
    from mm_fusion.types.sensors import PositionSample, Sample

_Sample = TypeVar('_Sample')

TruthSource: TypeAlias = Literal['odometry', 'smoothed recording']
"""Where the driven path comes from."""


class TruthRecorder:
    """Keep what the ground truth is made of while a recording goes by.

    Args:
        odometry: Whether the recording has odometry; positions are kept only where it has not.
        along_travel: Whether the headings of the odometry are turned to its travel
            (``ReferencePath.along_travel``).

    Attributes:
        velocities: All velocities, in order of arrival.
        unusable: Messages of the ground truth that could not be read.
        along_travel: As it was given.
    """

    def __init__(self, *, odometry: bool, along_travel: bool = False) -> None:
        self.velocities: list[VelocitySample] = []
        self.unusable = 0
        self.along_travel = along_travel
        self._odometry = odometry
        self._poses: list[OdometryPose] = []
        self._positions: list[PositionSample] = []
        self._roads: list[RoadTruth] = []
        self._sirens: list[SirenTruth] = []

    def add(self, event: BagEvent) -> None:
        """Keep what the ground truth needs of a message."""
        if isinstance(event.content, SampleError):
            self.unusable += event.modality is None
        elif isinstance(event.content, Truth):
            self.add_truth(event.content)
        else:
            self.add_sample(event.content)

    def add_truth(self, truth: Truth) -> None:
        """Keep a pose of the odometry, a road state or the places of sirens."""
        if isinstance(truth, OdometryPose):
            self._poses.append(truth)
        elif isinstance(truth, RoadTruth):
            self._roads.append(truth)
        else:
            self._sirens.append(truth)

    def road(self) -> RoadTrack | None:
        """Give the true road state along the recording; None where it is not known."""
        return road_track(self._roads, self._sirens)

    def add_sample(self, sample: Sample) -> None:
        """Keep a velocity, and a position where there is no odometry."""
        if isinstance(sample, VelocitySample):
            self.velocities.append(sample)
        elif isinstance(sample, GnssFix | LocalPosition) and not self._odometry:
            self._positions.append(sample)

    def path(self, settings: EgoFilterSettings) -> tuple[TruthSource, ReferencePath] | None:
        """Make the driven path of what was kept; None where that is not enough for one."""
        if self._odometry:
            return ('odometry', self._odometry_path()) if self._poses else None
        velocities = self._usable(
            self.velocities, lambda sample: measured_velocity(sample, settings)
        )
        located = self._usable(self._positions, origin_of)
        if not located:
            return None
        frame = origin_of(located[0])
        positions = self._usable(
            located, lambda sample: measured_position(sample, frame, settings)
        )
        if not positions:
            return None
        return 'smoothed recording', smoothed_path(positions, velocities, settings)

    def askew_rad(self) -> float:
        """Tell how far the headings of the odometry lie to the left of its travel, as recorded."""
        return -_odometry_path(self._poses).travel_rad if self._odometry and self._poses else 0.0

    def _odometry_path(self) -> ReferencePath:
        path = _odometry_path(self._poses)
        return path.along_travel() if self.along_travel else path

    def _usable(
        self, samples: Sequence[_Sample], check: Callable[[_Sample], object]
    ) -> list[_Sample]:
        """Leave out, and count, what the smoother would refuse."""
        usable = [sample for sample in samples if _accepts(check, sample)]
        self.unusable += len(samples) - len(usable)
        return usable


def _accepts(check: Callable[[_Sample], object], sample: _Sample) -> bool:
    try:
        check(sample)
    except SampleError:
        return False
    return True


def _odometry_path(poses: list[OdometryPose]) -> ReferencePath:
    """Order poses by stamp, and keep the first of each."""
    by_stamp: dict[int, OdometryPose] = {}
    for pose in poses:
        by_stamp.setdefault(pose.stamp_ns, pose)
    ordered = [by_stamp[stamp_ns] for stamp_ns in sorted(by_stamp)]
    return ReferencePath(
        stamps_ns=np.array([pose.stamp_ns for pose in ordered], np.int64),
        positions=np.array([(pose.x_m, pose.y_m) for pose in ordered]),
        headings=np.array([pose.heading_rad for pose in ordered]),
        speeds=np.array([pose.speed_mps for pose in ordered]),
    )
