# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of held-out predictions, ready for ``metrics.json``, manifest and model card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.metrics.road_state import score_siren, score_surface
from mm_fusion.metrics.trajectory import CONFIDENCE, score_paths
from mm_fusion.training.calibration import siren_cases, softmax
from mm_fusion.training.path_calibration import likely_paths, trusting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.metrics.trajectory import TrajectorySums
    from mm_fusion.training.predict import Predictions

_NORMAL_90 = 1.6448536
_ONLY = {'photographs': 'camera', 'sounds': 'microphone'}
"""What there is alone in some kinds of data."""
TURNING = 'turning'
"""Key of the targets that tells which driven paths turn."""


def score(
    found: Mapping[str, Mapping[str, Predictions]],
    calibration: Mapping[str, Any],
    sublabels: Sequence[str],
    protocol: str,
) -> dict[str, Any]:
    """Score held-out predictions.

    Args:
        found: By kind of data (``photographs``, ``sounds``, ``bags``, ``motion_bags``) and name
            of the subset of modalities.
        calibration: From ``calibrate``.
        sublabels: Of each window of a clip by its index, what is heard.
        protocol: How the samples were held out, in words.

    Returns:
        ``protocol``; ``road_state``: by kind and subset, tables of the surface tasks, the siren
        and the friction coefficient; ``trajectory``: by drive, network against roll-out.
    """
    road: dict[str, Any] = {}
    for kind, subsets in found.items():
        for name, part in subsets.items():
            scores = _road_scores(part, calibration, sublabels if kind == 'sounds' else ())
            if scores:
                sensors = _ONLY.get(kind, name)
                road.setdefault(kind, {})[sensors] = {'samples': len(part), **scores}
    share = calibration['central_mode']['share']
    drives = [
        trusting(subsets['all'], share) for kind, subsets in found.items() if kind.endswith('bags')
    ]
    return {
        'protocol': protocol,
        'road_state': road,
        'trajectory': score_drives(drives, calibration['trajectory']['covariance_scales']),
    }


def _road_scores(
    part: Predictions, calibration: Mapping[str, Any], sublabels: Sequence[str]
) -> dict[str, Any]:
    """Score what of the road state is labelled in a part; nothing else is named."""
    temperatures = calibration['temperatures']
    scores: dict[str, Any] = {}
    targets = {task: np.asarray(part.targets[task], np.int64) for task in SURFACE_CLASSES}
    if any((values != UNLABELLED).any() for values in targets.values()):
        posteriors = {
            task: softmax(
                part.outputs[task].astype(np.float64) + np.array(calibration['offsets'][task]),
                temperatures[task],
            )
            for task in SURFACE_CLASSES
        }
        scores['surface'] = {
            name: table
            for name, table in score_surface(posteriors, targets).items()
            if table['examples']
        }
    probabilities, siren, first = siren_cases([part], temperatures['siren'])
    if len(siren):
        known = part.indices[np.asarray(part.targets['siren']) != UNLABELLED][first]
        names = [sublabels[index] for index in known] if sublabels else ['all'] * len(siren)
        scores['siren'] = score_siren(siren, probabilities, names, calibration['siren_threshold'])
    truth = np.asarray(part.targets['friction_coefficient'], np.float64)
    known = np.isfinite(truth)
    if known.any():
        mean, log_std = part.outputs['friction_coefficient'][known].astype(np.float64).T
        errors = np.abs(truth[known] - mean)
        reach = _NORMAL_90 * np.exp(log_std) * calibration['friction_coefficient_std_scale']
        scores['friction_coefficient'] = {
            'examples': int(known.sum()),
            'mean_absolute_error': round(float(errors.mean()), 4),
            'inside_90': round(float((errors <= reach).mean()), 4),
        }
    return scores


def score_drives(drives: Sequence[Predictions], scales: Sequence[float]) -> dict[str, Any]:
    """Score predicted paths against the roll-out that they correct, on the same samples.

    Distances do not depend on the frame, so that residuals are compared with residuals, and
    those of the roll-out itself are zero.

    Args:
        drives: Predictions on recordings.
        scales: Factors on the covariance at each step.

    Returns:
        ``drives``: by drive, ``all`` and ``turning`` samples: figures at 6 s of ``network`` and
        ``rollout``, and their ``ratio``; ``mean``: of the ratios over drives; empty without any.
    """
    tables: dict[str, Any] = {}
    for part in drives:
        paths, truth, covariances = likely_paths(part)
        known = np.isfinite(np.asarray(part.targets['trajectory'])).all(axis=(1, 2))
        names, turns = part.groups[known], np.asarray(part.targets[TURNING], np.bool_)[known]
        covariances = covariances * np.asarray(scales)[:, None, None]
        for name in dict.fromkeys(names.tolist()):
            own = names == name
            tables[name] = {
                'all': _compare(paths[own], truth[own], covariances[own]),
                'turning': _compare(
                    paths[own & turns], truth[own & turns], covariances[own & turns]
                ),
            }
    if not tables:
        return {}
    return {'drives': tables, 'mean': {key: _mean(tables, key) for key in ('all', 'turning')}}


def _compare(
    paths: NDArray[np.float64], truth: NDArray[np.float64], covariances: NDArray[np.float64]
) -> dict[str, Any]:
    if not len(truth):
        return {'samples': 0}
    network = _figures(score_paths(paths, truth, covariances))
    rollout = _figures(score_paths(np.zeros_like(truth)[:, None], truth))
    base = rollout['ade_m']
    return {
        'samples': len(truth),
        'network': network,
        'rollout': rollout,
        'ratio': {
            name: round(network[name] / base, 4) if base else None
            for name in ('ade_m', 'min_ade_m')
        },
    }


def _figures(sums: TrajectorySums) -> dict[str, Any]:
    """Give the figures over all 6 s."""
    ade, fde, best, missed = sums.ade_m, sums.fde_m, sums.best_ade_m, sums.miss_rate
    if ade is None or fde is None or best is None or missed is None:
        return {}
    figures: dict[str, Any] = {
        'ade_m': round(float(ade[-1]), 4),
        'fde_m': round(float(fde[-1]), 4),
        'min_ade_m': round(float(best[-1]), 4),
        'miss_rate': round(float(missed[-1]), 4),
    }
    if sums.coverage is not None:
        inside = [round(float(share), 4) for share in sums.coverage]
        figures[f'inside_{CONFIDENCE:.0%}'.rstrip('%')] = inside
    return figures


def _mean(tables: Mapping[str, Any], key: str) -> dict[str, Any]:
    ratios = [drive[key]['ratio'] for drive in tables.values() if drive[key]['samples']]
    return {
        f'{name} against roll-out': round(float(np.mean(values)), 4)
        for name in ('ade_m', 'min_ade_m')
        if (values := [ratio[name] for ratio in ratios if ratio[name] is not None])
    }
