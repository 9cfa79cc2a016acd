# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole training on tiny folders: it gives a bundle, and resumes to the same one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from support.labelled import write_roads, write_sounds

if TYPE_CHECKING:
    from mm_fusion.training.recipe import Recipe, Trained

pytestmark = pytest.mark.torch
FRICTION_TABLE = Path(__file__).parents[2] / 'config' / 'friction_coefficients.yaml'


def tiny_recipe(seed: int = 0) -> Recipe:
    from mm_fusion.training.recipe import Recipe

    return Recipe(
        seed=seed, folds=2, road_epochs=2, sound_epochs=1, gate_epochs=1, views=2, width=0.25
    )


class StopHereError(Exception):
    """Stands for a run that was killed."""


def run(folder: Path, work: Path, recipe: Recipe, stop_at: str = '') -> Trained:
    from mm_fusion.training.recipe import train_networks

    def progress(job: str, done: int, total: int) -> None:
        assert 0 < done <= total
        if job == stop_at:
            raise StopHereError

    return train_networks(
        folder / 'roads',
        folder / 'sounds',
        {'times_s': [0.5, 1.0], 'covariance_scales': [1.0, 2.0], 'source': 'made by the test'},
        work,
        recipe,
        name='tiny',
        threads=1,
        friction_coefficients=FRICTION_TABLE,
        sources={'roads': [{'name': 'made by the test', 'licence': 'CC0'}]},
        limits=['Colours are no roads.'],
        command='mm_fusion train',
        progress=progress,
    )


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('labelled')
    write_roads(path / 'roads', 4)
    write_sounds(path / 'sounds', 4)
    return path


@pytest.fixture(scope='module')
def trained(folder: Path) -> Trained:
    return run(folder, folder / 'whole', tiny_recipe())


def test_the_bundle_loads_and_judges(trained: Trained, tmp_path: Path) -> None:
    from mm_fusion.export.bundle import write_bundle
    from mm_fusion.export.graphs import export_stages
    from mm_fusion.runtime import Bundle, create_backend
    from mm_fusion.settings import InferenceSettings

    networks = trained.networks
    graphs = export_stages(networks.road.encoder, networks.sound.encoder, networks.fusion)
    again = export_stages(networks.road.encoder, networks.sound.encoder, networks.fusion)
    for name, graph in graphs.items():
        assert graph.content == again[name].content, name
        assert str(Path.cwd()).encode() not in graph.content
    manifest = write_bundle(tmp_path / 'tiny', graphs, trained.manifest)
    bundle = Bundle.load(tmp_path / 'tiny')
    backend = create_backend(bundle, InferenceSettings())
    for name, graph in graphs.items():
        for case in graph.cases:
            found = backend.run(name, case.inputs)
            for output, expected in case.outputs.items():
                assert found[output] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    card = (tmp_path / 'tiny' / manifest['model_card']).read_text(encoding='utf-8')
    assert 'made by the test' in card
    assert '- Colours are no roads.\n' in card
    assert manifest['stages']['fusion']['sha256'] == bundle.manifest.stages['fusion'].sha256


def test_every_labelled_example_is_scored_once(trained: Trained) -> None:
    metrics = trained.manifest['metrics']
    assert metrics['camera_alone']['friction']['examples'] == 12
    assert metrics['camera_alone']['material']['examples'] == 8
    assert metrics['microphone_alone']['examples'] == 8
    assert metrics['both']['siren']['examples'] == 8
    json.dumps(trained.manifest, allow_nan=False)


def test_the_data_is_named(trained: Trained) -> None:
    roads, sounds = trained.manifest['training']['data']
    assert roads['licence'] == 'CC0'
    assert sounds['licence'] == 'not stated'
    assert roads['files'] == 12
    assert trained.manifest['calibration']['trajectory']['source'] == 'made by the test'


@pytest.mark.parametrize('stop_at', ['fold 2 of 2: photographs', 'final: gates'])
def test_a_stopped_run_resumes_to_the_same_result(
    folder: Path, trained: Trained, tmp_path: Path, stop_at: str
) -> None:
    with pytest.raises(StopHereError):
        run(folder, tmp_path, tiny_recipe(), stop_at)
    resumed = run(folder, tmp_path, tiny_recipe())
    assert resumed.manifest == trained.manifest
    for part in ('road', 'sound', 'fusion'):
        expected = getattr(trained.networks, part).state_dict()
        for name, value in getattr(resumed.networks, part).state_dict().items():
            assert np.array_equal(value.numpy(), expected[name].numpy()), name


def test_checkpoints_of_another_training_are_refused(folder: Path, trained: Trained) -> None:
    assert trained.manifest['name'] == 'tiny'
    with pytest.raises(DatasetError, match='checkpoints of another training'):
        run(folder, folder / 'whole', tiny_recipe(seed=1))


def test_a_photograph_that_cannot_be_read_stops_the_training(tmp_path: Path) -> None:
    write_roads(tmp_path / 'roads', 2)
    write_sounds(tmp_path / 'sounds', 2)
    (tmp_path / 'roads' / 'images' / '3.jpg').write_bytes(b'\xff\xd8\xff broken')
    with pytest.raises(DatasetError, match=r'3\.jpg: .*(cannot be decoded|no size)'):
        run(tmp_path, tmp_path / 'work', tiny_recipe())
    (tmp_path / 'roads' / 'images' / '3.jpg').unlink()
    with pytest.raises(DatasetError, match=r'3\.jpg: No such file'):
        run(tmp_path, tmp_path / 'work', tiny_recipe())
