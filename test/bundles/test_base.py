# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The shipped bundle: sound, small enough, and better than the published baselines."""

from __future__ import annotations

import csv
import itertools
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

MAX_BYTES = 25_000_000
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
    driving = np.tile(np.array([8.0, 0.05, 0.2], np.float32), (1, 40, 1))
    inputs: dict[str, NDArray[Any]] = {
        'image': random.integers(0, 256, (1, 224, 224, 3), dtype=np.uint8),
        'audio': np.zeros((1, 48_000), np.float32),
        'motion': driving,
    }
    embeddings = {}
    for (name, values), there in zip(inputs.items(), present, strict=True):
        outputs = backend.run(f'{name}_encoder', {name: values})
        embeddings[f'{name}_embedding'] = outputs[f'{name}_embedding'] * np.float32(there)
    ages = np.zeros((1, 3), np.float32)
    presence = np.array([present], np.float32)
    return backend.run('fusion', {**embeddings, 'presence': presence, 'age_s': ages})


def test_it_fits_into_the_repository(bundle: Bundle) -> None:
    assert sum(path.stat().st_size for path in bundle.path.iterdir()) <= MAX_BYTES


def test_the_gate_has_measured_its_precisions_on_these_graphs(bundle: Bundle) -> None:
    precisions = bundle.manifest.precisions
    for name in ('fp16', 'int8', 'int8_cpu'):
        assert precisions[name].accepted, precisions[name].why
        assert set(bundle.graphs_at(name)) == set(bundle.graphs)


def test_held_out_scores_beat_the_baselines(document: dict[str, Any]) -> None:
    road = document['metrics']['road_state']
    surface = road['photographs']['camera']['surface']
    assert surface['friction_3']['uar'] >= 0.92
    assert surface['friction_5']['uar'] >= 0.80
    assert surface['material']['uar'] >= 0.75
    assert surface['friction']['ece'] <= 0.05
    siren = road['sounds']['microphone']['siren']
    assert siren['roc_auc'] >= 0.99
    assert siren['true_positive_rate'] >= 0.93
    assert siren['false_positive_rate'] <= 0.02


def test_the_model_card_names_data_and_licences(bundle: Bundle, document: dict[str, Any]) -> None:
    card = (bundle.path / document['model_card']).read_text('utf-8')
    for part in document['training']['data']:
        assert part['name'] in card
    for sources in document['training']['sources'].values():
        for source in sources:
            assert source['name'] in card
            assert source['licence'] in card
    for section in ('Intended use', 'Limits', 'Reproduce'):
        assert f'## {section}' in card


SUBSETS = list(itertools.product((0, 1), repeat=3))


@pytest.mark.parametrize('present', SUBSETS)
def test_weights_share_out_what_is_present(
    backend: Backend, present: tuple[int, int, int]
) -> None:
    outputs = fuse(backend, present)
    assert all(np.isfinite(values).all() for values in outputs.values())
    weights = outputs['modality_weights'][0]
    assert weights.sum() == pytest.approx(float(any(present)), abs=1e-6)
    assert (weights[np.array(present) == 0] == 0).all()


@pytest.mark.parametrize('task', ['friction_logits', 'material_logits', 'unevenness_logits'])
def test_camera_and_sound_speak_to_the_road(backend: Backend, task: str) -> None:
    nothing = fuse(backend, (0, 0, 0))[task]
    assert not np.allclose(fuse(backend, (1, 0, 0))[task], nothing)
    assert not np.allclose(fuse(backend, (0, 1, 0))[task], nothing)


def test_the_modes_are_several_paths(backend: Backend) -> None:
    ends = fuse(backend, (0, 0, 1))['trajectory'][0, :, -1, :2]
    apart = np.linalg.norm(ends[:, None] - ends, axis=-1)
    assert (apart[~np.eye(len(ends), dtype=bool)] > 0.5).all()
    assert (np.abs(ends) < 100.0).all()


def test_no_mode_is_more_likely_than_the_central_one(backend: Backend) -> None:
    logits = fuse(backend, (1, 1, 1))['mode_logits'][0]
    assert logits.argmax() == 0
    assert (logits[1:] < logits[0]).any()


def test_training_can_go_on_from_it(bundle: Bundle) -> None:
    assert len(bundle.weights()) > 1_000_000


def test_silence_is_no_siren(backend: Backend) -> None:
    assert fuse(backend, (0, 1, 0))['siren_logit'][0, 0] < 0.0


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
