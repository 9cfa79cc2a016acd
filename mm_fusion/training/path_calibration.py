# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration of the path on held-out drives: trust in mode 0, width of the Gaussians."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.metrics.trajectory import CONFIDENCE, STEPS_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.training.predict import Predictions

SHARES = np.linspace(0.0, 1.0, 21)
_CHI2 = -2.0 * float(np.log1p(-CONFIDENCE))
"""Squared Mahalanobis distance that a share of a two-dimensional Gaussian lies within."""
_TINY_M = 1e-6
_NOT_FITTED = 'not fitted'


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


def fit_covariance(
    found: Sequence[Predictions], earlier: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Scale the covariance at each step; each drive is also looked at with the others' scales.

    Args:
        found: Held-out predictions.
        earlier: Kept where these know no path; None: scales of 1.

    Returns:
        ``times_s``, ``covariance_scales``, ``source``; and ``coverage_held_out``, by drive the
        share of truths in the ellipse of ``CONFIDENCE`` at each step.
    """
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
