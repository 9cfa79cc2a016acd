# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration and scores go from held-out predictions into the manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.types.predictions import FRICTION_CLASSES

pytestmark = pytest.mark.torch
TABLE = Path(__file__).parents[2] / 'config' / 'friction_coefficients.yaml'


def test_the_shipped_table_of_friction_is_complete_and_ordered() -> None:
    from mm_fusion.training.manifest import read_friction_coefficients

    table = read_friction_coefficients(TABLE)
    means = [table['classes'][name]['mean'] for name in FRICTION_CLASSES]
    assert all(0 < mean <= 1 for mean in means)
    assert means[0] == max(means)
    assert means[-1] == min(means)
    assert 'Bosch' in table['source']


@pytest.mark.parametrize(
    'text', ['', 'classes: {dry: {mean: 1, std: 0}}\nsource: x', 'classes: [', 'a: b']
)
def test_a_table_that_lacks_a_class_is_refused(tmp_path: Path, text: str) -> None:
    from mm_fusion.training.manifest import read_friction_coefficients

    path = tmp_path / 'table.yaml'
    path.write_text(text)
    with pytest.raises(DatasetError, match=r'table\.yaml'):
        read_friction_coefficients(path)


def test_clips_score_the_mean_of_their_windows() -> None:
    from mm_fusion.training.manifest import clip_scores

    found = clip_scores(np.array([7, 2, 7, 9]), np.array([0.2, 0.5, 0.6, 1.0]))
    assert found == pytest.approx([0.5, 0.4, 1.0])


def test_the_threshold_keeps_the_false_positive_rate() -> None:
    from mm_fusion.labels import RoadLabels, SoundLabels
    from mm_fusion.training.manifest import build_manifest
    from mm_fusion.training.validation import HeldOut

    random = np.random.default_rng(0)
    siren = np.repeat([0, 1], 100)
    logits = random.normal(0, 1, 200) + 3.0 * siren
    surface = {
        task: random.normal(0, 1, (4, size))
        for task, size in (('friction', 6), ('material', 5), ('unevenness', 3))
    }
    order = random.permutation(200)
    manifest = build_manifest(
        HeldOut(np.arange(4), surface, surface, order, logits[order], logits[order]),
        RoadLabels(Path(), ('a',) * 4, {task: np.array([0, 1, 2, -1]) for task in surface}),
        SoundLabels(Path(), ('a',) * 200, siren, ('x',) * 200, ('g',) * 200),
        {'source': 'made by the test'},
        name='tiny',
        folds=2,
        siren_false_positive_rate=0.05,
        friction_coefficients=TABLE,
        training={},
    )
    scores = manifest['metrics']['microphone_alone']
    assert manifest['calibration']['trajectory'] == {'source': 'made by the test'}
    assert scores['false_positive_rate'] == 0.05
    assert scores['true_positive_rate'] > 0.8
    assert manifest['calibration']['siren_threshold'] == scores['threshold']
    assert manifest['metrics']['camera_alone']['friction']['examples'] == 3
