# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Hold a part of the samples out, without splitting what belongs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.errors import DatasetError
from mm_fusion.training.folds import grouped_folds

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray


def hold_out(
    groups: Sequence[Hashable], strata: Sequence[Hashable], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split samples in two so that each stratum is spread evenly and no group is split.

    One of the ``round(1 / share)`` folds of ``grouped_folds`` is held out; where there are fewer
    groups, one of as many folds as there are groups.

    Args:
        groups: Of each sample.
        strata: Of each sample.
        share: Of the samples that are held out, in (0, 0.5].
        seed: Decides between equals.

    Returns:
        int64 indices of those to train on and of those held out, in order.

    Raises:
        DatasetError: There are fewer than two groups.
        ValueError: The share is none.
    """
    if not 0.0 < share <= 0.5:
        raise ValueError(f'share: found {share}, expected more than 0 and at most 0.5')
    number = len(set(groups))
    if number < 2:
        raise DatasetError(
            f'hold out: found {number} group, expected at least two: give the validation its own '
            'recordings, or none'
        )
    folds = grouped_folds(groups, strata, min(round(1.0 / share), number), seed)
    # The fold nearest to the share: of few large groups, some folds hold much and some little.
    held = int(np.argmin(np.abs(np.bincount(folds) / len(folds) - share)))
    return np.flatnonzero(folds != held), np.flatnonzero(folds == held)
