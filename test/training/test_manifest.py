# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run leaves becomes the manifest and the weights of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.types.predictions import FRICTION_CLASSES
from support.finished import FRICTION_TABLE, write_run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch


def test_the_shipped_table_of_friction_is_complete_and_ordered() -> None:
    from mm_fusion.training.manifest import read_friction_coefficients

    table = read_friction_coefficients(FRICTION_TABLE)
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


def test_a_run_and_its_folds_say_all_that_a_bundle_needs(tmp_path: Path) -> None:
    from mm_fusion.training.manifest import read_run

    write_run(tmp_path, ('photographs', 'bags'))
    finished = read_run(tmp_path, 'mine', FRICTION_TABLE)
    assert finished.manifest['name'] == 'mine'
    assert finished.manifest['surface_from'] == ['camera', 'microphone']
    assert finished.manifest['training']['epochs'] == 2
    fold = read_run(tmp_path / 'fold0', 'mine', FRICTION_TABLE)
    assert fold.manifest['calibration'] == finished.manifest['calibration']
    write_run(tmp_path, ('photographs', 'motion_bags'))
    assert read_run(tmp_path, 'mine', FRICTION_TABLE).manifest['surface_from'] == ['camera']


def test_the_weights_of_a_bundle_are_those_of_the_network(tmp_path: Path) -> None:
    from mm_fusion.training.checkpoint import AVERAGE, parse_checkpoint
    from mm_fusion.training.manifest import read_run

    write_run(tmp_path, ('photographs',))
    finished = read_run(tmp_path, 'mine', FRICTION_TABLE)
    tensors, meta = parse_checkpoint(finished.weights, 'weights')
    assert meta['network'] == finished.network.config.to_dict()
    state = finished.network.state_dict()
    assert set(tensors) == {AVERAGE + name for name in state}
    for name, value in state.items():
        found = tensors[AVERAGE + name]
        assert found.element_size() == (2 if value.ndim > 1 else value.element_size())
        assert found.float().numpy() == pytest.approx(value.float().numpy(), rel=1e-3, abs=1e-6)


def test_a_run_that_has_not_ended_is_refused(tmp_path: Path) -> None:
    from mm_fusion.training.manifest import read_run

    with pytest.raises(DatasetError, match=r'best\.safetensors: cannot be read'):
        read_run(tmp_path, 'mine', FRICTION_TABLE)
    write_run(tmp_path, ('photographs',))
    (tmp_path / 'metrics.json').unlink()
    with pytest.raises(DatasetError, match=r'metrics\.json: cannot be read: .*has ended'):
        read_run(tmp_path, 'mine', FRICTION_TABLE)
