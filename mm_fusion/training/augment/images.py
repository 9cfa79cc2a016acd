# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Random variations of photographs: crop, light, focus, weather on road and lens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mm_fusion.training.augment.weather import dusk, glare, lens_drops, rain_streaks

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ImageVariation:
    """How strongly and how often images are varied.

    Attributes:
        smallest_crop: Least share of height and width that a crop keeps; 1 crops nothing.
        light: Strength of the change of light, 0 to 1.
        blur: Probability of blur, and of each of the following.
        rain: Of rain streaks, where the road may be wet.
        drops: Of drops on the lens.
        glare: Of a low sun.
        dusk: Of too little light.
    """

    smallest_crop: float = 0.6
    light: float = 1.0
    blur: float = 0.1
    rain: float = 0.05
    drops: float = 0.05
    glare: float = 0.05
    dusk: float = 0.05


def vary_image(
    image: NDArray[np.uint8],
    size: int,
    random: np.random.Generator,
    variation: ImageVariation,
    *,
    may_rain: bool,
) -> NDArray[np.uint8]:
    """Crop, relight and disturb an image at random; it is not mirrored.

    Args:
        image: uint8 (height, width, 3), RGB.
        size: Height and width of the result.
        random: Source of all randomness.
        variation: How strongly and how often.
        may_rain: Whether rain may fall: not where the road is known to be dry.

    Returns:
        uint8 (size, size, 3), RGB.
    """
    varied = relight(random_crop(image, size, random, variation.smallest_crop), random, variation)
    chances = random.random(5)
    if may_rain and chances[0] < variation.rain:
        varied = rain_streaks(varied, random)
    if chances[1] < variation.dusk:
        varied = dusk(varied, random)
    elif chances[2] < variation.glare:
        varied = glare(varied, random)
    if chances[3] < variation.drops:
        varied = lens_drops(varied, random)
    return blur(varied, random) if chances[4] < variation.blur else varied


def random_crop(
    image: NDArray[np.uint8], size: int, random: np.random.Generator, smallest: float
) -> NDArray[np.uint8]:
    """Cut a part out at random and scale it: uint8 (size, size, 3).

    Args:
        image: uint8 (height, width, 3).
        size: Height and width of the result.
        random: Source of all randomness.
        smallest: Least share of height and width that is kept; 1 keeps the whole image.
    """
    height, width = image.shape[:2]
    scale = random.uniform(smallest, 1.0)
    aspect = math.exp(random.uniform(-0.2, 0.2)) if smallest < 1.0 else 1.0
    rows = min(height, int(height * scale / aspect))
    columns = min(width, int(width * scale * aspect))
    top = int(random.integers(height - rows + 1))
    left = int(random.integers(width - columns + 1))
    crop = image[top : top + rows, left : left + columns]
    return np.asarray(
        cv2.resize(np.ascontiguousarray(crop), (size, size), interpolation=cv2.INTER_AREA),
        np.uint8,
    )


def mirror(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Swap left and right: uint8 (height, width, 3)."""
    return np.ascontiguousarray(image[:, ::-1])


def relight(
    image: NDArray[np.uint8], random: np.random.Generator, variation: ImageVariation
) -> NDArray[np.uint8]:
    """Change saturation, contrast, brightness and white balance at random, all in one step."""
    light = variation.light
    saturation = random.uniform(1.0 - 0.4 * light, 1.0 + 0.4 * light)
    contrast = random.uniform(1.0 - 0.25 * light, 1.0 + 0.25 * light)
    brightness = random.uniform(-30.0 * light, 30.0 * light)
    balance = random.uniform(1.0 - 0.07 * light, 1.0 + 0.07 * light, 3)
    grey = np.full((3, 3), 1.0 / 3.0)
    colours = contrast * (grey + saturation * (np.eye(3) - grey))
    offset = np.full((3, 1), 127.0 * (1.0 - contrast) + brightness)
    return np.asarray(
        cv2.transform(image, balance[:, None] * np.hstack([colours, offset])), np.uint8
    )


def blur(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Take the image out of focus, or move it while it is exposed."""
    if random.random() < 0.5:
        sigma = random.uniform(0.5, 2.0)
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    length = int(random.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    angle = random.uniform(0.0, math.pi)
    reach = 0.5 * (length - 1)
    along = np.array([math.cos(angle), math.sin(angle)]) * reach
    ends = np.rint(np.stack([reach - along, reach + along])).astype(int)
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)
