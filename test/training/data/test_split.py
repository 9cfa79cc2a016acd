# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A part held out."""

from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.training.data.split import hold_out


def test_no_group_is_split_and_each_stratum_is_held_out_in_part() -> None:
    groups = [f'g{index // 2}' for index in range(100)]
    strata = ['rare' if index % 20 < 4 else 'common' for index in range(100)]
    train, held = hold_out(groups, strata, 0.2, 0)
    assert sorted([*train, *held]) == list(range(100))
    assert not {groups[i] for i in train} & {groups[i] for i in held}
    assert len(held) == 20
    assert sum(strata[i] == 'rare' for i in held) == 4
    assert not np.array_equal(held, hold_out(groups, strata, 0.2, 1)[1])


def test_of_few_groups_one_is_held_out() -> None:
    train, held = hold_out(['a', 'b', 'b', 'b', 'a'], ['x'] * 5, 0.1, 0)
    assert held.tolist() == [0, 4]
    assert train.tolist() == [1, 2, 3]


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(DatasetError, match='found 1 group'):
        hold_out(['a', 'a'], ['x', 'y'], 0.2, 0)
    with pytest.raises(ValueError, match='share'):
        hold_out(['a', 'b'], ['x', 'y'], 0.9, 0)
