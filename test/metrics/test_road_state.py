# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The road state's scores, as they go into a manifest."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mm_fusion.metrics.road_state import score_siren, score_surface
from mm_fusion.types.predictions import FRICTION_CLASSES


def surface(friction: list[str], predicted: list[str]) -> dict[str, object]:
    n = len(friction)
    posterior = np.full((n, 6), 0.05)
    for row, name in enumerate(predicted):
        posterior[row, FRICTION_CLASSES.index(name)] = 0.75
    targets = [FRICTION_CLASSES.index(name) if name else -1 for name in friction]
    return score_surface(
        {
            'friction': posterior,
            'material': np.full((n, 5), 0.2),
            'unevenness': np.full((n, 3), 1 / 3),
        },
        {
            'friction': np.array(targets),
            'material': np.full(n, -1),
            'unevenness': np.full(n, -1),
        },
    )


def test_groups_of_friction_forgive_confusions_inside_a_group() -> None:
    truth = ['dry', 'wet', 'water', 'fresh_snow', 'melted_snow']
    scores = surface(truth, ['dry', 'water', 'wet', 'melted_snow', 'fresh_snow'])
    assert scores['friction']['accuracy'] == 0.2  # type: ignore[index]
    assert scores['friction_3']['accuracy'] == 1.0  # type: ignore[index]
    assert scores['friction_3']['confusion_matrix'] == [[1, 0, 0], [0, 2, 0], [0, 0, 2]]  # type: ignore[index]


def test_ice_and_empty_labels_are_left_out_of_the_groups() -> None:
    scores = surface(['dry', 'ice', ''], ['dry', 'ice', 'wet'])
    assert scores['friction']['examples'] == 2  # type: ignore[index]
    assert scores['friction_3']['examples'] == 1  # type: ignore[index]
    assert scores['friction_5']['examples'] == 1  # type: ignore[index]


def test_a_posterior_of_ice_alone_still_scores_a_group() -> None:
    posterior = np.zeros((1, 6))
    posterior[0, FRICTION_CLASSES.index('ice')] = 1.0
    scores = score_surface(
        {'friction': posterior, 'material': np.zeros((1, 5)), 'unevenness': np.zeros((1, 3))},
        {'friction': np.array([1]), 'material': np.array([-1]), 'unevenness': np.array([-1])},
    )
    assert scores['friction_3']['accuracy'] == 0.0


def test_what_has_no_examples_is_none_and_json_takes_it() -> None:
    scores = surface(['dry'], ['dry'])
    assert scores['material']['uar'] is None  # type: ignore[index]
    assert 'NaN' not in json.dumps(scores)


def test_siren_scores_at_the_threshold() -> None:
    scores = score_siren(
        np.array([1, 1, 0, 0]), np.array([0.9, 0.6, 0.7, 0.1]), ['a', 'a', 'wind', 'rain'], 0.65
    )
    assert scores['roc_auc'] == pytest.approx(0.75)
    assert scores['true_positive_rate'] == 0.5
    assert scores['false_positive_rate'] == 0.5
    assert scores['false_positive_rate_by_sublabel'] == {'rain': 0.0, 'wind': 1.0}
