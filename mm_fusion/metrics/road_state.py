# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of the road state: surface posteriors and the siren detector, ready for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.metrics.classification import (
    accuracy,
    confusion_matrix,
    detection_rate,
    expected_calibration_error,
    false_positive_rates,
    recalls,
    roc_auc,
    unweighted_average_recall,
)
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


def _each(classes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return {name: (name,) for name in classes}


FRICTION_3: dict[str, tuple[str, ...]] = {
    'dry': ('dry',),
    'wet': ('wet', 'water'),
    'snow': ('fresh_snow', 'melted_snow'),
}
"""Friction in three groups; photographs of ice are left out, as in the published baselines."""

FRICTION_5 = _each(name for name in FRICTION_CLASSES if name != 'ice')
"""Friction without ice, which has too few photographs."""

SURFACE_TABLES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    'friction': ('friction', _each(FRICTION_CLASSES)),
    'friction_3': ('friction', FRICTION_3),
    'friction_5': ('friction', FRICTION_5),
    'material': ('material', _each(MATERIAL_CLASSES)),
    'unevenness': ('unevenness', _each(UNEVENNESS_CLASSES)),
}
"""Tables to score: name -> (task, classes made of the task's classes)."""

_TASK_CLASSES = {
    'friction': FRICTION_CLASSES,
    'material': MATERIAL_CLASSES,
    'unevenness': UNEVENNESS_CLASSES,
}


def score_surface(
    posteriors: Mapping[str, NDArray[np.float64]], targets: Mapping[str, NDArray[np.int64]]
) -> dict[str, Any]:
    """Score the posteriors of friction, material and unevenness.

    Args:
        posteriors: By task, (n, classes).
        targets: By task, (n,), -1 where it cannot be told.

    Returns:
        For each of ``SURFACE_TABLES``: examples, accuracy, UAR, ECE, recalls and the confusion
        matrix (true class by row). A score without examples is None.
    """
    scores = {}
    for name, (_, groups) in SURFACE_TABLES.items():
        merged, truth = _known(name, posteriors, targets)
        matrix = confusion_matrix(truth, merged.argmax(axis=1), len(groups))
        scores[name] = {
            'examples': len(truth),
            'accuracy': _figure(accuracy(matrix)),
            'uar': _figure(unweighted_average_recall(matrix)),
            'ece': _figure(expected_calibration_error(merged, truth)),
            'classes': list(groups),
            'recalls': [_figure(value) for value in recalls(matrix)],
            'confusion_matrix': matrix.tolist(),
        }
    return scores


def surface_confusion(
    posteriors: Mapping[str, NDArray[np.float64]], targets: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.int64]]:
    """Count predictions by true class: matrices that add up over recordings.

    Args:
        posteriors: By task, (n, classes).
        targets: By task, (n,), -1 where it cannot be told.

    Returns:
        For each of ``SURFACE_TABLES``: int64 (classes, classes), the true class by row.
    """
    matrices = {}
    for name, (_, groups) in SURFACE_TABLES.items():
        merged, truth = _known(name, posteriors, targets)
        matrices[name] = confusion_matrix(truth, merged.argmax(axis=1), len(groups))
    return matrices


def score_siren(
    targets: NDArray[np.int64],
    scores: NDArray[np.float64],
    sublabels: Sequence[str],
    threshold: float,
) -> dict[str, Any]:
    """Score the siren detector at its threshold.

    Args:
        targets: (n,), 1 siren, 0 none.
        scores: (n,), probabilities.
        sublabels: (n,), what is heard.
        threshold: Probability that raises the flag.
    """
    return {
        'examples': len(targets),
        'roc_auc': _figure(roc_auc(targets, scores)),
        'threshold': threshold,
        'true_positive_rate': _figure(detection_rate(targets, scores, threshold, 1)),
        'false_positive_rate': _figure(detection_rate(targets, scores, threshold, 0)),
        'false_positive_rate_by_sublabel': {
            name: _figure(rate)
            for name, rate in false_positive_rates(targets, scores, sublabels, threshold).items()
        },
    }


def _known(
    name: str,
    posteriors: Mapping[str, NDArray[np.float64]],
    targets: Mapping[str, NDArray[np.int64]],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give posteriors and targets in the classes of one table, where these can be told."""
    task, groups = SURFACE_TABLES[name]
    known = _regroup(targets[task], _TASK_CLASSES[task], groups)
    chosen = known >= 0
    return _merge(posteriors[task][chosen], _TASK_CLASSES[task], groups), known[chosen]


def _regroup(
    targets: NDArray[np.int64], classes: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> NDArray[np.int64]:
    table = np.full(len(classes) + 1, -1, np.int64)  # the last entry serves the target -1
    for index, members in enumerate(groups.values()):
        for member in members:
            table[classes.index(member)] = index
    return table[targets]


def _merge(
    posterior: NDArray[np.float64], classes: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> NDArray[np.float64]:
    merged = np.stack(
        [
            posterior[:, [classes.index(member) for member in members]].sum(axis=1)
            for members in groups.values()
        ],
        axis=1,
    )
    return np.asarray(merged / np.maximum(merged.sum(axis=1, keepdims=True), 1e-12))


def _figure(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
