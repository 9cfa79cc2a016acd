# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores against hand computation and brute force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.metrics.classification import (
    accuracy,
    confusion_matrix,
    detection_rate,
    expected_calibration_error,
    false_positive_rates,
    recalls,
    roc_auc,
    threshold_at_false_positive_rate,
    unweighted_average_recall,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)
SCORED = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=1, max_size=40)


def arrays(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    table = np.array(pairs, np.int64)
    return table[:, 0], table[:, 1]


def test_matrix_has_the_true_class_by_row() -> None:
    matrix = confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 1]), 3)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]
    assert accuracy(matrix) == 0.5
    assert recalls(matrix).tolist() == [0.5, 1.0, 0.0]
    assert unweighted_average_recall(matrix) == 0.5


@given(LABELS)
def test_scores_of_a_matrix_match_brute_force(pairs: list[tuple[int, int]]) -> None:
    targets, predictions = arrays(pairs)
    matrix = confusion_matrix(targets, predictions, 4)
    for i in range(4):
        for j in range(4):
            assert matrix[i, j] == sum(pair == (i, j) for pair in pairs)
    assert accuracy(matrix) == pytest.approx(np.mean(targets == predictions))
    by_class = [np.mean(predictions[targets == c] == c) for c in np.unique(targets)]
    assert unweighted_average_recall(matrix) == pytest.approx(np.mean(by_class))


def test_a_class_without_examples_counts_for_nothing() -> None:
    matrix = confusion_matrix(np.array([0, 0]), np.array([0, 1]), 3)
    assert np.isnan(recalls(matrix)[1:]).all()
    assert unweighted_average_recall(matrix) == 0.5


def test_no_examples_give_nan() -> None:
    empty = np.zeros(0, np.int64)
    matrix = confusion_matrix(empty, empty, 3)
    assert np.isnan(accuracy(matrix))
    assert np.isnan(unweighted_average_recall(matrix))
    assert np.isnan(expected_calibration_error(np.zeros((0, 3)), empty))
    assert np.isnan(roc_auc(np.array([1]), np.array([0.5])))
    assert np.isnan(detection_rate(np.array([1]), np.array([0.5]), 0.5, 0))


@pytest.mark.parametrize('bad', [-1, 3])
def test_an_index_that_is_no_class_is_refused(bad: int) -> None:
    with pytest.raises(ValueError, match='expected 0 to 2'):
        confusion_matrix(np.array([bad]), np.array([0]), 3)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match='equal lengths'):
        roc_auc(np.array([0, 1]), np.array([0.5]))


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    # Two at 0.9, one of them right: gap 0.4. One at 0.6, right: gap 0.4.
    assert expected_calibration_error(probabilities, np.array([0, 1, 1])) == pytest.approx(0.4)


def test_calibrated_predictions_have_little_error() -> None:
    random = np.random.default_rng(0)
    positive = random.uniform(0.5, 1.0, 50_000)
    targets = (random.uniform(size=50_000) < positive).astype(np.int64)
    probabilities = np.stack([1 - positive, positive], axis=1)
    assert expected_calibration_error(probabilities, targets) < 0.01
    assert expected_calibration_error(probabilities**4, targets) > 0.1


@given(SCORED)
def test_area_matches_counting_pairs(pairs: list[tuple[int, int]]) -> None:
    targets, scores = arrays(pairs)
    positives, negatives = scores[targets == 1], scores[targets == 0]
    found = roc_auc(targets, scores.astype(np.float64))
    if not len(positives) or not len(negatives):
        assert np.isnan(found)
        return
    wins = positives[:, None] > negatives[None, :]
    ties = positives[:, None] == negatives[None, :]
    assert found == pytest.approx(np.mean(wins + 0.5 * ties))


def test_rates_at_a_threshold_by_kind() -> None:
    targets = np.array([1, 1, 0, 0, 0])
    scores = np.array([0.9, 0.4, 0.5, 0.4, 0.6])
    kinds = ['siren', 'siren', 'wind', 'wind', 'horn']
    assert detection_rate(targets, scores, 0.5, 1) == 0.5
    assert detection_rate(targets, scores, 0.5, 0) == pytest.approx(2 / 3)
    assert false_positive_rates(targets, scores, kinds, 0.5) == {'horn': 1.0, 'wind': 0.5}


@given(SCORED, st.floats(0.0, 0.99))
def test_threshold_keeps_the_rate_and_is_the_lowest_that_does(
    pairs: list[tuple[int, int]], rate: float
) -> None:
    targets, whole = arrays(pairs)
    scores = whole / 6.0
    if not (targets == 0).any():
        with pytest.raises(ValueError, match='no negatives'):
            threshold_at_false_positive_rate(targets, scores, rate)
        return
    threshold = threshold_at_false_positive_rate(targets, scores, rate)
    assert detection_rate(targets, scores, threshold, 0) <= rate
    lower = scores[scores < threshold]
    if lower.size:
        assert detection_rate(targets, scores, lower.max(), 0) > rate
