# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What blinds a camera: rain, drops on the lens, a low sun, too little light."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COARSE = 8
"""A soft light is drawn this many times smaller than the image."""


def rain_streaks(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Let bright streaks of one slant fall, behind the haze of the further rain.

    Args:
        image: uint8 (height, width, 3), RGB.
        random: Source of all randomness.
    """
    height, width = image.shape[:2]
    count = int(random.integers(40, 200) * height * width / 224**2)
    length = random.uniform(0.03, 0.12) * height
    slant = random.uniform(-0.4, 0.4)
    starts = random.uniform((-slant, -0.1), (1.0 - slant, 1.0), (count, 2)) * (width, height)
    reach = random.uniform(0.6, 1.4, (count, 1)) * length * np.array([[slant, 1.0]])
    lines = np.rint(np.stack([starts, starts + reach], axis=1)).astype(np.int32)
    streaks: NDArray[np.uint8] = np.zeros((height, width, 3), np.uint8)
    cv2.polylines(streaks, [*lines], isClosed=False, color=(200, 205, 210))
    streaks = np.asarray(cv2.blur(streaks, (1, 3)), np.uint8)
    haze = random.uniform(0.05, 0.25)
    hazy = cv2.convertScaleAbs(image, alpha=1.0 - haze, beta=170.0 * haze)
    return np.asarray(cv2.addWeighted(hazy, 1.0, streaks, random.uniform(0.2, 0.6), 0.0), np.uint8)


def lens_drops(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Put drops on the lens: in each the scene stands upside down and out of focus.

    Args:
        image: uint8 (height, width, 3), RGB.
        random: Source of all randomness.
    """
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for _ in range(int(random.integers(3, 16))):
        radius = float(random.uniform(0.02, 0.1) * height)
        centre = (int(random.integers(width)), int(random.integers(height)))
        axes = (max(1, int(radius * random.uniform(0.7, 1.0))), max(1, int(radius)))
        cv2.ellipse(mask, centre, axes, 0.0, 0.0, 360.0, 255, -1)
    share = cv2.blur(mask, (5, 5)).astype(np.float32)[..., None] / 255.0
    small = cv2.resize(image[::-1], (width // _COARSE, height // _COARSE))
    seen = cv2.resize(small, (width, height)).astype(np.float32)
    return np.asarray(image + (seen - image) * share, np.uint8)


def glare(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Let a low sun, or its reflection, wash out the image around it.

    Args:
        image: uint8 (height, width, 3), RGB.
        random: Source of all randomness.
    """
    height, width = image.shape[:2]
    rows = np.linspace(0.0, 1.0, max(2, height // _COARSE), dtype=np.float32)[:, None]
    columns = np.linspace(0.0, 1.0, max(2, width // _COARSE), dtype=np.float32)
    distance = np.hypot(rows - random.uniform(0.0, 0.8), columns - random.uniform(0.0, 1.0))
    strength, spread = random.uniform(120.0, 255.0), random.uniform(0.1, 0.5)
    light = strength * (0.3 + 0.7 * np.exp(-((distance / spread) ** 2)))
    warmth = random.uniform((0.95, 0.85, 0.7), (1.0, 1.0, 1.0))
    wide = cv2.resize(light[..., None] * warmth, (width, height))
    return np.asarray(cv2.add(image, wide, dtype=cv2.CV_8U), np.uint8)


def dusk(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Take away most of the light, and let the noise of the sensor show.

    Args:
        image: uint8 (height, width, 3), RGB.
        random: Source of all randomness.
    """
    exposure = math.exp(random.uniform(math.log(0.06), math.log(0.5)))
    tint = exposure * random.uniform((0.8, 0.85, 0.9), (1.0, 1.0, 1.1))
    noise = random.standard_normal(image.shape, np.float32) * np.float32(random.uniform(1.0, 8.0))
    return np.asarray(np.clip(image * tint.astype(np.float32) + noise, 0.0, 255.0), np.uint8)
