# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Predictions made up for tests of calibration and scores; nothing is labelled unless given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.training.predict import Predictions
from mm_fusion.training.scores import TURNING
from mm_fusion.types.features import MODES, STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def predictions(
    count: int,
    outputs: Mapping[str, NDArray[Any]] | None = None,
    targets: Mapping[str, NDArray[Any]] | None = None,
    groups: Sequence[str] | None = None,
    owners: NDArray[np.int64] | None = None,
) -> Predictions:
    """Fill up what is not given."""
    unknown = np.full(count, UNLABELLED, np.int64)
    sizes = {task: len(classes) for task, classes in SURFACE_CLASSES.items()}
    return Predictions(
        outputs={
            **{task: np.zeros((count, size), np.float32) for task, size in sizes.items()},
            'siren': np.zeros((count, 1), np.float32),
            'friction_coefficient': np.zeros((count, 2), np.float32),
            'modes': np.zeros((count, MODES), np.float32),
            'trajectory': np.zeros((count, MODES, STEPS, 5), np.float32),
            **(outputs or {}),
        },
        targets={
            **dict.fromkeys((*sizes, 'siren'), unknown),
            'friction_coefficient': np.full(count, np.nan, np.float32),
            'trajectory': np.full((count, STEPS, 2), np.nan, np.float32),
            TURNING: np.zeros(count, np.bool_),
            **(targets or {}),
        },
        presence=np.ones((count, 3), np.float32),
        indices=np.arange(count, dtype=np.int64),
        groups=np.array(groups or ['a'] * count, np.str_),
        owners=np.arange(count, dtype=np.int64) if owners is None else owners,
    )
