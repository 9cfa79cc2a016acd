# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The shipped bundle: sound, small enough, and better than the published baselines."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.evaluation.labelled import score_roads, score_sounds
from mm_fusion.runtime import Backend, Bundle, create_backend
from mm_fusion.settings import InferenceSettings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_BYTES = 25 * 1024**2
SETTINGS = InferenceSettings(threads=1)


@pytest.fixture(scope='module')
def bundle() -> Bundle:
    return Bundle.load('base')


@pytest.fixture(scope='module')
def backend(bundle: Bundle) -> Backend:
    return create_backend(bundle, SETTINGS)


@pytest.fixture(scope='module')
def document(bundle: Bundle) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((bundle.path / 'manifest.json').read_text('utf-8'))
    return parsed


def fuse(backend: Backend, present: tuple[int, int, int]) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(0)
    image = backend.run(
        'image_encoder', {'image': random.integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)}
    )
    audio = backend.run('audio_encoder', {'audio': np.zeros((1, 48_000), np.float32)})
    return backend.run(
        'fusion',
        {
            'image_embedding': image['image_embedding'] * np.float32(present[0]),
            'audio_embedding': audio['audio_embedding'] * np.float32(present[1]),
            'presence': np.array([present], np.float32),
            'age_s': np.zeros((1, 3), np.float32),
        },
    )


def test_it_fits_into_the_repository(bundle: Bundle) -> None:
    assert sum(path.stat().st_size for path in bundle.path.iterdir()) <= MAX_BYTES


def test_held_out_scores_beat_the_baselines(document: dict[str, Any]) -> None:
    metrics = document['metrics']
    assert metrics['camera_alone']['friction_3']['uar'] >= 0.863
    assert metrics['camera_alone']['friction_5']['uar'] >= 0.696
    assert metrics['camera_alone']['material']['uar'] >= 0.66
    assert metrics['microphone_alone']['roc_auc'] >= 0.979
    assert metrics['both']['siren']['roc_auc'] >= 0.979


def test_the_model_card_names_data_and_licences(bundle: Bundle, document: dict[str, Any]) -> None:
    card = (bundle.path / document['model_card']).read_text('utf-8')
    for part in document['training']['data']:
        assert part['name'] in card
        assert part['licence'] in card
    for section in ('Intended use', 'Limits', 'Reproduce'):
        assert f'## {section}' in card


@pytest.mark.parametrize('present', [(1, 1, 0), (1, 0, 0), (0, 1, 0), (0, 0, 0)])
def test_weights_share_out_what_is_present(
    backend: Backend, present: tuple[int, int, int]
) -> None:
    weights = fuse(backend, present)['modality_weights'][0]
    assert weights.sum() == pytest.approx(float(any(present)), abs=1e-6)
    assert (weights[np.array(present) == 0] == 0).all()


def test_each_sensor_speaks_only_to_what_it_knows(backend: Backend) -> None:
    camera, microphone = fuse(backend, (1, 0, 0)), fuse(backend, (0, 1, 0))
    assert not camera['siren_logit'].any()
    for task in ('friction_logits', 'material_logits', 'unevenness_logits'):
        assert camera[task].any()
        assert not microphone[task].any()


def test_silence_is_no_siren(backend: Backend) -> None:
    assert fuse(backend, (0, 1, 0))['siren_logit'][0, 0] < -1.0


def subset(source: Path, target: Path, step: int) -> Path:
    """Name every ``step``-th file of a labelled folder in a table of its own."""
    target.mkdir()
    with (source / 'labels.csv').open(encoding='utf-8', newline='') as stream:
        header, *rows = csv.reader(stream)
    with (target / 'labels.csv').open('w', encoding='utf-8', newline='') as stream:
        csv.writer(stream).writerows([header, *rows[::step]])
    for row in rows[::step]:
        (target / row[0]).parent.mkdir(exist_ok=True)
        (target / row[0]).symlink_to(source / row[0])
    return target


@pytest.mark.realdata
def test_the_graphs_are_those_that_were_trained(real_data: Path, tmp_path: Path) -> None:
    roads = score_roads(
        subset(real_data / 'roads', tmp_path / 'roads', 20), 'base', SETTINGS, lambda *_: None
    )
    assert roads.used == 99
    assert roads.scores['friction_3']['uar'] > 0.9
    sounds = score_sounds(
        subset(real_data / 'sounds', tmp_path / 'sounds', 20), 'base', SETTINGS, lambda *_: None
    )
    assert sounds.used == 58
    assert sounds.scores['roc_auc'] > 0.98
