# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Gather the outputs of one recording, and make a result of them when it ends."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.evaluation.records import (
    MAX_POINTS,
    MODALITIES,
    ModalitySums,
    RoadSums,
    Timeline,
    latency_sums,
)
from mm_fusion.evaluation.road_truth import score_roads
from mm_fusion.evaluation.scoring import SampleGrid, predicted_path, thinned
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.evaluation.records import LatencySums
    from mm_fusion.evaluation.scoring import PredictedPath
    from mm_fusion.metrics.road_truth import RoadTruthSums
    from mm_fusion.recordings import RoadTrack
    from mm_fusion.types.predictions import FusionOutput, RoadState
    from mm_fusion.types.sensors import DropReason, Modality
    from mm_fusion.types.snapshot import ModalityReport

_NAN = float('nan')


class OutputCollector:
    """Keep of each output what the result needs, and no image or sound.

    Attributes:
        outputs: Number of outputs so far.
        trajectories: Number of those with a trajectory.
        predictions: Paths on the sampling grid.
    """

    def __init__(self) -> None:
        self.outputs = 0
        self.trajectories = 0
        self.predictions: list[PredictedPath] = []
        self._grid = SampleGrid()
        self._stamps_ns: list[int] = []
        self._roads: list[RoadState | None] = []
        self._sensors: list[list[tuple[int, float, float]]] = []
        self._last_reports: Mapping[Modality, ModalityReport] = {}
        self._latencies: dict[str, list[float]] = defaultdict(list)

    def add(self, output: FusionOutput) -> None:
        """Take in one output.

        Raises:
            SettingsError: Its trajectory lacks a step that is scored.
        """
        self.outputs += 1
        if output.trajectory is not None:
            self.trajectories += 1
            if self._grid.takes(output.stamp_ns):
                self.predictions.append(predicted_path(output.stamp_ns, output.trajectory))
        self._last_reports = output.modalities
        self._stamps_ns.append(output.stamp_ns)
        self._roads.append(output.road)
        self._sensors.append(
            [
                (
                    int(report.state),
                    _NAN if report.age_ns is None else report.age_ns / 1e9,
                    output.weights.get(modality, 0.0) if output.road is not None else _NAN,
                )
                for modality in MODALITIES
                for report in (output.modalities[modality],)
            ]
        )
        for stage, duration_s in output.latencies_s.items():
            self._latencies[stage].append(duration_s)

    @property
    def first_ns(self) -> int:
        """Stamp of the first output, from which times are counted; 0 without any."""
        return self._stamps_ns[0] if self._stamps_ns else 0

    def latencies(self) -> dict[str, LatencySums]:
        """Sum up the duration of each stage."""
        return {stage: latency_sums(values) for stage, values in self._latencies.items()}

    def modalities(
        self, sensors: Mapping[Modality, ModalityReport] | None
    ) -> dict[Modality, ModalitySums]:
        """Sum up what each sensor gave, with the counts of its samples.

        Args:
            sensors: Reports at the end of the recording; None takes those of the last output.
        """
        if sensors is None:
            sensors = self._last_reports
        columns = np.array(self._sensors, np.float64).reshape(-1, len(MODALITIES), 3)
        present = (columns[:, :, 0] == ModalityState.PRESENT).sum(axis=0)
        weights = np.nansum(columns[:, :, 2], axis=0)
        return {
            modality: ModalitySums(
                received=sensors[modality].received if modality in sensors else 0,
                drops=_named(sensors[modality].drops) if modality in sensors else {},
                present=int(present[column]),
                weight=float(weights[column]),
            )
            for column, modality in enumerate(MODALITIES)
        }

    def road(self) -> RoadSums:
        """Sum up the road states."""
        states = [state for state in self._roads if state is not None]
        seen = [state for state in states if state.surface_observed]
        friction, material, unevenness = np.zeros(6), np.zeros(5), np.zeros(3)
        for state in seen:
            friction += state.filtered.friction
            material += state.filtered.material
            unevenness += state.filtered.unevenness
        return RoadSums(
            count=len(states),
            surface_observed=len(seen),
            siren_observed=sum(state.siren_observed for state in states),
            sirens=sum(state.siren for state in states),
            friction=friction,
            material=material,
            unevenness=unevenness,
            friction_coefficient=float(sum(state.friction_coefficient_mean for state in seen)),
        )

    def road_truth(self, track: RoadTrack | None) -> RoadTruthSums:
        """Compare the road states with the truth."""
        return score_roads(self._stamps_ns, self._roads, track)

    def timeline(self, track: RoadTrack | None = None) -> Timeline:
        """Lay out what was said over time, thinned to a bounded number of points.

        Args:
            track: The true road state; None where it is not known.
        """
        kept = thinned(len(self._stamps_ns), MAX_POINTS)
        roads = [self._roads[index] for index in kept]
        sensors = np.array([self._sensors[index] for index in kept], np.float64)
        sensors = sensors.reshape(-1, len(MODALITIES), 3)
        rows = np.array([_road_row(road) for road in roads], np.float32).reshape(-1, 17)
        return Timeline(
            times_s=np.array([(self._stamps_ns[index] - self.first_ns) / 1e9 for index in kept]),
            friction=rows[:, :6],
            material=rows[:, 6:11],
            unevenness=rows[:, 11:14],
            siren=rows[:, 14],
            siren_flag=np.array([road is not None and road.siren for road in roads], np.bool_),
            friction_coefficient=rows[:, 15:17],
            states=sensors[:, :, 0].astype(np.int8),
            ages_s=sensors[:, :, 1].astype(np.float32),
            weights=sensors[:, :, 2].astype(np.float32),
            truth=None if track is None else track.at(np.array(self._stamps_ns, np.int64)[kept]),
        )


def _named(drops: Mapping[DropReason, int]) -> dict[str, int]:
    return {reason.value: count for reason, count in drops.items() if count}


def _road_row(road: RoadState | None) -> list[float]:
    """Lay out friction, material, unevenness, siren, coefficient mean and deviation."""
    if road is None:
        return [_NAN] * 17
    surface = [_NAN] * 14
    coefficient = [_NAN, _NAN]
    posterior = road.filtered
    if road.surface_observed:
        surface = [*posterior.friction, *posterior.material, *posterior.unevenness]
        coefficient = [road.friction_coefficient_mean, road.friction_coefficient_std]
    siren = posterior.siren if road.siren_observed else _NAN
    return [*map(float, surface), siren, *coefficient]
