# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Variations of sound do what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.training.augment.sounds import (
    amplified,
    coloured,
    coloured_noise,
    levelled,
    mix,
    random_window,
    shortened,
    tonal_events,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.mark.parametrize('ratio_db', [-5.0, 0.0, 20.0])
def test_mixing_keeps_the_ratio_of_powers(ratio_db: float) -> None:
    random = np.random.default_rng(0)
    signal = random.normal(0, 0.3, 5000).astype(np.float32)
    noise = random.normal(0, 0.01, 5000).astype(np.float32)
    added = mix(signal, noise, ratio_db) - signal
    found = 10 * np.log10(np.mean(signal**2) / np.mean(added**2))
    assert found == pytest.approx(ratio_db, abs=0.01)


def test_mixing_with_silence_changes_nothing() -> None:
    signal = np.ones(10, np.float32)
    assert mix(signal, np.zeros(10, np.float32), 0.0) is signal
    assert mix(np.zeros(10, np.float32), signal, 0.0).tolist() == [0.0] * 10


def test_a_window_is_a_part_of_the_clip_at_another_speed() -> None:
    clip = np.arange(10_000, dtype=np.float32)
    random = np.random.default_rng(0)
    slopes, starts = [], []
    for _ in range(40):
        window = random_window(clip, 2000, random)
        assert window.shape == (2000,)
        slopes.append((window[-1] - window[0]) / 1999)
        starts.append(window[0])
    assert 0.9 < min(slopes) < 0.95 < 1.05 < max(slopes) < 1.11
    assert max(starts) > 6000


def test_a_short_clip_is_repeated() -> None:
    window = random_window(np.array([1.0, -1.0, 0.5], np.float32), 100, np.random.default_rng(0))
    assert window.shape == (100,)
    assert np.abs(window[-20:]).max() > 0.5


def test_colour_is_a_filter_within_its_gain() -> None:
    tone = np.sin(np.arange(4096) * 2 * np.pi / 16).astype(np.float32)
    random = np.random.default_rng(0)
    gains = [
        10 * np.log10(np.mean(coloured(tone, random, 12.0) ** 2) / np.mean(tone**2))
        for _ in range(40)
    ]
    assert np.abs(gains).max() <= 12.01
    assert np.std(gains) > 2.0


def test_noise_is_other_noise_each_time() -> None:
    random = np.random.default_rng(0)
    first, second = (coloured_noise(4000, random, 6.0) for _ in range(2))
    assert first.dtype == np.float32
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert 0.2 < first.std() < 2.1


def test_a_shortened_window_keeps_its_newest_part() -> None:
    random = np.random.default_rng(0)
    silent = []
    for _ in range(30):
        window = shortened(np.ones(1000, np.float32), random)
        silent.append(int((window == 0).sum()))
        assert (window[silent[-1] :] == 1).all()
    assert max(silent) > 400
    assert max(silent) <= 600


def test_levels_span_the_range_and_silence_stays() -> None:
    random = np.random.default_rng(0)
    peaks = [np.abs(levelled(np.full(9, -3.0, np.float32), random)).max() for _ in range(60)]
    assert 0.02 <= min(peaks) < 0.05 < 0.7 < max(peaks) <= 1.0 + 1e-6
    assert not levelled(np.zeros(9, np.float32), random).any()


def test_gain_is_in_decibels_and_clips() -> None:
    sound = np.array([0.01, 0.5], np.float32)
    assert amplified(sound, 20.0).tolist() == pytest.approx([0.1, 1.0])


def steadiness(sound: NDArray[np.float32], rate_hz: int) -> tuple[int, int]:
    """Count the steps between loud frames of 64 ms, and those where the pitch stays."""
    length = int(0.064 * rate_hz)
    frames = sound[: sound.size // length * length].reshape(-1, length) * np.hanning(length)
    power = np.abs(np.fft.rfft(frames)) ** 2
    loud = power.sum(axis=1) > 0.05 * power.sum(axis=1).max()
    held = loud[1:] & loud[:-1]
    moved = np.abs(np.diff(power.argmax(axis=1)))[held]
    return moved.size, int((moved <= 1).sum())


def test_tonal_events_have_pitches_that_do_not_move() -> None:
    rate_hz = 16_000
    steps, steady = 0, 0
    for seed in range(60):
        sound = tonal_events(rate_hz, rate_hz, np.random.default_rng(seed))
        assert sound.shape == (rate_hz,)
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
        assert 0.05 < np.abs(sound).max() < 20.0
        found = steadiness(sound, rate_hz)
        steps, steady = steps + found[0], steady + found[1]
    assert steps > 200
    assert steady > 0.75 * steps
    times = np.arange(rate_hz) / rate_hz
    wail = np.sin(2.0 * np.pi * (600.0 * times + 800.0 * times**2)).astype(np.float32)
    steps, steady = steadiness(wail, rate_hz)
    assert steady < 0.1 * steps


def test_tonal_events_differ_and_repeat_with_the_seed() -> None:
    first, again, other = (
        tonal_events(8000, 16_000, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
