# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Score predicted paths of one recording beside the physical baselines, on the same samples.

A sample is an output on a grid of 2 Hz at which the vehicle truly moves faster than 1 m/s, the
ground truth covers the two seconds before and the whole horizon after, and every predictor has a
path. ``mm_fusion.geometry.baselines`` documents the protocol.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mm_fusion.errors import SettingsError
from mm_fusion.evaluation.records import MAX_POINTS, MODELS, DriveMap, PathExample
from mm_fusion.geometry.baselines import baseline_motion
from mm_fusion.geometry.motion import roll_out
from mm_fusion.metrics.trajectory import (
    STEPS_S,
    TrajectorySums,
    no_samples,
    score_paths,
    turning,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.evaluation.records import Subset
    from mm_fusion.geometry.reference import ReferencePath
    from mm_fusion.types.predictions import TrajectoryPrediction
    from mm_fusion.types.sensors import VelocitySample

SAMPLE_PERIOD_NS = 500_000_000
MIN_SPEED_MPS = 1.0
HISTORY_NS = 2_000_000_000
BASELINE_HISTORY_NS = 4_000_000_000
BASELINES: tuple[Literal['cv', 'ctrv', 'ctra'], ...] = ('cv', 'ctrv', 'ctra')
FANS = 60
CLOSE_UP = 10


@dataclass(frozen=True, slots=True, eq=False)
class PredictedPath:
    """What is kept of a prediction for scoring.

    Attributes:
        stamp_ns: Its stamp.
        positions: float64 (k, 12, 2), all modes at ``STEPS_S``, the most likely first, metres.
        covariances: float64 (12, 2, 2), of the most likely mode, m².
    """

    stamp_ns: int
    positions: NDArray[np.float64]
    covariances: NDArray[np.float64]


class SampleGrid:
    """Choose the first output in each period of the sampling grid."""

    def __init__(self) -> None:
        self._period: int | None = None

    def takes(self, stamp_ns: int) -> bool:
        """Tell whether this output opens a new period."""
        period = stamp_ns // SAMPLE_PERIOD_NS
        fresh = period != self._period
        self._period = period
        return fresh


def predicted_path(stamp_ns: int, prediction: TrajectoryPrediction) -> PredictedPath:
    """Pick the steps of a prediction that are scored.

    Raises:
        SettingsError: The prediction lacks one of the steps.
    """
    modes = prediction.modes
    times_s = modes[0].times_s
    nearest = np.abs(times_s[:, None] - STEPS_S).argmin(axis=0)
    if np.abs(times_s[nearest] - STEPS_S).max() > 1e-6:
        raise SettingsError(
            [
                f'predicted paths: found steps of {times_s[0]:g} to {times_s[-1]:g} s, expected '
                'every 0.5 s up to 6 s among them (decoding.step_s, decoding.horizon_s)'
            ]
        )
    return PredictedPath(
        stamp_ns=stamp_ns,
        positions=np.stack([mode.positions[nearest] for mode in modes]),
        covariances=modes[0].covariances[nearest],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """One prediction with its truth and its baselines, all in ``base_link`` at its stamp.

    ``origin`` is float64 (3,), where that is: east and north in metres and heading in rad.
    """

    prediction: PredictedPath
    origin: NDArray[np.float64]
    truth: NDArray[np.float64]
    headings: NDArray[np.float64]
    baselines: Mapping[str, NDArray[np.float64]]


def score_drive(
    predictions: Sequence[PredictedPath],
    truth: ReferencePath,
    velocities: Sequence[VelocitySample],
    first_ns: int,
) -> tuple[dict[str, dict[Subset, TrajectorySums]], DriveMap | None]:
    """Score the predictions of one recording.

    Args:
        predictions: On the sampling grid.
        truth: The driven path.
        velocities: All of the recording; see ``baseline_motion`` for which of them are used.
        first_ns: Instant that the times of examples count from.

    Returns:
        Sums by model and subset, and the driven path with errors; None without any sample.
    """
    ordered = sorted(velocities, key=lambda sample: sample.stamp_ns)
    stamps = [sample.stamp_ns for sample in ordered]
    samples = []
    for prediction in predictions:
        first = bisect_left(stamps, prediction.stamp_ns - BASELINE_HISTORY_NS)
        last = bisect_right(stamps, prediction.stamp_ns) + 1
        sample = _sample(prediction, truth, ordered[first:last])
        if sample is not None:
            samples.append(sample)
    if not samples:
        return {model: {'all': no_samples(), 'turning': no_samples()} for model in MODELS}, None
    turns = turning(np.stack([sample.headings for sample in samples]))
    everything = np.ones(len(samples), dtype=bool)
    scores: dict[str, dict[Subset, TrajectorySums]] = {
        model: {
            'all': _score(model, samples, everything),
            'turning': _score(model, samples, turns),
        }
        for model in MODELS
    }
    return scores, _drive_map(samples, truth, first_ns)


def _sample(
    prediction: PredictedPath, truth: ReferencePath, velocities: Sequence[VelocitySample]
) -> _Sample | None:
    stamp_ns = prediction.stamp_ns
    if stamp_ns < truth.stamps_ns[0] + HISTORY_NS:
        return None
    future = truth.future_in_base_link(stamp_ns, STEPS_S)
    if future is None or np.interp(stamp_ns, truth.stamps_ns, truth.speeds) <= MIN_SPEED_MPS:
        return None
    motion = baseline_motion(velocities, stamp_ns)
    origin = truth.poses_at(np.array([stamp_ns]))
    if motion is None or origin is None:
        return None
    positions, headings = future
    return _Sample(
        prediction=prediction,
        origin=np.column_stack(origin)[0],
        truth=positions,
        headings=headings,
        baselines={model: roll_out(model, motion, STEPS_S).positions for model in BASELINES},
    )


def _score(model: str, samples: Sequence[_Sample], chosen: NDArray[np.bool_]) -> TrajectorySums:
    """Score one model; samples with fewer modes than others are scored apart."""
    subset = [sample for sample, taken in zip(samples, chosen, strict=True) if taken]
    if not subset:
        return no_samples()
    truth = np.stack([sample.truth for sample in subset])
    if model != 'mm_fusion':
        return score_paths(np.stack([s.baselines[model] for s in subset])[:, None], truth)
    total = no_samples()
    modes = np.array([len(sample.prediction.positions) for sample in subset])
    for count in np.unique(modes):
        same = np.flatnonzero(modes == count)
        total = total + score_paths(
            np.stack([subset[index].prediction.positions for index in same]),
            truth[same],
            np.stack([subset[index].prediction.covariances for index in same]),
        )
    return total


def _drive_map(samples: Sequence[_Sample], truth: ReferencePath, first_ns: int) -> DriveMap:
    examples = [
        PathExample(
            time_s=(sample.prediction.stamp_ns - first_ns) / 1e9,
            origin=sample.origin,
            predicted=sample.prediction.positions[0],
            covariances=sample.prediction.covariances,
            ctra=sample.baselines['ctra'],
            truth=sample.truth,
            ade_m=float(
                np.linalg.norm(sample.prediction.positions[0] - sample.truth, axis=1).mean()
            ),
        )
        for sample in samples
    ]
    order = sorted(range(len(examples)), key=lambda index: examples[index].ade_m)
    last, worst = len(order) - 1, order[-1]
    kept = thinned(len(examples), MAX_POINTS)
    return DriveMap(
        path=truth.positions[thinned(len(truth.positions), MAX_POINTS)],
        places=np.stack([examples[index].origin[:2] for index in kept]),
        ade_m=np.array([examples[index].ade_m for index in kept]),
        fans=tuple(examples[index] for index in thinned(len(examples), FANS)),
        close_up=tuple(examples[max(0, worst - CLOSE_UP) : worst + CLOSE_UP + 1 : 2]),
        moments={
            'Typical': examples[order[round(0.5 * last)]],
            'Hard (90 %)': examples[order[round(0.9 * last)]],
            'Worst': examples[worst],
        },
    )


def thinned(count: int, most: int) -> NDArray[np.int64]:
    """Choose evenly spaced indices, the first and the last among them, no more than asked."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
