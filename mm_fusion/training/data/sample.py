# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One training example: what the sensors gave, and what is known to be true."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.labels import UNLABELLED
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGE_SIZE = 224
"""Height and width of an image as the node gives it to the network."""
AUDIO_RATE_HZ = 16_000
AUDIO_SAMPLES = 48_000
"""Rate and length of the sound that the network hears: 3 s."""
MOTION_STEPS = 40
"""Rows of the motion history: 4 s."""

CLASS_TASKS = ('friction', 'material', 'unevenness', 'siren')
"""Tasks whose target is the index of a class; of the siren, 1 is heard and 0 is not."""


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What is known to be true at the stamp of a sample; each part may be unknown.

    Attributes:
        friction: Index of the class, or ``UNLABELLED``.
        material: The same.
        unevenness: The same.
        siren: 1 where one can be heard, 0 where none can, or ``UNLABELLED``.
        friction_coefficient: Under the vehicle; NaN where it is not known.
        trajectory: float32 (12, 2), the driven path less the roll-out of the ego state, in the
            frame of the roll-out at each step (x along its heading), metres; None if unknown.
    """

    friction: int = UNLABELLED
    material: int = UNLABELLED
    unevenness: int = UNLABELLED
    siren: int = UNLABELLED
    friction_coefficient: float = math.nan
    trajectory: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One example.

    Attributes:
        image: uint8 (height, width, 3), RGB; None where there is none.
        audio: float32 (n,), PCM in [-1, 1] at the network's rate; None where there is none.
        motion: float32 (steps, 3), columns ``MOTION_COLUMNS``; None where there is none.
        age_s: float32 (3,), age of each modality in ``NETWORK_MODALITIES`` order; 0 if absent.
        targets: What is known to be true.
    """

    image: NDArray[np.uint8] | None
    audio: NDArray[np.float32] | None
    motion: NDArray[np.float32] | None
    age_s: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros(len(NETWORK_MODALITIES), np.float32)
    )
    targets: Targets = field(default_factory=Targets)

    @property
    def inputs(self) -> tuple[NDArray[np.uint8 | np.float32] | None, ...]:
        """The inputs in ``NETWORK_MODALITIES`` order."""
        return (self.image, self.audio, self.motion)


def only(sample: Sample, modality: str) -> Sample:
    """Take all but one of ``NETWORK_MODALITIES`` away."""
    column = NETWORK_MODALITIES.index(modality)
    kept = [value if index == column else None for index, value in enumerate(sample.inputs)]
    age_s = np.where(np.arange(len(kept)) == column, sample.age_s, 0.0).astype(np.float32)
    image, audio, motion = kept
    return replace(sample, image=image, audio=audio, motion=motion, age_s=age_s)  # type: ignore[arg-type]


def answerable(sample: Sample) -> Sample:
    """Drop the targets that nothing in the sample speaks to, and the ages of what is absent.

    A siren needs sound, a path needs the motion that it is the residual of, and the road needs
    the camera or sound: the rest would only teach what is frequent.
    """
    targets, sighted = sample.targets, sample.image is not None or sample.audio is not None
    kept = Targets(
        friction=targets.friction if sighted else UNLABELLED,
        material=targets.material if sighted else UNLABELLED,
        unevenness=targets.unevenness if sighted else UNLABELLED,
        siren=UNLABELLED if sample.audio is None else targets.siren,
        friction_coefficient=targets.friction_coefficient if sighted else math.nan,
        trajectory=None if sample.motion is None else targets.trajectory,
    )
    present = np.array([value is not None for value in sample.inputs])
    return replace(
        sample, targets=kept, age_s=np.where(present, sample.age_s, 0.0).astype(np.float32)
    )
