# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The manifest of a trained bundle: classes, calibration and held-out scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from mm_fusion import __version__
from mm_fusion.errors import DatasetError
from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.metrics.classification import threshold_at_false_positive_rate
from mm_fusion.metrics.road_state import score_siren, score_surface
from mm_fusion.models.encoders.sound import SAMPLE_RATE_HZ
from mm_fusion.training.calibration import fit_temperature, sigmoid, softmax
from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.labels import RoadLabels, SoundLabels
    from mm_fusion.training.validation import HeldOut


def build_manifest(
    held_out: HeldOut,
    roads: RoadLabels,
    sounds: SoundLabels,
    trajectory: Mapping[str, Any],
    *,
    name: str,
    folds: int,
    siren_false_positive_rate: float,
    friction_coefficients: Path,
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """Calibrate and score the held-out predictions, and describe the bundle.

    Args:
        held_out: Of every labelled example, once.
        roads: Labels of the photographs.
        sounds: Labels of the clips.
        trajectory: Covariance scales of predicted paths, taken over as they are.
        name: Of the bundle.
        folds: Of the cross-validation, for its description.
        siren_false_positive_rate: What the siren threshold is chosen for.
        friction_coefficients: Table by friction class, YAML.
        training: How it was trained, taken over as it is.
    """
    targets = {task: roads.targets[task][held_out.photographs] for task in SURFACE_CLASSES}
    temperatures = {
        task: _surface_temperature(held_out, task, targets[task]) for task in SURFACE_CLASSES
    }
    heard = sounds.siren[held_out.clips]
    temperatures['siren'] = fit_temperature(
        np.concatenate([held_out.siren_alone, held_out.siren_both])[:, None],
        np.concatenate([heard, heard]),
    )
    clips = np.unique(held_out.clips)
    siren = {
        key: clip_scores(held_out.clips, sigmoid(logits, temperatures['siren']))
        for key, logits in (('alone', held_out.siren_alone), ('both', held_out.siren_both))
    }
    threshold = round(
        threshold_at_false_positive_rate(
            sounds.siren[clips], siren['alone'], siren_false_positive_rate
        ),
        6,
    )
    sublabels = [sounds.sublabels[i] for i in clips]
    metrics = {
        'protocol': (
            f'{folds}-fold cross-validation. Photographs are split by groups of near-duplicates, '
            'clips by recording. Temperatures and the siren threshold are fitted on the same '
            'held-out predictions. A clip scores the mean over its windows. "both": a held-out '
            'partner, drawn at random, stands in for the other sensor.'
        ),
        'camera_alone': score_surface(
            {t: softmax(held_out.surface_alone[t], temperatures[t]) for t in targets}, targets
        ),
        'microphone_alone': score_siren(sounds.siren[clips], siren['alone'], sublabels, threshold),
        'both': {
            **score_surface(
                {t: softmax(held_out.surface_both[t], temperatures[t]) for t in targets}, targets
            ),
            'siren': score_siren(sounds.siren[clips], siren['both'], sublabels, threshold),
        },
    }
    return {
        'schema': 1,
        'name': name,
        'version': __version__,
        'audio_sample_rate_hz': SAMPLE_RATE_HZ,
        'classes': {task: list(classes) for task, classes in SURFACE_CLASSES.items()},
        'calibration': {
            'temperatures': {task: round(value, 6) for task, value in temperatures.items()},
            'siren_threshold': threshold,
            'trajectory': dict(trajectory),
        },
        'friction_coefficients': read_friction_coefficients(friction_coefficients),
        'training': dict(training),
        'metrics': metrics,
    }


def clip_scores(
    owners: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average the windows of each clip, in the order of ``numpy.unique(owners)``."""
    _, inverse = np.unique(owners, return_inverse=True)
    return np.asarray(np.bincount(inverse, weights=probabilities) / np.bincount(inverse))


def read_friction_coefficients(path: Path) -> dict[str, Any]:
    """Read the table of friction coefficients.

    Raises:
        DatasetError: It cannot be read, or lacks a class.
    """
    try:
        table = yaml.safe_load(path.read_text(encoding='utf-8'))
        classes = {
            name: {key: float(table['classes'][name][key]) for key in ('mean', 'std')}
            for name in FRICTION_CLASSES
        }
        return {'source': str(table['source']).strip(), 'classes': classes}
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f'{path}: cannot be read as a table of friction coefficients: {error!r}'
        ) from error


def _surface_temperature(held_out: HeldOut, task: str, targets: NDArray[np.int64]) -> float:
    known = targets != UNLABELLED
    logits = (held_out.surface_alone[task][known], held_out.surface_both[task][known])
    return fit_temperature(np.concatenate(logits), np.concatenate([targets[known]] * 2))
