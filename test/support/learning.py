# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A tiny source of samples that can be learned, and the tiny network that learns them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.models.config import NetworkConfig
from mm_fusion.training.data.sample import Sample, Targets
from mm_fusion.types.features import STEP_S, STEPS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

SIZE, AUDIO, ROWS = 32, 4352, 40
NETWORK = NetworkConfig(width=0.25, image_size=SIZE, audio_samples=AUDIO, token_size=16)
NETWORK_VALUES = NETWORK.to_dict()


class TinySource:
    """Samples whose colour is their friction, whose tone is a siren, and whose yaw bends the path.

    Args:
        count: Samples; friction and siren alternate.
        modalities: What each sample has.
        name: Of the source.
        groups: Into how many groups they fall, one after another.
        broken: Index of a sample whose friction coefficient is far beyond any number that a
            likelihood can take.
    """

    def __init__(
        self,
        count: int = 12,
        modalities: Collection[str] = ('camera', 'microphone', 'motion'),
        name: str = 'tiny',
        groups: int = 4,
        broken: int | None = None,
    ) -> None:
        self.name = name
        self._count, self._modalities, self._broken = count, modalities, broken
        self.fingerprint = hashlib.sha256(f'{name} {count} {modalities}'.encode()).hexdigest()
        self.groups = tuple(f'{name} {index * groups // count}' for index in range(count))
        self.strata = tuple(str(index % 2) for index in range(count))
        self.clips = np.arange(count, dtype=np.int64) // 2
        self.sublabels = ('wind',) * count

    def __len__(self) -> int:
        return self._count

    @property
    def targets(self) -> Mapping[str, NDArray[np.int64]]:
        alternating = np.arange(len(self), dtype=np.int64) % 2
        unknown = np.full(len(self), UNLABELLED, np.int64)
        return {
            **dict.fromkeys(SURFACE_CLASSES, unknown),
            'friction': alternating if 'camera' in self._modalities else unknown,
            'siren': alternating if 'microphone' in self._modalities else unknown,
        }

    def describe(self, index: int) -> str:
        return f'number {index}'

    def sample(
        self,
        index: int,
        random: np.random.Generator | None,
        partners: NDArray[np.int64] | None = None,
    ) -> Sample:
        noise = np.random.default_rng(index) if random is None else random
        kind, turn = index % 2, 0.1 * (index % 3 - 1)
        image = np.full((SIZE, SIZE, 3), 40 + 160 * kind, np.uint8)
        image += noise.integers(0, 20, image.shape, np.uint8)
        audio = noise.normal(0.0, 0.05, AUDIO)
        audio += 0.5 * kind * np.sin(np.arange(AUDIO) * 0.4)
        motion = np.tile(np.array([10.0, turn, 0.0]), (ROWS, 1))
        times = STEP_S * np.arange(1, STEPS + 1)
        path = np.stack([np.zeros(STEPS), 20.0 * turn * times / 6.0], axis=1)
        has = self._modalities
        coefficient = 1e30 if index == self._broken else 0.8 - 0.4 * kind
        return Sample(
            image=image if 'camera' in has else None,
            audio=audio.astype(np.float32) if 'microphone' in has else None,
            motion=motion.astype(np.float32) if 'motion' in has else None,
            targets=Targets(
                friction=kind if 'camera' in has else UNLABELLED,
                siren=kind if 'microphone' in has else UNLABELLED,
                friction_coefficient=coefficient if 'camera' in has else float('nan'),
                trajectory=path.astype(np.float32) if 'motion' in has else None,
            ),
        )
