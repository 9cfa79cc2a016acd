# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of classifiers and detectors.

Targets are class indices; an example whose label cannot be told must be left out by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def confusion_matrix(
    targets: NDArray[np.int64], predictions: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Count, as (classes, classes), with the true class by row and the predicted one by column.

    Raises:
        ValueError: The lengths differ, or an index is no class.
    """
    _check_equal_length(targets, predictions)
    for name, values in (('targets', targets), ('predictions', predictions)):
        if values.size and not (values.min() >= 0 and values.max() < classes):
            raise ValueError(
                f'{name}: found {values.min()} to {values.max()}, expected 0 to {classes - 1}'
            )
    counts = np.bincount(targets * classes + predictions, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def accuracy(matrix: NDArray[np.int64]) -> float:
    """Share of examples on the diagonal of a confusion matrix; NaN if it is empty."""
    total = int(matrix.sum())
    return float(np.trace(matrix)) / total if total else float('nan')


def recalls(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Recall of each class of a confusion matrix; NaN for a class without examples."""
    support = matrix.sum(axis=1).astype(np.float64)
    support[support == 0] = np.nan
    return np.asarray(np.diag(matrix) / support, np.float64)


def unweighted_average_recall(matrix: NDArray[np.int64]) -> float:
    """Mean recall (UAR) over the classes that have examples; NaN if none has."""
    values = recalls(matrix)
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else float('nan')


def expected_calibration_error(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy (ECE, Guo et al., 2017).

    Args:
        probabilities: (n, classes), rows sum to 1.
        targets: (n,).
        bins: Number of equal bins of the highest probability.

    Returns:
        The gap, weighted by the share of examples in each bin; NaN without examples.
    """
    if not len(targets):
        return float('nan')
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == targets
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(bin_of, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(targets))


def roc_auc(targets: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """Area under the ROC curve: the chance that a positive outscores a negative, ties half.

    Returns:
        NaN where one of the two classes (1 and 0) has no examples.
    """
    _check_equal_length(targets, scores)
    positives = int((targets == 1).sum())
    negatives = len(targets) - positives
    if not positives or not negatives:
        return float('nan')
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2.0)[inverse]
    above = ranks[targets == 1].sum() - positives * (positives + 1) / 2.0
    return float(above / (positives * negatives))


def detection_rate(
    targets: NDArray[np.int64], scores: NDArray[np.float64], threshold: float, label: int
) -> float:
    """Share of the examples of one label whose score reaches the threshold; NaN without any.

    It is the true positive rate for label 1 and the false positive rate for label 0.
    """
    _check_equal_length(targets, scores)
    chosen = scores[targets == label]
    return float((chosen >= threshold).mean()) if chosen.size else float('nan')


def false_positive_rates(
    targets: NDArray[np.int64],
    scores: NDArray[np.float64],
    sublabels: Sequence[str],
    threshold: float,
) -> dict[str, float]:
    """False positive rate of each sublabel that has negatives, in alphabetical order."""
    names = np.array(sublabels)
    _check_equal_length(targets, names)
    return {
        str(name): detection_rate(targets[names == name], scores[names == name], threshold, 0)
        for name in np.unique(names[targets == 0])
    }


def threshold_at_false_positive_rate(
    targets: NDArray[np.int64], scores: NDArray[np.float64], rate: float
) -> float:
    """Find the lowest threshold at which the false positive rate is no higher than ``rate``.

    Returns:
        A value halfway between two scores where possible, so that rounding changes nothing.

    Raises:
        ValueError: There are no negatives.
    """
    _check_equal_length(targets, scores)
    negatives = np.sort(scores[targets == 0])[::-1]
    if not negatives.size:
        raise ValueError('found no negatives, expected some')
    allowed = int(rate * negatives.size)
    if allowed >= negatives.size:
        return float(scores.min())
    bar = float(negatives[allowed])
    above = scores[scores > bar]
    return float(np.nextafter(bar, np.inf)) if not above.size else (bar + float(above.min())) / 2


def _check_equal_length(first: NDArray[np.generic], second: NDArray[np.generic]) -> None:
    if first.ndim != 1 or len(first) != len(second):
        raise ValueError(f'found shapes {first.shape} and {second.shape}, expected equal lengths')
