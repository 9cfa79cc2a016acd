# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sensors that tell little or nothing, far beyond what varies a sample that is to be answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.features.quality import image_quality
from mm_fusion.settings import Settings
from mm_fusion.training.augment.sounds import coloured_noise, mix
from mm_fusion.training.augment.weather import dusk, glare, lens_drops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.training.data.sample import Sample

_WEATHER = (dusk, glare, lens_drops)
_MOST_AT_ONCE = 8
_NOISE_DB = (-20.0, 5.0)
"""Level of the sound over that of the noise."""
_COLOUR_DB = 6.0


def blinded(sample: Sample, random: np.random.Generator) -> Sample:
    """Do one to eight things to the image: dusk, glare, drops on the lens, in any order.

    An image in which nothing can be seen is withheld (``camera.min_quality``, at its default).
    """
    image = sample.image
    if image is None:
        return sample
    count = int(random.integers(1, _MOST_AT_ONCE + 1))
    for kind in random.integers(len(_WEATHER), size=count):
        image = _WEATHER[kind](image, random)
    return replace(sample, image=withheld(image))


def drowned(sample: Sample, random: np.random.Generator) -> Sample:
    """Lay noise over the sound, 20 dB above it to 5 dB below; it does not clip."""
    if sample.audio is None:
        return sample
    noise = coloured_noise(sample.audio.size, random, _COLOUR_DB)
    return replace(sample, audio=under(sample.audio, noise, random.uniform(*_NOISE_DB)))


def withheld(image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Give an image of the network's size, or None where the node would not show it."""
    return image if image_quality(image) >= Settings().camera.min_quality else None


def under(
    audio: NDArray[np.float32], noise: NDArray[np.float32], ratio_db: float
) -> NDArray[np.float32]:
    """Lay noise over sound, which is that much louder; all is scaled down where it would clip."""
    mixed = mix(audio, noise, ratio_db)
    return mixed / np.float32(max(1.0, float(np.abs(mixed).max())))
