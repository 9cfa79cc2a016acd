# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Random variations of whole samples, consistent over their modalities and their targets."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.training.augment.images import mirror
from mm_fusion.training.augment.motion import mirrored_motion, scaled_motion
from mm_fusion.training.augment.sounds import amplified
from mm_fusion.training.data.sample import Sample, answerable
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

TYRE_NOISE_EXPONENT_DB = 30.0
"""The level of tyre noise grows by this with each tenfold of the speed (Sandberg & Ejsmont, 2002,
Tyre/Road Noise Reference Book: 30 to 35)."""

_FIELDS = dict(zip(NETWORK_MODALITIES, ('image', 'audio', 'motion'), strict=True))


def mirror_sample(sample: Sample) -> Sample:
    """Swap left and right in the image, the motion and the path; sound of one channel has none."""
    path = sample.targets.trajectory
    if path is not None:
        path = path * np.array([1.0, -1.0], np.float32)
    return replace(
        sample,
        image=None if sample.image is None else mirror(sample.image),
        motion=None if sample.motion is None else mirrored_motion(sample.motion),
        targets=replace(sample.targets, trajectory=path),
    )


def scale_speed(sample: Sample, factor: float) -> Sample:
    """Drive the same turns faster or slower, with tyres as much louder.

    Headings over time stay and all lengths grow by the factor, the roll-out's among them: so the
    residual path grows by it too, exactly.

    Args:
        sample: Any.
        factor: On the speed, positive.
    """
    path = sample.targets.trajectory
    gain_db = TYRE_NOISE_EXPONENT_DB * math.log10(factor)
    return replace(
        sample,
        audio=None if sample.audio is None else amplified(sample.audio, gain_db),
        motion=None if sample.motion is None else scaled_motion(sample.motion, factor),
        targets=replace(
            sample.targets, trajectory=None if path is None else path * np.float32(factor)
        ),
    )


def drop_modalities(
    sample: Sample, chances: Mapping[str, float], random: np.random.Generator
) -> Sample:
    """Take modalities away at random, with the targets that nothing speaks to then; never all.

    Args:
        sample: Any.
        chances: Probability by modality.
        random: Source of all randomness.
    """
    present = [
        name
        for name, value in zip(NETWORK_MODALITIES, sample.inputs, strict=True)
        if value is not None
    ]
    drawn = random.random(len(NETWORK_MODALITIES))
    dropped = [
        name
        for name, chance in zip(NETWORK_MODALITIES, drawn, strict=True)
        if name in present and chance < chances.get(name, 0.0)
    ]
    if dropped and len(dropped) == len(present):
        dropped.pop(int(random.integers(len(dropped))))
    kept = {
        field: None if name in dropped else value
        for (name, field), value in zip(_FIELDS.items(), sample.inputs, strict=True)
    }
    return answerable(Sample(**kept, age_s=sample.age_s, targets=sample.targets))  # type: ignore[arg-type]


def age_modality(sample: Sample, earlier: Sample, modality: str, gap_s: float) -> Sample:
    """Replace what one modality gives by what it gave a while ago, and say how old it is.

    Args:
        sample: Has the modality.
        earlier: A sample of the same drive that has it too.
        modality: ``camera`` or ``microphone``.
        gap_s: How much earlier, seconds.
    """
    column = NETWORK_MODALITIES.index(modality)
    ages = sample.age_s.copy()
    ages[column] = earlier.age_s[column] + gap_s
    if modality == 'camera':
        return replace(sample, image=earlier.image, age_s=ages)
    return replace(sample, audio=earlier.audio, age_s=ages)
