# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.features.sounds import network_audio

if TYPE_CHECKING:
    from numpy.typing import NDArray


def tone(rate_hz: int, seconds: float, hertz: float = 440.0) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate_hz * seconds)) / rate_hz).astype(
        np.float32
    )


def test_equal_rates_pass_unchanged() -> None:
    sound = tone(16_000, 0.5)
    assert network_audio(sound, 16_000, 16_000, sound.size) is sound


def test_the_newest_part_is_kept() -> None:
    sound = np.arange(10, dtype=np.float32)
    assert network_audio(sound, 8000, 8000, 4).tolist() == [6, 7, 8, 9]


def test_too_little_sound_is_padded_in_front() -> None:
    sound = np.ones(3, np.float32)
    assert network_audio(sound, 8000, 8000, 5).tolist() == [0, 0, 1, 1, 1]
    assert network_audio(sound[:0], 8000, 8000, 2).tolist() == [0, 0]


@pytest.mark.parametrize('rate_hz', [8000, 22_050, 44_100, 48_000])
def test_resampling_keeps_a_tone(rate_hz: int) -> None:
    resampled = network_audio(tone(rate_hz, 1.0), rate_hz, 16_000, 16_000)
    middle = slice(2000, 14_000)
    assert resampled.dtype == np.float32
    np.testing.assert_allclose(resampled[middle], tone(16_000, 1.0)[middle], atol=5e-3)


def test_resampling_removes_what_the_target_rate_cannot_hold() -> None:
    resampled = network_audio(tone(48_000, 1.0, hertz=12_000), 48_000, 16_000, 16_000)
    assert np.abs(resampled[2000:14_000]).max() < 0.02
