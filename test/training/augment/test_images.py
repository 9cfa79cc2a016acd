# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Variations of images do what they say, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mm_fusion.training.augment.images import (
    ImageVariation,
    blur,
    mirror,
    random_crop,
    relight,
    vary_image,
)
from mm_fusion.training.augment.weather import dusk, glare, lens_drops, rain_streaks

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOTHING = ImageVariation(smallest_crop=1.0, light=0.0, blur=0, rain=0, drops=0, glare=0, dusk=0)


def scene() -> NDArray[np.uint8]:
    """A picture with detail: bright above, dark below."""
    random = np.random.default_rng(0)
    picture = random.integers(60, 120, (96, 128, 3))
    picture[:40] += 80
    return picture.astype(np.uint8)


def test_a_crop_is_a_part_of_the_image() -> None:
    rows = np.arange(100, dtype=np.uint8)[:, None] + np.zeros((100, 140), np.uint8)
    image = np.stack([rows, np.full_like(rows, 7), rows.T[:1].repeat(100, 0)[:, :1] + rows], 2)
    random = np.random.default_rng(0)
    spans = []
    for _ in range(30):
        crop = random_crop(image, 32, random, 0.5)
        assert crop.shape == (32, 32, 3)
        spans.append(int(crop[-1, 0, 0]) - int(crop[0, 0, 0]))
        assert (crop[..., 1] == 7).all()
    assert min(spans) < 60
    assert min(spans) > 30
    assert max(spans) > 70


def test_no_crop_is_the_whole_image_scaled() -> None:
    expected = cv2.resize(scene(), (48, 48), interpolation=cv2.INTER_AREA)
    assert np.array_equal(random_crop(scene(), 48, np.random.default_rng(0), 1.0), expected)


def test_a_mirror_swaps_left_and_right_and_twice_is_nothing() -> None:
    assert np.array_equal(mirror(scene())[:, 0], scene()[:, -1])
    assert np.array_equal(mirror(mirror(scene())), scene())


def test_light_changes_colours_and_brightness_within_bounds() -> None:
    image = scene()
    random = np.random.default_rng(0)
    assert np.array_equal(relight(image, random, NOTHING), image)
    means = np.array(
        [relight(image, random, ImageVariation()).mean(axis=(0, 1)) for _ in range(50)]
    )
    assert 8 < means.mean(axis=1).std() < 30
    assert (means[:, 0] / means[:, 2]).std() > 0.02


def test_blur_takes_detail_away_and_keeps_the_brightness() -> None:
    random = np.random.default_rng(0)
    sharp = cv2.Laplacian(scene(), cv2.CV_64F).var()
    for _ in range(20):
        blurred = blur(scene(), random)
        assert cv2.Laplacian(blurred, cv2.CV_64F).var() < 0.9 * sharp
        assert blurred.mean() == pytest.approx(scene().mean(), abs=2)


def test_rain_adds_bright_streaks_that_stand() -> None:
    image = np.full((224, 224, 3), 60, np.uint8)
    rain = rain_streaks(image, np.random.default_rng(0))
    streaks = rain[..., 0].astype(int) - int(np.median(rain[..., 0])) > 20
    assert 0.002 < streaks.mean() < 0.3
    down = (streaks[1:] & streaks[:-1]).sum()
    across = (streaks[:, 1:] & streaks[:, :-1]).sum()
    assert down > across


def test_drops_change_a_part_of_the_image_and_show_it_upside_down() -> None:
    image = np.zeros((224, 224, 3), np.uint8)
    image[:112] = 200
    shares = []
    for seed in range(10):
        changed = lens_drops(image, np.random.default_rng(seed)) != image
        shares.append(changed.mean())
        assert changed.any()
    assert max(shares) < 0.6
    inside = lens_drops(image, np.random.default_rng(1))
    assert inside[:90].min() < 30
    assert inside[134:].max() > 170


def test_glare_only_brightens_and_dusk_darkens() -> None:
    random = np.random.default_rng(0)
    for _ in range(10):
        bright = glare(scene(), random)
        assert (bright >= scene()).all()
        assert bright.mean() > scene().mean() + 20
        assert dusk(scene(), random).mean() < 0.6 * scene().mean()


def test_rain_falls_only_where_it_may() -> None:
    rain = ImageVariation(smallest_crop=1.0, light=0.0, blur=0, rain=1, drops=0, glare=0, dusk=0)
    plain = vary_image(scene(), 64, np.random.default_rng(0), NOTHING, may_rain=True)
    dry = vary_image(scene(), 64, np.random.default_rng(0), rain, may_rain=False)
    wet = vary_image(scene(), 64, np.random.default_rng(0), rain, may_rain=True)
    assert np.array_equal(dry, plain)
    assert not np.array_equal(wet, plain)


def test_variations_differ_and_repeat_with_their_seed() -> None:
    often = ImageVariation(blur=0.5, rain=0.5, drops=0.5, glare=0.5, dusk=0.5)

    def views(seed: int) -> list[bytes]:
        random = np.random.default_rng(seed)
        made = [vary_image(scene(), 64, random, often, may_rain=True) for _ in range(12)]
        assert {(view.shape, view.dtype) for view in made} == {((64, 64, 3), np.dtype(np.uint8))}
        return [view.tobytes() for view in made]

    assert views(1) == views(1)
    assert len(set(views(1)) | set(views(2))) == 24
