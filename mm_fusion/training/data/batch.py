# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples put together: only what is there goes through an encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.errors import DatasetError
from mm_fusion.training.data.sample import CLASS_TASKS
from mm_fusion.types.features import NETWORK_MODALITIES, STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from mm_fusion.training.data.sample import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples of one step of the training; B of them.

    Attributes:
        inputs: By modality, the inputs of the samples that have it: uint8 (n, height, width, 3),
            float32 (n, samples), float32 (n, steps, 3). A modality that none has is left out.
        rows: By modality, int64 (n,): the places of those samples in the batch.
        presence: float32 (B, 3), 1 where a sample has the modality.
        age_s: float32 (B, 3), seconds.
        targets: By task: int64 (B,) for the classes and the siren, ``UNLABELLED`` where unknown;
            float32 (B,) for ``friction_coefficient`` and float32 (B, 12, 2) for ``trajectory``,
            NaN where unknown.
        sources: Which source each sample is from, and which of it.
    """

    inputs: dict[str, Tensor]
    rows: dict[str, Tensor]
    presence: Tensor
    age_s: Tensor
    targets: dict[str, Tensor]
    sources: tuple[str, ...]


def collate(samples: Sequence[Sample], names: Sequence[str]) -> Batch:
    """Put samples together.

    Args:
        samples: At least one.
        names: Of each sample, for messages.

    Raises:
        DatasetError: The inputs of one modality differ in size.
    """
    inputs: dict[str, Tensor] = {}
    rows: dict[str, Tensor] = {}
    presence = np.zeros((len(samples), len(NETWORK_MODALITIES)), np.float32)
    for column, modality in enumerate(NETWORK_MODALITIES):
        found = [
            (row, value)
            for row, sample in enumerate(samples)
            if (value := sample.inputs[column]) is not None
        ]
        if not found:
            continue
        places = np.array([row for row, _ in found], np.int64)
        shapes = {value.shape: names[row] for row, value in found}
        if len(shapes) > 1:
            raise DatasetError(f'{modality}: found sizes {shapes} in one batch, expected one size')
        presence[places, column] = 1.0
        inputs[modality] = torch.from_numpy(np.stack([value for _, value in found]))
        rows[modality] = torch.from_numpy(places)
    return Batch(
        inputs=inputs,
        rows=rows,
        presence=torch.from_numpy(presence),
        age_s=torch.from_numpy(np.stack([sample.age_s for sample in samples])),
        targets=_targets(samples),
        sources=tuple(names),
    )


def _targets(samples: Sequence[Sample]) -> dict[str, Tensor]:
    unknown = np.full((STEPS, 2), np.nan, np.float32)
    paths = [sample.targets.trajectory for sample in samples]
    targets = {
        task: torch.tensor([getattr(sample.targets, task) for sample in samples])
        for task in CLASS_TASKS
    }
    targets['friction_coefficient'] = torch.tensor(
        [sample.targets.friction_coefficient for sample in samples], dtype=torch.float32
    )
    targets['trajectory'] = torch.from_numpy(
        np.stack([unknown if path is None else path for path in paths])
    )
    return targets
