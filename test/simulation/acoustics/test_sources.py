# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the microphone hears of moving sources: Doppler effect, delay, distance, direction."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.acoustics import AcousticScene, SourceState
from mm_fusion.simulation.acoustics.propagation import (
    SPEED_OF_SOUND_MPS,
    air_absorption_db_per_m,
)
from mm_fusion.simulation.acoustics.voices import HORN
from support.listening import QUIET, RATE_HZ, TWO, level_db, listen, pascal

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mm_fusion.simulation.world import Siren

STILL = AcousticScene(0.0, engine_on=False)
MICROPHONE_X_M = 1.2


def siren(kind: Siren, x_m: float, y_m: float = 0.0, speed_mps: float = 0.0) -> SourceState:
    heading = math.pi if x_m > 0 else 0.0
    return SourceState(1, 'ambulance', x_m, y_m, heading, speed_mps, kind, siren_on=True)


def still(*sources: SourceState) -> Callable[[float], AcousticScene]:
    return lambda time_s: replace(STILL, time_s=time_s, sources=sources)


def low_tone_hz(sound: NDArray[np.float64]) -> float:
    """Give the pitch of the lower of the two tones, where it is the one that sounds."""
    pitches, strengths = [], []
    for begin in range(0, len(sound) - 4096, 1024):
        spectrum = np.abs(np.fft.rfft(sound[begin : begin + 4096] * np.hanning(4096)))
        spectrum[: round(390 / RATE_HZ * 4096)] = 0
        spectrum[round(505 / RATE_HZ * 4096) :] = 0
        top = int(spectrum.argmax())
        a, b, c = np.log(spectrum[top - 1 : top + 2] + 1e-12)
        pitches.append((top + (a - c) / (2 * (a - 2 * b + c))) / 4096 * RATE_HZ)
        strengths.append(b)
    sounding = np.array(strengths) > np.median(strengths)
    return float(np.median(np.array(pitches)[sounding]))


@pytest.mark.parametrize('speed_mps', [15.0, 35.0])
def test_a_passing_siren_changes_its_pitch_by_the_doppler_formula(speed_mps: float) -> None:
    passes_s = 5.0

    def scene(time_s: float) -> AcousticScene:
        x = MICROPHONE_X_M + speed_mps * (passes_s - time_s)
        source = replace(siren('two_tone', x, 2.0, speed_mps), heading_rad=math.pi)
        return replace(STILL, time_s=time_s, sources=(source,))

    sound = pascal(listen(scene, 2 * passes_s))
    coming = low_tone_hz(sound[: 4 * RATE_HZ])
    going = low_tone_hz(sound[6 * RATE_HZ :])

    assert coming == pytest.approx(440 / (1 - speed_mps / SPEED_OF_SOUND_MPS), rel=0.005)
    assert going == pytest.approx(440 / (1 + speed_mps / SPEED_OF_SOUND_MPS), rel=0.005)


def test_a_driver_who_comes_nearer_hears_the_doppler_effect_of_a_moving_ear() -> None:
    speed = 25.0

    def scene(time_s: float) -> AcousticScene:
        source = siren('two_tone', 250.0, 2.0)
        return replace(STILL, time_s=time_s, x_m=speed * time_s, sources=(source,))

    heard = low_tone_hz(pascal(listen(scene, 4.0)))

    assert heard == pytest.approx(440 * (1 + speed / SPEED_OF_SOUND_MPS), rel=0.005)


@pytest.mark.parametrize('away_m', [34.32, 171.6, 411.84])
def test_a_horn_is_heard_after_its_sound_has_come_all_the_way(away_m: float) -> None:
    def scene(time_s: float) -> AcousticScene:
        on = time_s >= 1.0 - 1e-9
        source = SourceState(1, 'car', MICROPHONE_X_M + away_m, 0.0, 0.0, 0.0, horn_on=on)
        return replace(STILL, time_s=time_s, sources=(source,))

    sound = pascal(listen(scene, 2.6))
    first = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())[0] / RATE_HZ

    # It swells during the 20 ms before it is fully on.
    assert 0.98 <= first - away_m / SPEED_OF_SOUND_MPS <= 1.0


def test_a_horn_swells_without_a_click() -> None:
    def scene(time_s: float) -> AcousticScene:
        source = SourceState(1, 'car', 36.0, 0.0, 0.0, 0.0, horn_on=time_s >= 0.1 - 1e-9)
        return replace(STILL, time_s=time_s, sources=(source,))

    sound = pascal(listen(scene, 0.5))
    first = np.flatnonzero(sound)[0]
    quarters = sound[first : first + 320].reshape(4, 80).std(axis=1)

    assert (np.diff(quarters) > 0).all()
    assert quarters[0] < 0.25 * sound[-800:].std()


def test_a_source_that_comes_into_the_scene_has_been_moving_before() -> None:
    speed = 30.0

    def scene(time_s: float) -> AcousticScene:
        x = MICROPHONE_X_M + 200.0 - speed * time_s
        source = SourceState(1, 'car', x, 0.0, math.pi, speed, horn_on=True)
        return replace(STILL, time_s=time_s, sources=(source,))

    # What is heard in the first half second was sent before the first scene.
    sound = pascal(listen(scene, 0.5))
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 2**17))[: 2**17 * 460 // RATE_HZ]

    pitch = int(spectrum.argmax()) / 2**17 * RATE_HZ
    assert pitch == pytest.approx(400 / (1 - speed / SPEED_OF_SOUND_MPS), rel=0.005)


def test_partials_fade_within_a_block() -> None:
    sent = np.arange(320, dtype=np.float64) / RATE_HZ
    sound = HORN.sound(sent, np.ones(320), np.array([0.0, 20_000.0]), 7500.0)

    quarters = sound.reshape(4, 80).std(axis=1)

    assert (np.diff(quarters) < 0).all()
    assert quarters[3] < 0.4 * quarters[0]


def test_sound_of_a_source_that_has_gone_still_arrives() -> None:
    def scene(time_s: float) -> AcousticScene:
        here = (siren('wail', 171.6 + MICROPHONE_X_M),) if time_s < 1.0 else ()
        return replace(STILL, time_s=time_s, sources=here)

    sound = pascal(listen(scene, 3.0))
    loud = [np.std(sound[int(t * RATE_HZ) :][:800]) > 1e-3 for t in (0.9, 1.4, 1.6, 2.9)]

    assert loud == [True, True, False, False]


def test_twice_the_distance_takes_six_decibels_and_what_the_air_absorbs() -> None:
    distances = [20.0, 40.0, 80.0, 160.0]
    found = []
    for distance in distances:
        horn = SourceState(1, 'car', distance + MICROPHONE_X_M, 0.0, 0.0, 0.0, horn_on=True)
        found.append(level_db(pascal(listen(still(horn), 0.5)), 380, 420))

    absorbed = float(air_absorption_db_per_m(400.0))
    for near, far, distance in zip(found, found[1:], distances):
        assert near - far == pytest.approx(6.02 + absorbed * distance, abs=0.05)


def test_the_air_takes_most_of_the_high_partials() -> None:
    near, far = (
        pascal(listen(still(siren('wail', d + MICROPHONE_X_M)), 4.0)) for d in (20.0, 320.0)
    )

    def tilt(sound: NDArray[np.float64]) -> float:
        return level_db(sound, 4000, 8000) - level_db(sound, 500, 1500)

    assert tilt(far) < tilt(near) - 5


def test_a_passing_car_is_loudest_beside_the_microphone() -> None:
    def scene(time_s: float) -> AcousticScene:
        car = SourceState(4, 'car', MICROPHONE_X_M + 20 * (time_s - 2), 3.5, 0.0, 20.0)
        return replace(STILL, time_s=time_s, sources=(car,))

    sound = pascal(listen(scene, 4.0)).reshape(-1, RATE_HZ // 10)
    loudness = np.std(sound, axis=1)

    assert abs(int(loudness.argmax()) - 20) <= 2
    assert loudness.max() > 8 * max(loudness[:3].max(), loudness[-3:].max())
    # 20 m/s at 7.5 m: what roadside measurements of cars give, within a few decibels.
    assert 72 < 20 * np.log10(loudness.max() / 20e-6 * 3.6 / 7.5) < 84


def test_a_car_that_is_not_quite_masked_by_the_own_noise_is_part_of_the_sound() -> None:
    car = SourceState(4, 'car', MICROPHONE_X_M, 12.0, 0.0, 14.0)

    def alone(time_s: float) -> AcousticScene:
        return replace(STILL, time_s=time_s, sources=(car,))

    def driving(*sources: SourceState) -> NDArray[np.float64]:
        own = replace(STILL, speed_mps=14.0, sources=sources)
        return pascal(listen(lambda t: replace(own, time_s=t), 2.0))

    # The noise of the own vehicle is the same in both.
    car_only = driving(car) - driving()
    assert level_db(car_only) < level_db(driving()) - 8
    assert level_db(car_only) == pytest.approx(level_db(pascal(listen(alone, 2.0))), abs=0.5)


@pytest.mark.parametrize('side', [1.0, -1.0])
def test_the_nearer_microphone_hears_first_and_louder(side: float) -> None:
    car = SourceState(4, 'truck', MICROPHONE_X_M, side * 12.0, 0.0, 20.0)
    samples = listen(still(car), 3.0, TWO)[RATE_HZ:]
    left, right = pascal(samples, 0), pascal(samples, 1)

    both = np.fft.irfft(np.fft.rfft(left).conj() * np.fft.rfft(right))
    lag = int(np.fft.fftshift(both).argmax()) - len(both) // 2

    assert lag == pytest.approx(side * TWO.spacing_m / SPEED_OF_SOUND_MPS * RATE_HZ, abs=2)
    assert side * (np.std(left) - np.std(right)) > 0


def test_blocks_join_without_seams() -> None:
    def scene(time_s: float) -> AcousticScene:
        moving = siren('wail', 60.0 - 25 * time_s, 3.0, 25.0)
        source = replace(moving, heading_rad=math.pi)
        return replace(STILL, time_s=time_s, x_m=5 * time_s, sources=(source,))

    sound = pascal(listen(scene, 4.0))
    bend = np.abs(np.diff(sound, 3))
    places = np.arange(len(bend)) % 320
    # A third difference that spans a boundary begins up to three samples before it.
    joint = np.isin(places, (317, 318, 319))

    assert bend[joint].mean() == pytest.approx(bend[~joint].mean(), rel=0.1)
    assert bend[joint].max() < 1.2 * bend[~joint].max()


def test_the_length_of_the_blocks_does_not_change_a_siren() -> None:
    def scene(time_s: float) -> AcousticScene:
        source = replace(siren('yelp', 80.0 - 20 * time_s, 3.0, 20.0), heading_rad=math.pi)
        return replace(STILL, time_s=time_s, sources=(source,))

    expected = pascal(listen(scene, 2.0))
    for block_s in (0.005, 0.1):
        found = pascal(listen(scene, 2.0, block_s=block_s))
        assert np.std(found - expected) < 0.03 * np.std(expected)


def test_partials_above_half_the_rate_do_not_fold() -> None:
    low = replace(QUIET, sample_rate_hz=8000)

    sound = listen(still(siren('wail', 30.0)), 8.0, low)[:, 0].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    frequency = np.fft.rfftfreq(len(sound), 1 / 8000)

    # Nothing sounds below the lowest pitch of the sweep.
    assert spectrum[frequency < 600].max() < 1e-3 * spectrum.max()
