# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration on held-out predictions: temperatures, rare classes, threshold of the siren."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.metrics.classification import threshold_at_false_positive_rate
from mm_fusion.metrics.trajectory import CONFIDENCE
from mm_fusion.training.path_calibration import central_mode, fit_covariance, trusting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.training.config import CalibrationConfig
    from mm_fusion.training.predict import Predictions

_LEAST_LOG, _MOST_LOG = np.log(0.05), np.log(20.0)
_NORMAL_90 = 1.6448536
"""Deviations that 90 % of a Gaussian lie within."""
_FEWEST_RAISED = 10


def calibrate(
    found: Sequence[Predictions],
    config: CalibrationConfig,
    known: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Calibrate on all held-out predictions together.

    Args:
        found: Of each source, with the modalities that its samples have.
        config: What is aimed for.
        known: An earlier calibration, for what these samples say nothing of; None: neutral.

    Returns:
        As in a manifest: ``temperatures``, ``offsets`` (by surface task, added to the logits
        before their temperature divides them), ``siren_threshold``, ``central_mode``,
        ``trajectory``, ``friction_coefficient_std_scale``; and ``examples``: how many samples
        each temperature stands on.
    """
    earlier = known or {}
    central = central_mode(found, earlier.get('central_mode'))
    found = [trusting(part, central['share']) for part in found]
    temperatures: dict[str, float] = dict(earlier.get('temperatures', {}))
    offsets: dict[str, list[float]] = dict(earlier.get('offsets', {}))
    examples: dict[str, int] = {}
    for task in (*SURFACE_CLASSES, 'siren', 'modes'):
        logits, targets = _pooled(found, task)
        examples[task] = len(targets)
        if len(targets) and task in SURFACE_CLASSES:
            power = float(getattr(config, f'{task}_balance'))
            shift = balance_offsets(logits, targets, power)
            offsets[task] = [round(value, 6) for value in shift.tolist()]
            logits = logits + np.array(offsets[task])
        if len(targets):
            temperatures[task] = round(fit_temperature(logits, targets), 6)
        temperatures.setdefault(task, 1.0)
    for task, classes in SURFACE_CLASSES.items():
        offsets.setdefault(task, [0.0] * len(classes))
    threshold = _siren_threshold(found, temperatures['siren'], config.siren_false_positive_rate)
    return {
        'temperatures': temperatures,
        'offsets': offsets,
        'siren_threshold': earlier.get('siren_threshold', 0.5) if threshold is None else threshold,
        'central_mode': central,
        'trajectory': fit_covariance(found, earlier.get('trajectory')),
        'friction_coefficient_std_scale': _deviation_scale(
            found, earlier.get('friction_coefficient_std_scale', 1.0)
        ),
        'examples': examples,
    }


def fit_temperature(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> float:
    """Find the temperature with the least negative log-likelihood (Guo et al., 2017).

    Args:
        logits: (n, classes); or (n, 1), the log-odds of class 1.
        targets: (n,), without unlabelled ones.

    Returns:
        Between 0.05 and 20; 1 where there are no examples.
    """
    if not len(targets):
        return 1.0
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        own = scaled[np.arange(len(targets)), targets]
        return float((np.logaddexp.reduce(scaled, axis=1) - own).mean())

    found = minimize_scalar(loss, bounds=(_LEAST_LOG, _MOST_LOG), method='bounded')
    return float(np.exp(found.x))


def balance_offsets(
    logits: NDArray[np.float64], targets: NDArray[np.int64], power: float
) -> NDArray[np.float64]:
    """Find what raises rare classes as if the common ones were less common.

    The posterior is divided by the share of its class to the power (Menon et al., 2021,
    Long-tail learning via logit adjustment): 0 keeps the classes as frequent as they were, 1
    takes all for equally frequent. A class with few examples is not raised: how well the network
    knows it cannot be told from them, and it would be seen wherever the network is in doubt.

    Args:
        logits: (n, classes), at any temperature.
        targets: (n,), without unlabelled ones, at least one.
        power: Of the share.

    Returns:
        (classes,), to add to the logits; 0 for classes with fewer than 10 examples.
    """
    counts = np.bincount(targets, minlength=logits.shape[1])
    rarity = counts.max() / np.maximum(counts, 1)
    shift = np.where(counts >= _FEWEST_RAISED, power * np.log(rarity), 0.0)
    return np.asarray(shift * fit_temperature(logits, targets))


def softmax(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Turn (n, classes) logits into probabilities at a temperature."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def sigmoid(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Turn log-odds into probabilities at a temperature."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits / temperature)))


def clip_scores(
    owners: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average the windows of each clip, in the order of ``numpy.unique(owners)``."""
    _, inverse = np.unique(owners, return_inverse=True)
    return np.asarray(np.bincount(inverse, weights=probabilities) / np.bincount(inverse))


def siren_cases(
    found: Sequence[Predictions], temperature: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Gather the samples whose siren is known; windows of a clip count as one.

    Returns:
        float64 (n,) probabilities, int64 (n,) targets, and int64 (n,): the row of the first
        window of each, in the samples put together.
    """
    logits, targets = _pooled(found, 'siren')
    owners, start = [], 0
    for part in found:
        known = np.asarray(part.targets['siren']) != UNLABELLED
        owners.append(start + part.owners[np.flatnonzero(known)])
        start += int(part.owners.max()) + 1 if len(part) else 0
    if not len(targets):
        return np.array([]), targets, targets
    joined = np.concatenate(owners)
    _, first = np.unique(joined, return_index=True)
    return clip_scores(joined, sigmoid(logits[:, 0], temperature)), targets[first], first


def _siren_threshold(
    found: Sequence[Predictions], temperature: float, false_positive_rate: float
) -> float | None:
    """Choose the threshold; None where sirens or other sounds are missing."""
    scores, targets, _ = siren_cases(found, temperature)
    if len(np.unique(targets)) < 2:
        return None
    return round(float(threshold_at_false_positive_rate(targets, scores, false_positive_rate)), 6)


def _pooled(
    found: Sequence[Predictions], task: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Put logits and targets of the samples together that have a label of the task."""
    if not found:
        return np.empty((0, 1)), np.empty(0, np.int64)
    logits, targets = [], []
    for part in found:
        truth = _winners(part) if task == 'modes' else np.asarray(part.targets[task], np.int64)
        known = truth != UNLABELLED
        logits.append(part.outputs[task][known].astype(np.float64))
        targets.append(truth[known])
    return np.concatenate(logits), np.concatenate(targets)


def _winners(part: Predictions) -> NDArray[np.int64]:
    """Tell which mode is nearest to the truth; ``UNLABELLED`` where that is not known."""
    truth = np.asarray(part.targets['trajectory'], np.float64)
    gaps = np.linalg.norm(part.outputs['trajectory'][..., :2] - truth[:, None], axis=-1)
    winners = np.full(len(part), UNLABELLED, np.int64)
    known = np.flatnonzero(np.isfinite(truth).all(axis=(1, 2)))
    winners[known] = gaps[known].mean(axis=-1).argmin(axis=1)
    return winners


def _deviation_scale(found: Sequence[Predictions], earlier: float) -> float:
    """Find by how much the deviation of the friction coefficient must be scaled."""
    errors = [np.empty(0)]
    for part in found:
        truth = np.asarray(part.targets['friction_coefficient'], np.float64)
        known = np.isfinite(truth)
        mean, log_std = part.outputs['friction_coefficient'][known].astype(np.float64).T
        errors.append(np.abs(truth[known] - mean) / np.exp(log_std))
    pooled = np.concatenate(errors)
    if not len(pooled):
        return earlier
    scale = float(np.quantile(pooled, CONFIDENCE)) / _NORMAL_90
    return round(min(max(scale, 1e-2), 1e2), 4)
