# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Honest splits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.errors import DatasetError
from mm_fusion.training.folds import grouped_folds, near_duplicate_groups


@given(
    st.lists(st.tuples(st.integers(0, 11), st.sampled_from('ab')), min_size=1, max_size=60),
    st.integers(2, 5),
)
def test_a_group_is_never_split(pairs: list[tuple[int, str]], folds: int) -> None:
    groups, strata = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if len(set(groups)) < folds:
        with pytest.raises(DatasetError, match='groups'):
            grouped_folds(groups, strata, folds, 0)
        return
    assigned = grouped_folds(groups, strata, folds, 0)
    assert set(assigned) == set(range(folds))
    for group in set(groups):
        assert len({fold for fold, g in zip(assigned, groups, strict=True) if g == group}) == 1


def test_each_stratum_is_spread_evenly() -> None:
    strata = ['rare'] * 10 + ['common'] * 90
    assigned = grouped_folds(range(100), strata, 5, 3)
    for name in ('rare', 'common'):
        counts = np.bincount(assigned[np.array(strata) == name], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_a_seed_decides_between_equals() -> None:
    strata = ['a'] * 40
    first = grouped_folds(range(40), strata, 4, 0)
    assert np.array_equal(first, grouped_folds(range(40), strata, 4, 0))
    assert not np.array_equal(first, grouped_folds(range(40), strata, 4, 1))


def test_copies_share_a_group_and_others_do_not() -> None:
    random = np.random.default_rng(0)
    scenes = [
        np.kron(random.integers(0, 256, (10, 10, 3)), np.ones((16, 16, 1))).astype(np.uint8)
        for _ in range(3)
    ]
    brighter = np.clip(scenes[0].astype(int) + 12, 0, 255).astype(np.uint8)
    images = np.stack([*scenes, brighter, scenes[1][:, ::-1]])
    assert near_duplicate_groups(images).tolist() == [0, 1, 2, 0, 1]
