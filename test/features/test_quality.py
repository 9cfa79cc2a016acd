# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mm_fusion.features.quality import image_quality

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Harm = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def scene() -> NDArray[np.float32]:
    """Paint sky over a road with texture and marks."""
    random = np.random.default_rng(0)
    image = np.full((224, 224, 3), 190.0, np.float32)
    image[90:] = 90.0 + random.normal(0, 12, (134, 224, 1))
    image[90:, 108:116] = 220.0
    return image


def taken(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Add the noise of a sensor."""
    noise = np.random.default_rng(1).normal(0, 2, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def blurred(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.2 * cv2.GaussianBlur(image, (0, 0), 40) + 80, np.float32)


def test_a_clear_image_is_good() -> None:
    assert image_quality(taken(scene())) == 1.0


@pytest.mark.parametrize(
    'harm',
    [
        pytest.param(lambda image: 0.03 * image, id='night'),
        pytest.param(lambda image: 0 * image + 3, id='covered, black'),
        pytest.param(lambda image: 0 * image + 90, id='covered, grey'),
        pytest.param(blurred, id='smeared'),
        pytest.param(lambda image: 16 * image, id='overexposed'),
    ],
)
def test_an_image_that_shows_nothing_is_bad(harm: Harm) -> None:
    assert image_quality(taken(harm(scene()))) < 0.1


def test_it_falls_with_the_light() -> None:
    found = [image_quality(taken(share * scene())) for share in (1.0, 0.2, 0.1, 0.05, 0.01)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[2] > found[4]


@pytest.mark.realdata
def test_no_photograph_of_a_road_is_withheld(real_data: Path) -> None:
    roads = real_data / 'roads'
    with (roads / 'labels.csv').open(encoding='utf-8') as file:
        names = [row['file'] for row in csv.DictReader(file)]
    for name in names[::10]:
        photograph = cv2.imread(str(roads / name))
        assert photograph is not None
        pixels = cv2.resize(photograph, (224, 224), interpolation=cv2.INTER_AREA)
        assert image_quality(np.asarray(pixels[..., ::-1], np.uint8)) > 0.3
