# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sensors in trouble tell little, the rest of the sample stays, and the node's own check holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.features.quality import image_quality
from mm_fusion.settings import Settings
from mm_fusion.training.augment.blinding import blinded, drowned
from mm_fusion.training.data.sample import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 16_000


def street() -> Sample:
    """Make a sample whose image has edges and whose sound is a tone."""
    image = np.full((64, 64, 3), 150, np.uint8)
    image[32:] = 70
    image[:, ::8] = 200
    tone = 0.3 * np.sin(np.arange(RATE_HZ) * 0.3)
    return Sample(image, tone.astype(np.float32), np.zeros((4, 3), np.float32))


def correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


def test_a_blinded_camera_shows_less_and_nothing_else_changes() -> None:
    clean = street()
    assert clean.image is not None
    likeness, withheld = [], 0
    for seed in range(60):
        sample = blinded(clean, np.random.default_rng(seed))
        again = blinded(clean, np.random.default_rng(seed))
        assert sample.audio is clean.audio
        assert sample.motion is clean.motion
        if sample.image is None or again.image is None:
            assert sample.image is again.image
            withheld += 1
            continue
        assert np.array_equal(sample.image, again.image)
        assert image_quality(sample.image) >= Settings().camera.min_quality
        likeness.append(correlation(sample.image, clean.image))
    # Some are nearly as they were, some hardly to be seen, and some the node would not show.
    assert max(likeness) > 0.9
    assert min(likeness) < 0.5
    assert 0 < withheld < 40


def test_drowned_sound_is_noise_in_all_degrees_and_does_not_clip() -> None:
    clean = street()
    assert clean.audio is not None
    likeness = []
    for seed in range(60):
        sample = drowned(clean, np.random.default_rng(seed))
        assert sample.audio is not None
        assert sample.audio.dtype == np.float32
        assert np.abs(sample.audio).max() <= 1.0
        assert sample.image is clean.image
        likeness.append(correlation(sample.audio, clean.audio))
    assert min(likeness) == pytest.approx(0.1, abs=0.05)  # 20 dB below the noise
    assert max(likeness) == pytest.approx(0.87, abs=0.05)  # 5 dB above it


def test_what_is_not_there_stays_away() -> None:
    nothing = Sample(None, None, None)
    random = np.random.default_rng(0)
    assert blinded(nothing, random) is nothing
    assert drowned(nothing, random) is nothing
