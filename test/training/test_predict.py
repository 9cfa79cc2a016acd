# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Predictions of subsets see only their modalities, and survive a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.training.predict import Predictions

pytestmark = pytest.mark.torch


def predicted(modalities: tuple[str, ...], chosen: tuple[int, ...]) -> dict[str, Predictions]:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.predict import SUBSETS, predict
    from support.learning import NETWORK, TinySource

    torch.manual_seed(0)
    network = build_network(NETWORK, pretrained=False)
    return predict(network, TinySource(36, modalities), np.array(chosen), SUBSETS)


def test_a_subset_predicts_what_sensors_without_the_rest_predict() -> None:
    chosen = tuple(range(1, 36))  # more than one batch
    everything = predicted(('camera', 'microphone', 'motion'), chosen)
    assert len(everything) == 8
    for subset in (('camera',), ('microphone', 'motion')):
        hidden, absent = everything['+'.join(subset)], predicted(subset, chosen)['all']
        assert (hidden.presence == absent.presence).all()
        assert hidden.indices.tolist() == list(chosen)
        for name, value in absent.outputs.items():
            assert hidden.outputs[name] == pytest.approx(value, abs=1e-5), name
    same = everything['camera+microphone+motion']
    assert (same.outputs['friction'] == everything['all'].outputs['friction']).all()


def test_a_sample_counts_only_where_it_has_all_of_a_subset() -> None:
    found = predicted(('camera', 'motion'), (3, 4))
    assert set(found) == {'all', 'camera', 'motion', 'camera+motion'}
    assert found['all'].owners.tolist() == [1, 2]
    assert found['all'].groups.tolist() == ['tiny 0', 'tiny 0']


def test_predictions_come_back_from_a_file(tmp_path: Path) -> None:
    from mm_fusion.training.predict import load_predictions, save_predictions

    made = {'bags': predicted(('camera', 'motion'), (3, 4))}
    save_predictions(tmp_path / 'a.npz', made)
    found = load_predictions(tmp_path / 'a.npz')
    assert set(found['bags']) == set(made['bags'])
    for subset, part in made['bags'].items():
        again = found['bags'][subset]
        for name, value in part.outputs.items():
            assert (again.outputs[name] == value).all()
        for name, target in part.targets.items():
            assert np.array_equal(again.targets[name], target, equal_nan=True)
        assert (again.groups == part.groups).all()
        assert (again.owners == part.owners).all()
    (tmp_path / 'b.npz').write_bytes(b'no archive')
    with pytest.raises(DatasetError, match=r'b\.npz: cannot be read'):
        load_predictions(tmp_path / 'b.npz')
