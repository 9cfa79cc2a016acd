# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples put together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.training.data.sample import Sample, Targets, answerable

pytestmark = pytest.mark.torch


def photograph(size: int = 4, friction: int = -1) -> Sample:
    image = np.full((size, size, 3), 9, np.uint8)
    return Sample(image=image, audio=None, motion=None, targets=Targets(friction))


def sound(siren: int) -> Sample:
    ages = np.array([0, 0.2, 0], np.float32)
    return Sample(None, np.full(8, 0.5, np.float32), None, ages, Targets(siren=siren))


def drive() -> Sample:
    path = np.ones((12, 2), np.float32)
    targets = Targets(friction_coefficient=0.7, trajectory=path)
    return Sample(photograph().image, None, np.ones((40, 3), np.float32), targets=targets)


def test_each_encoder_gets_only_what_is_there_and_knows_where_it_belongs() -> None:
    from mm_fusion.training.data.batch import collate

    batch = collate([photograph(friction=2), sound(1), drive(), sound(0)], list('abcd'))
    assert {name: tuple(value.shape) for name, value in batch.inputs.items()} == {
        'camera': (2, 4, 4, 3),
        'microphone': (2, 8),
        'motion': (1, 40, 3),
    }
    rows = {name: value.tolist() for name, value in batch.rows.items()}
    assert rows == {'camera': [0, 2], 'microphone': [1, 3], 'motion': [2]}
    assert batch.presence.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert batch.age_s[1].tolist() == pytest.approx([0, 0.2, 0])
    assert batch.sources == ('a', 'b', 'c', 'd')


def test_unknown_targets_are_unlabelled_or_nan() -> None:
    import torch

    from mm_fusion.training.data.batch import collate

    targets = collate([photograph(friction=2), sound(1), drive()], list('abc')).targets
    assert targets['friction'].tolist() == [2, -1, -1]
    assert targets['siren'].tolist() == [-1, 1, -1]
    assert targets['friction'].dtype == targets['siren'].dtype == torch.int64
    assert targets['trajectory'].shape == (3, 12, 2)
    assert targets['trajectory'].isnan().all(dim=(1, 2)).tolist() == [True, True, False]
    assert targets['friction_coefficient'].dtype == torch.float32
    assert targets['friction_coefficient'][2].item() == pytest.approx(0.7)
    assert targets['friction_coefficient'].isnan().tolist() == [True, True, False]


def test_a_modality_that_none_has_is_left_out() -> None:
    from mm_fusion.training.data.batch import collate

    batch = collate([sound(0)], ['a'])
    assert set(batch.inputs) == set(batch.rows) == {'microphone'}


def test_images_of_several_sizes_are_refused_by_name() -> None:
    from mm_fusion.training.data.batch import collate

    with pytest.raises(DatasetError, match=r"camera.*\(4, 4, 3\): 'a'.*\(6, 6, 3\): 'b'"):
        collate([photograph(4), photograph(6)], ['a', 'b'])


def test_what_nothing_speaks_to_is_no_target() -> None:
    path = np.ones((12, 2), np.float32)
    everything = Targets(1, 2, 0, 1, 0.5, path)
    ages = np.ones(3, np.float32)
    image, audio = np.zeros((2, 2, 3), np.uint8), np.zeros(4, np.float32)
    motion = np.zeros((40, 3), np.float32)

    seen = answerable(Sample(image, None, None, ages, everything))
    assert (seen.targets.friction, seen.targets.siren) == (1, -1)
    assert seen.targets.trajectory is None
    assert seen.age_s.tolist() == [1, 0, 0]
    heard = answerable(Sample(None, audio, None, ages, everything)).targets
    assert (heard.material, heard.siren, heard.friction_coefficient) == (2, 1, 0.5)
    moved = answerable(Sample(None, None, motion, ages, everything)).targets
    assert (moved.friction, moved.unevenness, moved.siren) == (-1, -1, -1)
    assert math.isnan(moved.friction_coefficient)
    assert moved.trajectory is path
