# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Photographs mixed in pairs, with the labels of both.

Zhang et al., 2018, mixup: beyond empirical risk minimization. With a few dozen photographs of a
class a network knows each of them by heart; it never sees the same mixture twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.training.data.batch import Batch

_CAMERA = NETWORK_MODALITIES.index('camera')
_OFTEN = 0.5
"""Share of the batches that are mixed: the others stay as the network will see them."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A batch whose photographs are mixed.

    Attributes:
        batch: With mixed images, float32, and the labels of the greater parts.
        partners: The labels of the other parts, by task as in ``Batch.targets``.
        share: Of the greater parts, 0.5 to 1.
    """

    batch: Batch
    partners: dict[str, Tensor]
    share: float


def mix_photographs(batch: Batch, concentration: float) -> Mixed | None:
    """Mix the samples that have an image and nothing else, each with another of them.

    What has other modalities as well stays as it is: its sound would not fit the image any more.
    The random numbers are torch's own, so that a training that goes on does the same.

    Args:
        batch: Of a training step.
        concentration: The greater share is drawn from Beta(c, c): the less, the purer.

    Returns:
        None for half of the batches, and for those with fewer than two such samples.
    """
    alone = batch.presence[:, _CAMERA].bool() & (batch.presence.sum(dim=1) == 1)
    if 'camera' not in batch.inputs or int(alone.sum()) < 2 or float(torch.rand(())) >= _OFTEN:
        return None
    seed = int(torch.randint(2**31, ()))
    drawn = float(np.random.default_rng(seed).beta(concentration, concentration))
    share = max(drawn, 1.0 - drawn)
    chosen = torch.nonzero(alone)[:, 0]
    order = torch.arange(len(batch.presence), device=alone.device)
    order[chosen] = chosen[torch.randperm(len(chosen)).to(chosen.device)]
    # The images of a batch are those of the samples that have one, in their order.
    place = torch.cumsum(batch.presence[:, _CAMERA].bool(), dim=0) - 1
    rows = batch.rows['camera']
    images = batch.inputs['camera'].float()
    images = share * images + (1.0 - share) * images[place[order[rows]]]
    return Mixed(
        replace(batch, inputs={**batch.inputs, 'camera': images}),
        {task: target[order] for task, target in batch.targets.items()},
        share,
    )
