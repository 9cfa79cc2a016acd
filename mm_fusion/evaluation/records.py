# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the evaluation of one recording yields, and how the yields of many are joined.

:class:`Totals` holds sums only, so that ``a + b`` is the evaluation of both recordings.
:class:`BagResult` adds what is drawn of one recording, thinned to a bounded size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from mm_fusion.metrics.road_truth import RoadTruthSums, no_road_truth
from mm_fusion.metrics.trajectory import TrajectorySums, no_samples
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from mm_fusion.evaluation.video import Video
    from mm_fusion.recordings import RoadTrack, TruthSource

Subset: TypeAlias = Literal['all', 'turning']

MODELS = ('cv', 'ctrv', 'ctra', 'mm_fusion')
"""Predictors that are scored, the package's own last."""

SUBSETS: tuple[Subset, ...] = ('all', 'turning')
MODALITIES = tuple(Modality)
MAX_POINTS = 2000
"""Bound of the points of any one series in a result."""

LATENCY_EDGES_S = np.concatenate(([0.0], np.geomspace(1e-6, 100.0, 321), [np.inf]))
"""float64 (323,), edges of the latency histograms: 40 bins to the decade, seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class LatencySums:
    """Durations of one stage.

    Attributes:
        count: Number of runs.
        total_s: Their sum.
        worst_s: The longest.
        histogram: int64 (322,), runs by duration, over ``LATENCY_EDGES_S``.
    """

    count: int
    total_s: float
    worst_s: float
    histogram: NDArray[np.int64]

    def __add__(self, other: LatencySums) -> LatencySums:
        """Join the runs of two sums."""
        return LatencySums(
            self.count + other.count,
            self.total_s + other.total_s,
            max(self.worst_s, other.worst_s),
            self.histogram + other.histogram,
        )

    @property
    def mean_s(self) -> float:
        """Mean duration."""
        return self.total_s / self.count

    def quantile_s(self, share: float) -> float:
        """Return the duration that this share of the runs does not exceed, to 6 % (one bin)."""
        index = int(np.searchsorted(np.cumsum(self.histogram), share * self.count))
        return float(min(LATENCY_EDGES_S[index + 1], self.worst_s))


def latency_sums(durations_s: Iterable[float]) -> LatencySums:
    """Gather the durations of one stage, of which there is at least one."""
    values = np.fromiter(durations_s, np.float64)
    histogram = np.histogram(values, LATENCY_EDGES_S)[0].astype(np.int64)
    return LatencySums(values.size, float(values.sum()), float(values.max()), histogram)


@dataclass(frozen=True, slots=True, eq=False)
class ModalitySums:
    """What became of one sensor's samples.

    Attributes:
        received: Samples taken in, the dropped ones included.
        drops: Samples dropped, by reason.
        present: Outputs to which the sensor contributed a measurement.
        weight: Sum of its weights in the road state over those outputs that have one.
    """

    received: int = 0
    drops: Mapping[str, int] = field(default_factory=dict)
    present: int = 0
    weight: float = 0.0

    def __add__(self, other: ModalitySums) -> ModalitySums:
        """Join two recordings."""
        return ModalitySums(
            self.received + other.received,
            _added(self.drops, other.drops),
            self.present + other.present,
            self.weight + other.weight,
        )


@dataclass(frozen=True, slots=True, eq=False)
class RoadSums:
    """Road states over a recording.

    Attributes:
        count: Outputs with a road state.
        surface_observed: Those to which a camera frame contributed.
        siren_observed: Those to which sound contributed.
        sirens: Those that raise the siren flag.
        friction: float64 (6,), filtered posteriors of those that saw the surface, summed.
        material: float64 (5,), the same.
        unevenness: float64 (3,), the same.
        friction_coefficient: Mean friction coefficients of those that saw the surface, summed.
    """

    count: int
    surface_observed: int
    siren_observed: int
    sirens: int
    friction: NDArray[np.float64]
    material: NDArray[np.float64]
    unevenness: NDArray[np.float64]
    friction_coefficient: float

    def __add__(self, other: RoadSums) -> RoadSums:
        """Join two recordings."""
        return RoadSums(
            self.count + other.count,
            self.surface_observed + other.surface_observed,
            self.siren_observed + other.siren_observed,
            self.sirens + other.sirens,
            self.friction + other.friction,
            self.material + other.material,
            self.unevenness + other.unevenness,
            self.friction_coefficient + other.friction_coefficient,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """All sums of one recording or of many.

    Attributes:
        bags: Number of recordings.
        duration_s: Their length.
        outputs: Outputs of the pipeline.
        trajectories: Those with a trajectory.
        superseded: Snapshots discarded for a newer one.
        clock_resets: Backward jumps of time.
        unusable_truth: Messages of the ground truth that could not be read.
        scores: By model, then by subset.
        modalities: By name of the modality.
        road: Road states.
        road_truth: Road states compared with the truth, where a recording has it.
        latencies: By stage; empty where the outputs were recorded, not made.
        elapsed_s: Time that the evaluation took, by the wall clock.
    """

    bags: int
    duration_s: float
    outputs: int
    trajectories: int
    superseded: int
    clock_resets: int
    unusable_truth: int
    scores: Mapping[str, Mapping[Subset, TrajectorySums]]
    modalities: Mapping[Modality, ModalitySums]
    road: RoadSums
    road_truth: RoadTruthSums
    latencies: Mapping[str, LatencySums]
    elapsed_s: float

    def __add__(self, other: Totals) -> Totals:
        """Join two evaluations."""
        stages = [*self.latencies, *(s for s in other.latencies if s not in self.latencies)]
        return Totals(
            bags=self.bags + other.bags,
            duration_s=self.duration_s + other.duration_s,
            outputs=self.outputs + other.outputs,
            trajectories=self.trajectories + other.trajectories,
            superseded=self.superseded + other.superseded,
            clock_resets=self.clock_resets + other.clock_resets,
            unusable_truth=self.unusable_truth + other.unusable_truth,
            scores={
                model: {s: self.scores[model][s] + other.scores[model][s] for s in SUBSETS}
                for model in MODELS
            },
            modalities={m: self.modalities[m] + other.modalities[m] for m in MODALITIES},
            road=self.road + other.road,
            road_truth=self.road_truth + other.road_truth,
            latencies={
                stage: _joined(self.latencies.get(stage), other.latencies.get(stage))
                for stage in stages
            },
            elapsed_s=self.elapsed_s + other.elapsed_s,
        )

    @property
    def samples(self) -> int:
        """Number of scored samples."""
        return self.scores['ctra']['all'].count


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """What the pipeline said over time; NaN where it said nothing.

    Attributes:
        times_s: float64 (n,), since the first output.
        friction: float32 (n, 6), filtered posterior.
        material: float32 (n, 5), filtered posterior.
        unevenness: float32 (n, 3), filtered posterior.
        siren: float32 (n,), filtered probability.
        siren_flag: bool (n,), whether it reaches the threshold.
        friction_coefficient: float32 (n, 2), mean and standard deviation.
        states: int8 (n, 4), values of ``ModalityState``, in the order of ``MODALITIES``.
        ages_s: float32 (n, 4).
        weights: float32 (n, 4).
        truth: The true road state at the same times; None where it is not known.
    """

    times_s: NDArray[np.float64]
    friction: NDArray[np.float32]
    material: NDArray[np.float32]
    unevenness: NDArray[np.float32]
    siren: NDArray[np.float32]
    siren_flag: NDArray[np.bool_]
    friction_coefficient: NDArray[np.float32]
    states: NDArray[np.int8]
    ages_s: NDArray[np.float32]
    weights: NDArray[np.float32]
    truth: RoadTrack | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PathExample:
    """One scored prediction, to be drawn.

    Attributes:
        time_s: Since the first output.
        origin: float64 (3,), true east and north in metres and heading in rad at the stamp.
        predicted: float64 (12, 2), the pipeline's most likely path in ``base_link``, metres.
        covariances: float64 (12, 2, 2), m².
        ctra: float64 (12, 2), the CTRA baseline.
        truth: float64 (12, 2), the driven path.
        ade_m: ADE of the pipeline's path at 6 s.
    """

    time_s: float
    origin: NDArray[np.float64]
    predicted: NDArray[np.float64]
    covariances: NDArray[np.float64]
    ctra: NDArray[np.float64]
    truth: NDArray[np.float64]
    ade_m: float


@dataclass(frozen=True, slots=True, eq=False)
class DriveMap:
    """The driven path with the errors along it.

    Attributes:
        path: float64 (m, 2), driven, east and north, metres.
        places: float64 (n, 2), where the scored samples were taken.
        ade_m: float64 (n,), the pipeline's ADE at 6 s of each.
        fans: Evenly spaced samples.
        close_up: Samples around the one with the largest error.
        moments: Samples at the median, the 90 % quantile and the maximum of the error, by name.
    """

    path: NDArray[np.float64]
    places: NDArray[np.float64]
    ade_m: NDArray[np.float64]
    fans: tuple[PathExample, ...]
    close_up: tuple[PathExample, ...]
    moments: Mapping[str, PathExample]


@dataclass(frozen=True, slots=True, eq=False)
class SampleFrame:
    """A camera frame with the path predicted from it.

    Attributes:
        time_s: Since the first output.
        jpeg: The frame with the path drawn, JPEG.
        width: Pixels.
        height: Pixels.
        caption: What is shown.
    """

    time_s: float
    jpeg: bytes
    width: int
    height: int
    caption: str


@dataclass(frozen=True, slots=True, eq=False)
class BagResult:
    """The evaluation of one recording.

    Attributes:
        name: Name of the recording's folder or file.
        topics: Topic of each role that has one.
        truth: Where the ground truth comes from; None where there is none.
        truth_askew_rad: How far the headings of the odometry lie to the left of its travel, as
            recorded; 0 where nobody can tell.
        truth_aligned: Whether they were turned to it before anything was scored.
        source: ``replayed`` through the pipeline, or ``recorded`` by a live node.
        camera: Whether camera frames triggered the snapshots; otherwise the timer did.
        totals: All sums.
        timeline: What the pipeline said over time.
        drive: The driven path; None where nothing could be scored.
        frames: Sample frames, where asked for.
        view: How the camera is taken to see the road, and where that is known from.
        video: The video of the drive, where one was made.
    """

    name: str
    topics: Mapping[str, str]
    truth: TruthSource | None
    truth_askew_rad: float
    truth_aligned: bool
    source: Literal['replayed', 'recorded']
    camera: bool
    totals: Totals
    timeline: Timeline
    drive: DriveMap | None
    frames: tuple[SampleFrame, ...]
    view: str
    video: Video | None = None


def merge(results: Iterable[BagResult]) -> Totals:
    """Add up the evaluations of many recordings."""
    totals = no_totals()
    for result in results:
        totals = totals + result.totals
    return totals


def no_totals() -> Totals:
    """Return the sums over no recording at all."""
    return Totals(
        bags=0,
        duration_s=0.0,
        outputs=0,
        trajectories=0,
        superseded=0,
        clock_resets=0,
        unusable_truth=0,
        scores={model: {subset: no_samples() for subset in SUBSETS} for model in MODELS},
        modalities={modality: ModalitySums() for modality in MODALITIES},
        road=RoadSums(0, 0, 0, 0, np.zeros(6), np.zeros(5), np.zeros(3), 0.0),
        road_truth=no_road_truth(),
        latencies={},
        elapsed_s=0.0,
    )


def _added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {k: first.get(k, 0) + second.get(k, 0) for k in sorted({*first, *second})}


def _joined(first: LatencySums | None, second: LatencySums | None) -> LatencySums:
    present = [sums for sums in (first, second) if sums is not None]
    return present[0] if len(present) == 1 else present[0] + present[1]
