# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of predicted paths against the path that was driven.

The protocol is that of the nuScenes prediction challenge (Caesar et al., 2020, nuScenes): 6 s in
steps of 0.5 s. Every score is a mean over samples, so it is kept as a sum and a count, and the
scores of many recordings are the sum of the scores of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.types.features import STEP_S, STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS_S = STEP_S * np.arange(1, STEPS + 1, dtype=np.float64)
"""float64 (12,), the times after the stamp at which a path is compared, seconds."""

HORIZONS_S = (1, 2, 3, 6)
"""Horizons at which scores are reported, seconds."""

MISS_DISTANCE_M = 2.0
TURNING_RAD = float(np.radians(15.0))
CONFIDENCE = 0.9

ERROR_EDGES_M = np.concatenate(([0.0], np.geomspace(0.05, 100.0, 34), [np.inf]))
"""float64 (36,), edges of the histogram of ADE at 6 s, metres."""

_LAST_STEP = np.array([round(horizon / STEP_S) - 1 for horizon in HORIZONS_S])
_CHI2_2_DOF = -2.0 * np.log1p(-CONFIDENCE)  # the quantile has this closed form for two dimensions


@dataclass(frozen=True, slots=True, eq=False)
class TrajectorySums:
    """Sums over samples from which all scores follow; two of them add up to those of both.

    Attributes:
        count: Number of samples.
        displacement_m: float64 (12,), distance of the most likely mode at each step, summed.
        min_ade_m: float64 (4,), smallest ADE over the modes at each horizon, summed.
        misses: int64 (4,), samples of which every mode strays further than 2 m at some step up
            to the horizon.
        with_covariance: Number of samples that came with covariances.
        inside: int64 (12,), those of them whose true position lies in the 90 % ellipse.
        ade_histogram: int64 (35,), samples by ADE at 6 s, over ``ERROR_EDGES_M``.
    """

    count: int
    displacement_m: NDArray[np.float64]
    min_ade_m: NDArray[np.float64]
    misses: NDArray[np.int64]
    with_covariance: int
    inside: NDArray[np.int64]
    ade_histogram: NDArray[np.int64]

    def __add__(self, other: TrajectorySums) -> TrajectorySums:
        """Join the samples of two sums."""
        return TrajectorySums(
            count=self.count + other.count,
            displacement_m=self.displacement_m + other.displacement_m,
            min_ade_m=self.min_ade_m + other.min_ade_m,
            misses=self.misses + other.misses,
            with_covariance=self.with_covariance + other.with_covariance,
            inside=self.inside + other.inside,
            ade_histogram=self.ade_histogram + other.ade_histogram,
        )

    @property
    def error_m(self) -> NDArray[np.float64] | None:
        """Mean distance at each step: float64 (12,), metres; None without samples."""
        return self.displacement_m / self.count if self.count else None

    @property
    def ade_m(self) -> NDArray[np.float64] | None:
        """Mean distance over the steps up to each horizon: float64 (4,), metres."""
        if (error := self.error_m) is None:
            return None
        return np.asarray((np.cumsum(error) / np.arange(1, error.size + 1))[_LAST_STEP])

    @property
    def fde_m(self) -> NDArray[np.float64] | None:
        """Mean distance at each horizon: float64 (4,), metres."""
        return None if (error := self.error_m) is None else error[_LAST_STEP]

    @property
    def best_ade_m(self) -> NDArray[np.float64] | None:
        """ADE of the best mode (minADE over K) at each horizon: float64 (4,), metres."""
        return self.min_ade_m / self.count if self.count else None

    @property
    def miss_rate(self) -> NDArray[np.float64] | None:
        """Share of samples missed up to each horizon: float64 (4,)."""
        return self.misses / self.count if self.count else None

    @property
    def coverage(self) -> NDArray[np.float64] | None:
        """Share of true positions in the 90 % ellipse at each step: float64 (12,)."""
        return self.inside / self.with_covariance if self.with_covariance else None


def no_samples() -> TrajectorySums:
    """Return the sums over no sample at all."""
    steps, horizons = STEPS_S.size, len(HORIZONS_S)
    return TrajectorySums(
        count=0,
        displacement_m=np.zeros(steps),
        min_ade_m=np.zeros(horizons),
        misses=np.zeros(horizons, np.int64),
        with_covariance=0,
        inside=np.zeros(steps, np.int64),
        ade_histogram=np.zeros(ERROR_EDGES_M.size - 1, np.int64),
    )


def score_paths(
    predicted: NDArray[np.float64],
    truth: NDArray[np.float64],
    covariances: NDArray[np.float64] | None = None,
) -> TrajectorySums:
    """Score predicted paths against the driven ones.

    A sample is missed up to a horizon where every mode has a step further than 2 m from the
    truth: nuScenes ``MissRateTopK_2``, with all modes counted.

    Args:
        predicted: float64 (n, k, 12, 2), k modes with the most likely first, metres, in the same
            frame as the truth.
        truth: float64 (n, 12, 2).
        covariances: float64 (n, 12, 2, 2), of the most likely mode, m²; None where the
            predictor gives none.

    Raises:
        ValueError: The shapes contradict each other.
    """
    n, steps = truth.shape[0], STEPS_S.size
    if truth.shape != (n, steps, 2) or predicted.shape != (n, predicted.shape[1], steps, 2):
        raise ValueError(f'paths: found shapes {predicted.shape} and {truth.shape}')
    if n == 0:
        return no_samples()
    distances = np.linalg.norm(predicted - truth[:, None], axis=-1)
    ade = (np.cumsum(distances, axis=-1) / np.arange(1, steps + 1))[..., _LAST_STEP]
    furthest = np.maximum.accumulate(distances, axis=-1)[..., _LAST_STEP]
    inside = np.zeros(steps, np.int64)
    if covariances is not None:
        inside = in_ellipse(predicted[:, 0] - truth, covariances).sum(axis=0)
    return TrajectorySums(
        count=n,
        displacement_m=distances[:, 0].sum(axis=0),
        min_ade_m=ade.min(axis=1).sum(axis=0),
        misses=(furthest.min(axis=1) > MISS_DISTANCE_M).sum(axis=0),
        with_covariance=0 if covariances is None else n,
        inside=inside,
        ade_histogram=np.histogram(ade[:, 0, -1], ERROR_EDGES_M)[0].astype(np.int64),
    )


def in_ellipse(errors: NDArray[np.float64], covariances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which errors lie in the 90 % ellipse of their covariance.

    Args:
        errors: float64 (..., 2), metres.
        covariances: float64 (..., 2, 2), m²; a degenerate one is taken as 0.1 mm wide.

    Returns:
        bool (...).
    """
    regular = covariances + 1e-8 * np.eye(2)
    solved = np.linalg.solve(regular, errors[..., None])[..., 0]
    return np.asarray((errors * solved).sum(axis=-1) <= _CHI2_2_DOF)


def confidence_ellipse(covariance: NDArray[np.float64], points: int = 48) -> NDArray[np.float64]:
    """Outline the 90 % ellipse of a position: float64 (points, 2), about the origin, metres."""
    angles = np.linspace(0.0, 2.0 * np.pi, points)
    values, vectors = np.linalg.eigh(covariance)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    scaled = np.sqrt(_CHI2_2_DOF * np.maximum(values, 0.0))[:, None] * circle
    return np.asarray((vectors @ scaled).T)


def turning(headings: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which driven paths head more than 15° elsewhere at the end of the horizon.

    Args:
        headings: float64 (n, 12), heading at each step relative to that at the stamp, rad, not
            wrapped.

    Returns:
        bool (n,).
    """
    return np.asarray(np.abs(headings[:, -1]) > TURNING_RAD)
