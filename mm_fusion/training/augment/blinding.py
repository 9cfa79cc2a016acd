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
    from mm_fusion.training.data.sample import Sample

_WEATHER = (dusk, glare, lens_drops)
_MOST_AT_ONCE = 8
_NOISE_DB = (-20.0, 5.0)
"""Level of the sound over that of the noise."""
_COLOUR_DB = 6.0


def blinded(sample: Sample, random: np.random.Generator) -> Sample:
    """Do one to eight things to the image: dusk, glare, drops on the lens, in any order.

    An image in which nothing can be seen is withheld, as the node does
    (``camera.min_quality``, at its default).
    """
    image = sample.image
    if image is None:
        return sample
    count = int(random.integers(1, _MOST_AT_ONCE + 1))
    for kind in random.integers(len(_WEATHER), size=count):
        image = _WEATHER[kind](image, random)
    seen = image_quality(image) >= Settings().camera.min_quality
    return replace(sample, image=image if seen else None)


def drowned(sample: Sample, random: np.random.Generator) -> Sample:
    """Lay noise over the sound, 20 dB above it to 5 dB below; it does not clip."""
    if sample.audio is None:
        return sample
    noise = coloured_noise(sample.audio.size, random, _COLOUR_DB)
    audio = mix(sample.audio, noise, random.uniform(*_NOISE_DB))
    return replace(sample, audio=audio / np.float32(max(1.0, float(np.abs(audio).max()))))
