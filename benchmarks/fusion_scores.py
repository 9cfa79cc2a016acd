# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One figure for each task of the fusion network, and how sure a difference of two is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.metrics.classification import (
    confusion_matrix,
    detection_rate,
    roc_auc,
    threshold_at_false_positive_rate,
    unweighted_average_recall,
)
from mm_fusion.metrics.road_state import surface_confusion
from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

FALSE_POSITIVE_RATE = 0.02
CONFIDENCE = 0.9
_WET = ('wet', 'water')


@dataclass(frozen=True, slots=True)
class Score:
    """What a figure is called.

    Attributes:
        label: For tables and figures.
        higher: Whether more is better.
    """

    label: str
    higher: bool


SCORES = {
    'friction_6': Score('friction-6 UAR', higher=True),
    'friction_3': Score('friction-3 UAR', higher=True),
    'material': Score('material UAR', higher=True),
    'unevenness': Score('unevenness UAR', higher=True),
    'siren_auc': Score('siren AUC', higher=True),
    'siren_tpr': Score('siren TPR at FPR 2 %', higher=True),
    'coefficient': Score('friction coefficient MAE', higher=False),
    'ade': Score('ADE, most likely mode / roll-out', higher=False),
    'min_ade': Score('minADE, 6 modes / roll-out', higher=False),
}
"""What is scored, in the order of the tables."""


def score(outputs: Arrays, targets: Arrays) -> dict[str, float]:
    """Score every task; NaN where nothing is known.

    Args:
        outputs: Of the network, (n, ...).
        targets: As in a batch, (n, ...).
    """
    posteriors = {task: scipy.special.softmax(outputs[task], axis=1) for task in SURFACE_CLASSES}
    matrices = surface_confusion(posteriors, {task: targets[task] for task in SURFACE_CLASSES})
    names = {'friction_6': 'friction', 'friction_3': 'friction_3'}
    found = {
        name: unweighted_average_recall(matrices[names.get(name, name)])
        for name in ('friction_6', 'friction_3', 'material', 'unevenness')
    }
    found |= _siren(outputs['siren'][:, 0], targets['siren'])
    wrong = np.abs(outputs['friction_coefficient'][:, 0] - targets['friction_coefficient'])
    found['coefficient'] = float(np.nanmean(wrong)) if np.isfinite(wrong).any() else np.nan
    return found | _path(outputs, targets['trajectory'])


def wet_or_dry(outputs: Arrays, targets: Arrays) -> float:
    """Give the mean recall of dry and wet roads, when one of the two must be said.

    Wet is wet or covered with water; moments on snow and ice are left out. NaN where all are dry,
    or all wet.
    """
    dry = FRICTION_CLASSES.index('dry')
    wet = [FRICTION_CLASSES.index(name) for name in _WET]
    known = np.isin(targets['friction'], [dry, *wet])
    posterior = scipy.special.softmax(outputs['friction'][known], axis=1)
    said = (posterior[:, wet].sum(axis=1) > posterior[:, dry]).astype(np.int64)
    truth = (targets['friction'][known] != dry).astype(np.int64)
    if len(np.unique(truth)) < 2:
        return float('nan')
    return unweighted_average_recall(confusion_matrix(truth, said, 2))


def _siren(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> dict[str, float]:
    known = truth != UNLABELLED
    heard, scores = truth[known], logits[known].astype(np.float64)
    if len(np.unique(heard)) < 2:
        return {'siren_auc': np.nan, 'siren_tpr': np.nan}
    threshold = threshold_at_false_positive_rate(heard, scores, FALSE_POSITIVE_RATE)
    return {
        'siren_auc': roc_auc(heard, scores),
        'siren_tpr': detection_rate(heard, scores, threshold, 1),
    }


def _path(outputs: Arrays, residuals: NDArray[np.float32]) -> dict[str, float]:
    """Compare with the roll-out, whose residual is zero; 6 s in steps of 0.5 s."""
    known = np.isfinite(residuals).all(axis=(1, 2))
    if not known.any():
        return {'ade': np.nan, 'min_ade': np.nan}
    truth = residuals[known].astype(np.float64)
    rollout = np.linalg.norm(truth, axis=-1).mean()
    errors = np.linalg.norm(outputs['trajectory'][known][..., :2] - truth[:, None], axis=-1)
    modes = errors.mean(axis=-1)
    likely = outputs['modes'][known].argmax(axis=1)
    return {
        'ade': float(modes[np.arange(len(modes)), likely].mean() / rollout),
        'min_ade': float(modes.min(axis=1).mean() / rollout),
    }


def resample(drives: NDArray[np.str_], times: int, seed: int = 0) -> list[NDArray[np.int64]]:
    """Draw whole drives with replacement: rows of each draw.

    Moments of one drive are alike, so that the drives are what chance was at work on.
    """
    random = np.random.default_rng(seed)
    names, places = np.unique(drives, return_inverse=True)
    rows = [np.flatnonzero(places == place) for place in range(len(names))]
    return [
        np.concatenate([rows[int(index)] for index in random.integers(len(rows), size=len(rows))])
        for _ in range(times)
    ]


def mean_scores(seeds: Sequence[Arrays], targets: Arrays) -> dict[str, float]:
    """Average the scores of networks that differ in the seed alone."""
    each = [score(outputs, targets) for outputs in seeds]
    return {name: float(np.mean([found[name] for found in each])) for name in SCORES}


def scores_of_draws(
    seeds: Sequence[Arrays], targets: Arrays, draws: Sequence[NDArray[np.int64]]
) -> list[dict[str, float]]:
    """Give ``mean_scores`` of each draw."""
    return [
        mean_scores(
            [_rows(outputs, draw) for outputs in seeds],
            _rows(targets, draw),
        )
        for draw in draws
    ]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Give the middle 90 % of values, those that are no number left out."""
    known = np.array(values)[np.isfinite(values)]
    if not len(known):
        return (np.nan, np.nan)
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(known, [tail, 100.0 - tail])
    return float(low), float(high)


def gain(name: str, mine: float, other: float) -> float:
    """Say by how much mine is better; negative where it is worse."""
    return mine - other if SCORES[name].higher else other - mine


def best_of(name: str, choices: Mapping[str, float]) -> str:
    """Name the best of some, those that are no number left out."""
    return max(
        (choice for choice in choices if np.isfinite(choices[choice])),
        key=lambda choice: gain(name, choices[choice], 0.0),
        default='',
    )


def _rows(arrays: Arrays, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    return {name: value[rows] for name, value in arrays.items()}
