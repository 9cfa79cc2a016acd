# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of held-out predictions: what is labelled, by kind, sensors and drive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.types.features import MODES, STEPS

if TYPE_CHECKING:
    from mm_fusion.training.predict import Predictions

pytestmark = pytest.mark.torch
CALIBRATION: dict[str, Any] = {
    'temperatures': dict.fromkeys(('friction', 'material', 'unevenness', 'siren', 'modes'), 1.0),
    'central_mode': {'share': 1.0},
    'offsets': {'friction': [0.0] * 6, 'material': [0.0] * 5, 'unevenness': [0.0] * 3},
    'siren_threshold': 0.5,
    'trajectory': {'covariance_scales': [4.0] * STEPS},
    'friction_coefficient_std_scale': 2.0,
}


def predictions(*arguments: Any, **options: Any) -> Predictions:
    from support.predicted import predictions as made

    return made(*arguments, **options)


def test_each_kind_says_only_what_is_labelled() -> None:
    from mm_fusion.training.scores import score

    friction = np.array([0, 1, 1, 0])
    logits = np.zeros((4, 6), np.float32)
    logits[np.arange(4), [0, 1, 1, 1]] = 5.0
    siren = np.array([[3.0], [2.0], [-1.0], [1.0]])
    found = {
        'photographs': {'all': predictions(4, {'friction': logits}, {'friction': friction})},
        'sounds': {'all': predictions(4, {'siren': siren}, {'siren': np.array([1, 1, 0, 0])})},
    }
    scores = score(found, CALIBRATION, ['police', 'police', 'wind', 'rain'], 'so and so')
    road = scores['road_state']
    assert set(road) == {'photographs', 'sounds'}
    assert set(road['photographs']['camera']) == {'samples', 'surface'}
    assert road['photographs']['camera']['surface']['friction']['accuracy'] == 0.75
    assert 'material' not in road['photographs']['camera']['surface']
    heard = road['sounds']['microphone']['siren']
    assert heard['false_positive_rate_by_sublabel'] == {'wind': 0.0, 'rain': 1.0}
    assert scores['trajectory'] == {}
    json.dumps(scores, allow_nan=False)


def test_paths_are_compared_with_the_roll_out_drive_by_drive() -> None:
    from mm_fusion.training.scores import TURNING, score

    # The roll-out is 4 m off everywhere; the most likely mode 1 m, another one hits.
    truth = np.zeros((6, STEPS, 2))
    truth[..., 1] = 4.0
    form = np.zeros((6, MODES, STEPS, 5), np.float32)
    form[:, 3, :, 1], form[:, 5, :, 1] = 3.0, 4.0
    modes = np.zeros((6, MODES), np.float32)
    modes[:, 3] = 2.0
    turns = np.array([True, False, False, False, False, False])
    part = predictions(
        6,
        {'trajectory': form, 'modes': modes},
        {'trajectory': truth, TURNING: turns},
        ['a', 'a', 'a', 'b', 'b', 'b'],
    )
    scores = score({'motion_bags': {'all': part}}, CALIBRATION, (), '')
    assert scores['road_state'] == {}
    drives = scores['trajectory']['drives']
    assert set(drives) == {'a', 'b'}
    assert drives['a']['all']['network']['ade_m'] == 1.0
    assert drives['a']['all']['network']['min_ade_m'] == 0.0
    assert drives['a']['all']['rollout']['ade_m'] == 4.0
    assert drives['a']['all']['ratio'] == {'ade_m': 0.25, 'min_ade_m': 0.0}
    assert drives['a']['all']['network']['inside_90'] == [1.0] * STEPS
    assert drives['a']['turning']['samples'] == 1
    assert drives['b']['turning'] == {'samples': 0}
    assert scores['trajectory']['mean']['all']['ade_m against roll-out'] == 0.25


def test_the_friction_coefficient_is_scored_with_its_deviation() -> None:
    from mm_fusion.training.scores import score

    output = np.stack([np.array([0.5, 0.5]), np.log([0.05, 0.05])], axis=1)
    truth = np.array([0.6, 0.8])
    part = predictions(2, {'friction_coefficient': output}, {'friction_coefficient': truth})
    scores = score({'bags': {'camera+motion': part, 'all': part}}, CALIBRATION, (), '')
    for sensors in ('camera+motion', 'all'):
        found = scores['road_state']['bags'][sensors]['friction_coefficient']
        assert found == {'examples': 2, 'mean_absolute_error': 0.2, 'inside_90': 0.5}
