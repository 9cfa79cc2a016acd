# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Cross-validation: predictions for each example by networks that have not seen it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.models.heads import TASK_SIZES
from mm_fusion.training.roads import embed_roads
from mm_fusion.training.sounds import embed_sounds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.models.fusion.gated import GatedFusion
    from mm_fusion.training.roads import RoadData, RoadNetwork
    from mm_fusion.training.sounds import SoundData, SoundNetwork

SURFACE_TASKS = tuple(task for task in TASK_SIZES if task != 'siren')


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Logits of held-out examples; ``alone`` with one sensor, ``both`` with a partner.

    Photographs and clips are paired at random for ``both``: what the other sensor brings is
    noise, and the scores say how well the gates keep it out.

    Attributes:
        photographs: int64 (n,), index of each photograph.
        surface_alone: By task, float64 (n, classes).
        surface_both: By task, float64 (n, classes).
        clips: int64 (windows,), index of the clip of each window.
        siren_alone: float64 (windows,), log-odds.
        siren_both: float64 (windows,), log-odds.
    """

    photographs: NDArray[np.int64]
    surface_alone: dict[str, NDArray[np.float64]]
    surface_both: dict[str, NDArray[np.float64]]
    clips: NDArray[np.int64]
    siren_alone: NDArray[np.float64]
    siren_both: NDArray[np.float64]


def join(parts: Iterable[HeldOut]) -> HeldOut:
    """Put the folds together."""
    folds = list(parts)
    return HeldOut(
        photographs=np.concatenate([fold.photographs for fold in folds]),
        surface_alone={
            task: np.concatenate([fold.surface_alone[task] for fold in folds])
            for task in SURFACE_TASKS
        },
        surface_both={
            task: np.concatenate([fold.surface_both[task] for fold in folds])
            for task in SURFACE_TASKS
        },
        clips=np.concatenate([fold.clips for fold in folds]),
        siren_alone=np.concatenate([fold.siren_alone for fold in folds]),
        siren_both=np.concatenate([fold.siren_both for fold in folds]),
    )


def predict(
    road: RoadNetwork,
    sound: SoundNetwork,
    fusion: GatedFusion,
    roads: tuple[RoadData, NDArray[np.int64]],
    sounds: tuple[SoundData, NDArray[np.int64]],
    seed: int,
) -> HeldOut:
    """Predict held-out photographs and clips.

    Args:
        road: Trained without them.
        sound: Trained without them.
        fusion: Trained without them.
        roads: All photographs, and the indices of those to predict.
        sounds: All clips, and the indices of those to predict.
        seed: Of the pairing.
    """
    seen = embed_roads(road, *roads)
    heard, owners = embed_sounds(sound, *sounds)
    random = np.random.default_rng(seed)
    any_sound = heard[torch.from_numpy(random.integers(len(heard), size=len(seen)))]
    any_image = seen[torch.from_numpy(random.integers(len(seen), size=len(heard)))]
    surface_alone = _fuse(fusion, seen, torch.zeros_like(any_sound), (1, 0, 0))
    surface_both = _fuse(fusion, seen, any_sound, (1, 1, 0))
    siren_alone = _fuse(fusion, torch.zeros_like(any_image), heard, (0, 1, 0))
    siren_both = _fuse(fusion, any_image, heard, (1, 1, 0))
    return HeldOut(
        photographs=roads[1],
        surface_alone={task: surface_alone[task] for task in SURFACE_TASKS},
        surface_both={task: surface_both[task] for task in SURFACE_TASKS},
        clips=owners,
        siren_alone=siren_alone['siren'][:, 0],
        siren_both=siren_both['siren'][:, 0],
    )


@torch.no_grad()
def _fuse(
    fusion: GatedFusion, image: Tensor, audio: Tensor, present: tuple[int, int, int]
) -> dict[str, NDArray[np.float64]]:
    presence = torch.tensor([present], dtype=torch.float32).expand(len(image), 3)
    outputs = fusion({'camera': image, 'microphone': audio}, presence, torch.zeros_like(presence))
    return {name: value.double().numpy() for name, value in outputs.items()}
