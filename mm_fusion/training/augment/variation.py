# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How a sample of a drive is varied."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mm_fusion.training.augment.blinding import blinded
from mm_fusion.training.augment.images import ImageVariation, vary_image
from mm_fusion.training.augment.motion import held_motion, noisy_motion
from mm_fusion.training.augment.samples import (
    age_modality,
    drop_modalities,
    mirror_sample,
    scale_speed,
)
from mm_fusion.training.augment.sounds import (
    SoundVariation,
    amplified,
    coloured,
    coloured_noise,
    mix,
    shortened,
)
from mm_fusion.training.data.sample import answerable
from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.training.data.sample import Sample

Siren: TypeAlias = Callable[[np.random.Generator], 'NDArray[np.float32]']
"""Gives a window that holds a siren."""

Earlier: TypeAlias = Callable[[str], 'tuple[Sample, float] | None']
"""Gives by modality an earlier sample of the same drive, and how much earlier in seconds."""

_DRY = FRICTION_CLASSES.index('dry')


@dataclass(frozen=True, slots=True)
class BagVariation:
    """How strongly and how often samples of drives are varied.

    Attributes:
        image: Of the images; they are hardly cropped, since they tell distances.
        sound: Of the sound. Water on the road tilts the spectrum of the tyres by some 7 dB, which
            a stronger filter would hide; how loud a drive is changes within ``gain_db``.
        mirror: Probability that left and right are swapped.
        scale: Probability of another speed.
        most_scale: Largest factor on the speed, and one over the smallest.
        gain_db: Largest change of the microphone's gain.
        siren: Probability that a siren is mixed into a drive that has none.
        noise: Probability of noise on the motion.
        outage: Probability that the motion is held for a while.
        blinding: Probability that the camera is blinded, far beyond what ``image`` does: what it
            still shows then says little, and its encoder has to learn to say so.
        ageing: Probability, of camera and of sound, to come from an earlier sample.
        dropout: Probability by modality that it is missing; never all.
    """

    image: ImageVariation = field(default_factory=lambda: ImageVariation(smallest_crop=0.85))
    sound: SoundVariation = field(default_factory=lambda: SoundVariation(colour_db=1.5))
    mirror: float = 0.5
    scale: float = 0.5
    most_scale: float = 1.25
    gain_db: float = 10.0
    siren: float = 0.2
    noise: float = 0.5
    outage: float = 0.1
    blinding: float = 0.25
    ageing: float = 0.05
    dropout: Mapping[str, float] = field(
        default_factory=lambda: {'camera': 0.2, 'microphone': 0.2, 'motion': 0.1}
    )


def vary_sample(
    sample: Sample,
    size: int,
    random: np.random.Generator,
    variation: BagVariation,
    earlier: Earlier,
    siren: Siren | None,
) -> Sample:
    """Vary a sample of a drive at random, and leave in it only targets that it can answer.

    Args:
        sample: As the node sees it.
        size: Height and width of the image of the result.
        random: Source of all randomness.
        variation: How strongly and how often.
        earlier: Gives earlier samples of the drive.
        siren: Gives sirens; None mixes none in.
    """
    sample = drop_modalities(_aged(sample, random, variation, earlier), variation.dropout, random)
    if sample.audio is not None:
        sample = _other_sound(sample, sample.audio, random, variation, siren)
    if random.random() < variation.scale:
        reach = math.log(variation.most_scale)
        sample = scale_speed(sample, math.exp(random.uniform(-reach, reach)))
    if sample.motion is not None:
        sample = replace(sample, motion=_other_motion(sample.motion, random, variation))
    if random.random() < variation.mirror:
        sample = mirror_sample(sample)
    if sample.image is None:
        return sample
    image = vary_image(
        sample.image,
        size,
        random,
        variation.image,
        may_rain=sample.targets.friction != _DRY,
    )
    sample = replace(sample, image=image)
    if random.random() >= variation.blinding:
        return sample
    changed = blinded(sample, random)
    left = any(value is not None for value in changed.inputs)
    return answerable(changed) if left else sample


def _aged(
    sample: Sample, random: np.random.Generator, variation: BagVariation, earlier: Earlier
) -> Sample:
    for modality, value in (('camera', sample.image), ('microphone', sample.audio)):
        if value is not None and random.random() < variation.ageing:
            found = earlier(modality)
            if found is not None:
                sample = age_modality(sample, found[0], modality, found[1])
    return sample


def _other_sound(
    sample: Sample,
    audio: NDArray[np.float32],
    random: np.random.Generator,
    variation: BagVariation,
    siren: Siren | None,
) -> Sample:
    """Mix in sirens and noise, and change microphone and gain."""
    sound, targets = variation.sound, sample.targets
    if siren is not None and targets.siren == 0 and random.random() < variation.siren:
        mixed = mix(audio, siren(random), -random.uniform(*sound.siren_to_noise_db))
        if mixed is not audio:
            audio, targets = mixed, replace(targets, siren=1)
    if random.random() < sound.noise:
        noise = coloured_noise(audio.size, random, sound.colour_db)
        audio = mix(audio, noise, random.uniform(*sound.siren_to_noise_db))
    audio = coloured(audio, random, sound.colour_db)
    if random.random() < sound.silence:
        audio = shortened(audio, random)
    audio = amplified(audio, random.uniform(-variation.gain_db, variation.gain_db))
    return replace(sample, audio=audio, targets=targets)


def _other_motion(
    motion: NDArray[np.float32], random: np.random.Generator, variation: BagVariation
) -> NDArray[np.float32]:
    if random.random() < variation.noise:
        motion = noisy_motion(motion, random)
    return held_motion(motion, random) if random.random() < variation.outage else motion
