# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration on held-out predictions: temperatures, siren threshold, width of the Gaussians."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.metrics.classification import threshold_at_false_positive_rate
from mm_fusion.metrics.trajectory import CONFIDENCE, STEPS_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.training.config import CalibrationConfig
    from mm_fusion.training.predict import Predictions

_LEAST_LOG, _MOST_LOG = np.log(0.05), np.log(20.0)
_CHI2 = -2.0 * float(np.log1p(-CONFIDENCE))
"""Squared Mahalanobis distance that a share of a two-dimensional Gaussian lies within."""
_NORMAL_90 = 1.6448536
"""Deviations that 90 % of a Gaussian lie within."""
_FEWEST_RAISED = 10
SHARES = np.linspace(0.0, 1.0, 21)
_TINY_M = 1e-6
_NOT_FITTED = 'not fitted'


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
        'trajectory': _trajectory(found, earlier.get('trajectory')),
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


def central_mode(
    found: Sequence[Predictions], earlier: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Find how far the residuals of mode 0 are to be trusted on drives of a new kind.

    What was learned on other drives may not hold on this one, where the roll-out always does: so
    the residuals are shrunk towards it by the share with the least displacement of the most
    likely path over that of the roll-out, mean over drives. The other modes stay as they are.

    Args:
        found: Held-out predictions.
        earlier: Kept where these know no path.

    Returns:
        ``share``; and ``held_out``, by drive the share that the other drives give.
    """
    ratios: dict[str, NDArray[np.float64]] = {}
    for part in found:
        known, drives = _with_path(part)
        if not known.any():
            continue
        truth = np.asarray(part.targets['trajectory'], np.float64)[known]
        modes = part.outputs['trajectory'][known][..., :2].astype(np.float64)
        likely = part.outputs['modes'][known].argmax(axis=1)
        shares = np.where(likely == 0, SHARES[:, None], 1.0)[..., None, None]
        paths = shares * modes[np.arange(len(modes)), likely]
        errors = np.linalg.norm(paths - truth, axis=-1).mean(axis=-1)
        rollout = np.linalg.norm(truth, axis=-1).mean(axis=-1)
        for name in dict.fromkeys(drives.tolist()):
            own = drives == name
            ratios[name] = errors[:, own].mean(axis=1) / max(rollout[own].mean(), _TINY_M)
    if not ratios:
        return dict(earlier or {'share': 1.0})
    others = {
        name: [ratio for key, ratio in ratios.items() if key != name]
        for name in ratios
        if len(ratios) > 1
    }
    return {
        'share': _best_share(list(ratios.values())),
        'held_out': {name: _best_share(listed) for name, listed in others.items()},
    }


def _best_share(ratios: Sequence[NDArray[np.float64]]) -> float:
    return float(SHARES[np.mean(ratios, axis=0).argmin()])


def trusting(part: Predictions, share: float) -> Predictions:
    """Scale the residuals of mode 0, as the decoder does."""
    if 'trajectory' not in part.outputs:
        return part
    paths = part.outputs['trajectory'].copy()
    paths[:, 0, :, :2] *= share
    return replace(part, outputs={**part.outputs, 'trajectory': paths})


def likely_paths(
    found: Predictions,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Order the modes of samples whose path is known, the most likely first.

    Returns:
        float64 (n, 6, 12, 2) residuals, (n, 12, 2) true ones, m, and (n, 12, 2, 2) covariances of
        the most likely mode, m², all in the frame of the roll-out at each step.
    """
    known, _ = _with_path(found)
    truth = np.asarray(found.targets['trajectory'], np.float64)
    form = found.outputs['trajectory'][known].astype(np.float64)
    order = np.argsort(-found.outputs['modes'][known], axis=1, kind='stable')
    form = np.take_along_axis(form, order[:, :, None, None], axis=1)
    first = form[:, 0]
    along, aside = np.exp(first[..., 2]), np.exp(first[..., 3])
    shared = first[..., 4] * along * aside
    covariances = np.stack(
        [np.stack([along**2, shared], axis=-1), np.stack([shared, aside**2], axis=-1)], axis=-2
    )
    return form[..., :2], truth[known], covariances


def squared_distances(found: Predictions) -> dict[str, NDArray[np.float64]]:
    """Compare the most likely path with the truth, drive by drive.

    Returns:
        By drive, float64 (n, 12), squared Mahalanobis distances.
    """
    paths, truth, covariances = likely_paths(found)
    _, drives = _with_path(found)
    errors = (truth - paths[:, 0])[..., None]
    solved = np.linalg.solve(covariances, errors)
    distances = (errors * solved).sum(axis=(-2, -1))
    return {str(name): distances[drives == name] for name in dict.fromkeys(drives)}


def _with_path(found: Predictions) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """Tell which samples have a whole known path, bool (n,), and the drives of those."""
    known = np.isfinite(np.asarray(found.targets['trajectory'])).all(axis=(1, 2))
    return known, found.groups[known]


def covariance_scales(drives: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Find by how much covariances must be scaled for 90 % of truths to lie in the 90 % ellipse.

    Args:
        drives: Of each, float64 (n, 12), squared Mahalanobis distances; all weigh alike.

    Returns:
        float64 (12,), the weighted quantile over that of the Gaussian.
    """
    pooled = np.concatenate(drives)
    weights = np.concatenate([np.full(len(drive), 1.0 / len(drive)) for drive in drives])
    order = np.argsort(pooled, axis=0)
    below = np.cumsum(weights[order], axis=0) / len(drives)
    index = (below < CONFIDENCE).sum(axis=0).clip(max=len(pooled) - 1)
    columns = np.arange(pooled.shape[1])
    return np.asarray(pooled[order[index, columns], columns] / _CHI2)


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


def _trajectory(found: Sequence[Predictions], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """Fit the covariance; each drive is also looked at with the scales of the others."""
    distances: dict[str, NDArray[np.float64]] = {}
    for part in found:
        distances |= squared_distances(part)
    if not distances:
        neutral = {'covariance_scales': [1.0] * len(STEPS_S), 'source': _NOT_FITTED}
        return {'times_s': STEPS_S.tolist(), **(earlier or neutral)}
    scales = covariance_scales(list(distances.values()))
    held_out = {}
    if len(distances) > 1:
        for name, drive in distances.items():
            others = [other for key, other in distances.items() if key != name]
            inside = drive <= _CHI2 * covariance_scales(others)
            held_out[name] = [round(float(share), 4) for share in inside.mean(axis=0)]
    return {
        'times_s': STEPS_S.tolist(),
        'covariance_scales': [round(float(scale), 4) for scale in np.clip(scales, 1e-4, 1e4)],
        'source': f'{CONFIDENCE:.0%} quantile over {", ".join(distances)}, weighted alike',
        'coverage_held_out': held_out,
    }


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
