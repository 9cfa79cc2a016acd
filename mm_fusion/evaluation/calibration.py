# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Fit how much the covariance of predicted paths must be scaled, so that it holds what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.bags import read_bag
from mm_fusion.errors import DatasetError
from mm_fusion.evaluation.scoring import MIN_SPEED_MPS, SAMPLE_PERIOD_NS
from mm_fusion.geometry.ego_filter import EgoStateFilter, predict_path
from mm_fusion.metrics.trajectory import STEPS_S
from mm_fusion.recordings import TruthRecorder
from mm_fusion.settings import Settings
from mm_fusion.types.sensors import GnssFix, LocalPosition, VelocitySample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.geometry.reference import ReferencePath
    from mm_fusion.types.sensors import PositionSample

SHARE = 0.9
_CHI2 = -2.0 * float(np.log(1.0 - SHARE))
"""Squared Mahalanobis distance that a share of a two-dimensional Gaussian lies within."""


def fit_covariance_scales(drives: Sequence[Path]) -> dict[str, Any]:
    """Fit one factor for each predicted step, so that 90 % of the truths lie in the 90 % ellipse.

    The factor is the quantile of the squared Mahalanobis distances over that of the Gaussian, all
    drives weighted alike, however long they are. Each drive is also scored with factors fitted on
    the others.

    Args:
        drives: Recordings with velocity, and odometry or positions.

    Returns:
        ``times_s``, ``covariance_scales``, ``source``, and ``coverage_held_out``: for each drive,
        the share of truths inside the ellipse at each step, with the factors of the others; empty
        for a single drive.

    Raises:
        BagError: A recording cannot be read.
        DatasetError: A recording has no path that could be scored.
    """
    distances = {path.resolve().stem: squared_distances(path) for path in drives}
    held_out = {}
    if len(distances) > 1:
        for name, drive in distances.items():
            others = [other for key, other in distances.items() if key != name]
            inside = drive <= _CHI2 * _scales(others)
            held_out[name] = [round(float(share), 4) for share in inside.mean(axis=0)]
    return {
        'times_s': [float(step) for step in STEPS_S],
        'covariance_scales': [round(float(s), 4) for s in _scales(list(distances.values()))],
        'source': f'{SHARE:.0%} quantile over {", ".join(distances)}, weighted alike',
        'coverage_held_out': held_out,
    }


def squared_distances(path: Path) -> NDArray[np.float64]:
    """Compare the paths that the ego-state filter predicts along a recording with the truth.

    Returns:
        float64 (samples, steps), squared Mahalanobis distances at ``STEPS_S``, on a grid of 2 Hz
        where the vehicle truly moves faster than 1 m/s.

    Raises:
        BagError: The recording cannot be read.
        DatasetError: It has no sample.
    """
    samples, truth = _read(path)
    ego_filter, rows, fed = EgoStateFilter(), [], 0
    first = -(-int(truth.stamps_ns[0]) // SAMPLE_PERIOD_NS) * SAMPLE_PERIOD_NS
    for stamp_ns in range(first, int(truth.stamps_ns[-1]), SAMPLE_PERIOD_NS):
        while fed < len(samples) and samples[fed].stamp_ns <= stamp_ns:
            ego_filter.add(samples[fed])
            fed += 1
        future = truth.future_in_base_link(stamp_ns, STEPS_S)
        state = ego_filter.state_at(stamp_ns)
        speed_mps = np.interp(stamp_ns, truth.stamps_ns, truth.speeds)
        if future is None or state is None or speed_mps <= MIN_SPEED_MPS:
            continue
        positions, _, covariances = predict_path(state, STEPS_S)
        residuals = (future[0] - positions)[:, :, np.newaxis]
        solved = np.linalg.solve(covariances, residuals)
        rows.append((residuals * solved).sum(axis=(1, 2)))
    if not rows:
        raise DatasetError(f'{path}: found no moment with motion and a known future to fit on')
    return np.stack(rows)


def _read(path: Path) -> tuple[list[VelocitySample | PositionSample], ReferencePath]:
    """Read velocities and positions in order of stamp, and the driven path."""
    samples: list[VelocitySample | PositionSample] = []
    with read_bag(path) as bag:
        recorder = TruthRecorder(odometry=bag.topics.odometry is not None)
        for event in bag.events():
            recorder.add(event)
            if isinstance(event.content, VelocitySample | GnssFix | LocalPosition):
                samples.append(event.content)
    found = recorder.path(Settings().ego_filter)
    if found is None:
        raise DatasetError(f'{path}: found neither odometry nor positions to fit on')
    return sorted(samples, key=lambda sample: sample.stamp_ns), found[1]


def _scales(distances: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Weighted quantile of the pooled distances at each step, each drive of weight 1."""
    pooled = np.concatenate(distances)
    weights = np.concatenate([np.full(len(drive), 1.0 / len(drive)) for drive in distances])
    order = np.argsort(pooled, axis=0)
    below = np.cumsum(weights[order], axis=0) / len(distances)
    index = (below < SHARE).sum(axis=0).clip(max=len(pooled) - 1)
    columns = np.arange(pooled.shape[1])
    return np.asarray(pooled[order[index, columns], columns] / _CHI2)
