# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Labels are taken from whole drives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(('share', 'drives'), [(0.01, 1), (0.25, 2), (1.0, 8)])
def test_whole_drives_are_labelled_and_the_seed_chooses_them(share: float, drives: int) -> None:
    from benchmarks.fusion_pretraining import labelled_drives

    groups = tuple(f'drive {number % 8}' for number in range(40))
    useful = np.arange(1, 40)
    source: Any = SimpleNamespace(groups=groups, useful=useful)
    drawn = [labelled_drives(source, share, seed) for seed in range(6)]
    for chosen in drawn:
        names = {groups[index] for index in chosen}
        assert len(names) == drives
        assert set(chosen) == {index for index in useful if groups[index] in names}
    assert len({tuple(chosen) for chosen in drawn}) > 1 or share == 1.0
