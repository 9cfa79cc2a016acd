# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mm_fusion.metrics.trajectory import (
    STEPS_S,
    TrajectorySums,
    confidence_ellipse,
    in_ellipse,
    no_samples,
    score_paths,
    turning,
)

Paths = NDArray[np.float64]
coordinates = st.floats(-500, 500, width=32)


def paths(n: int, k: int = 1) -> st.SearchStrategy[Paths]:
    return arrays(np.float64, (n, k, 12, 2), elements=coordinates)


def offset(distances: list[float]) -> Paths:
    """Make one path that is this far to the left of the origin at each step."""
    return np.array([[[(0.0, distance) for distance in distances]]])


TRUTH = np.zeros((1, 12, 2))
GROWING = [0.5 * step for step in range(1, 13)]


def test_errors_that_grow_by_half_a_metre_a_step() -> None:
    sums = score_paths(offset(GROWING), TRUTH)
    assert sums.ade_m == pytest.approx([0.75, 1.25, 1.75, 3.25])
    assert sums.fde_m == pytest.approx([1.0, 2.0, 3.0, 6.0])
    assert sums.best_ade_m == pytest.approx([0.75, 1.25, 1.75, 3.25])
    assert sums.error_m == pytest.approx(GROWING)


def test_a_miss_is_further_than_two_metres_at_some_step() -> None:
    assert score_paths(offset(GROWING), TRUTH).miss_rate == pytest.approx([0, 0, 1, 1])
    exactly = score_paths(offset([2.0] * 12), TRUTH)
    assert exactly.miss_rate == pytest.approx([0, 0, 0, 0])
    once = score_paths(offset([0.0, 0.0, 2.001, *[0.0] * 9]), TRUTH)
    assert once.miss_rate == pytest.approx([0, 1, 1, 1])


def test_scores_follow_the_first_mode_and_the_best_ones_any() -> None:
    modes = np.concatenate([offset([4.0] * 12), offset([1.0] * 12)], axis=1)
    sums = score_paths(modes, TRUTH)
    assert sums.ade_m == pytest.approx([4.0] * 4)
    assert sums.best_ade_m == pytest.approx([1.0] * 4)
    assert sums.miss_rate == pytest.approx([0.0] * 4)


def test_no_samples_have_no_scores() -> None:
    for sums in (no_samples(), score_paths(np.zeros((0, 1, 12, 2)), np.zeros((0, 12, 2)))):
        assert sums.count == 0
        assert sums.ade_m is sums.fde_m is sums.miss_rate is sums.best_ade_m is None
        assert sums.coverage is None


def test_coverage_needs_covariances() -> None:
    covariances = np.broadcast_to(np.eye(2), (1, 12, 2, 2))
    sums = score_paths(offset([2.0] * 6 + [2.3] * 6), TRUTH, covariances)
    # The 90 % quantile of chi-square with two degrees of freedom is 4.605, or 2.146 deviations.
    assert sums.coverage == pytest.approx([1.0] * 6 + [0.0] * 6)
    assert score_paths(offset([0.0] * 12), TRUTH).coverage is None


def test_ninety_percent_of_gaussian_errors_lie_in_the_ellipse() -> None:
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    errors = np.random.default_rng(0).multivariate_normal(np.zeros(2), covariance, 20_000)
    inside = in_ellipse(errors, np.broadcast_to(covariance, (20_000, 2, 2)))
    assert inside.mean() == pytest.approx(0.9, abs=0.007)


def test_the_outline_of_the_ellipse_is_its_border() -> None:
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    outline = confidence_ellipse(covariance)
    covariances = np.broadcast_to(covariance, (len(outline), 2, 2))
    assert in_ellipse(outline * 0.999, covariances).all()
    assert not in_ellipse(outline * 1.001, covariances).any()


def test_a_degenerate_covariance_is_no_error() -> None:
    errors = np.array([[0.0, 0.0], [0.1, 0.0]])
    assert in_ellipse(errors, np.zeros((2, 2, 2))).tolist() == [True, False]


def test_turning_compares_the_headings_at_both_ends() -> None:
    ends = np.radians([14.9, 15.1, -15.1, 0.0])
    headings = np.zeros((4, 12))
    headings[:, -1] = ends
    headings[3, 5] = 1.0  # a lane change: there and back
    assert turning(headings).tolist() == [False, True, True, False]


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match='found shapes'):
        score_paths(np.zeros((1, 1, 11, 2)), np.zeros((1, 12, 2)))


def test_steps_reach_six_seconds() -> None:
    assert STEPS_S.tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6]


@given(paths(5, 2), paths(5), st.integers(0, 5))
def test_the_sum_of_parts_is_the_score_of_the_whole(
    predicted: Paths, truth: Paths, cut: int
) -> None:
    covariances = np.broadcast_to(np.eye(2) * 100.0, (5, 12, 2, 2))
    whole = score_paths(predicted, truth[:, 0], covariances)
    parts = score_paths(predicted[:cut], truth[:cut, 0], covariances[:cut]) + score_paths(
        predicted[cut:], truth[cut:, 0], covariances[cut:]
    )
    for field in fields(TrajectorySums):
        assert getattr(parts, field.name) == pytest.approx(getattr(whole, field.name))


@given(paths(3), paths(3), st.floats(-3, 3), coordinates, coordinates)
def test_scores_do_not_depend_on_the_frame(
    predicted: Paths, truth: Paths, angle: float, x: float, y: float
) -> None:
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    here = score_paths(predicted, truth[:, 0])
    there = score_paths(predicted @ rotation + (x, y), truth[:, 0] @ rotation + (x, y))
    assert there.ade_m == pytest.approx(here.ade_m, abs=1e-6)
    assert there.fde_m == pytest.approx(here.fde_m, abs=1e-6)


@given(paths(4, 3), paths(4))
def test_the_best_mode_is_no_worse_than_the_first(predicted: Paths, truth: Paths) -> None:
    sums = score_paths(predicted, truth[:, 0])
    assert sums.best_ade_m is not None
    assert sums.ade_m is not None
    assert (sums.best_ade_m <= sums.ade_m + 1e-9).all()
    assert sums.miss_rate is not None
    assert (np.diff(sums.miss_rate) >= 0).all()
    assert sums.ade_histogram.sum() == 4
