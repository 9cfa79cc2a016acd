# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The made sound has the physics of a passing siren."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation import sound
from mm_fusion.simulation.course import Course, DrivenCourse, SpeedProfile
from mm_fusion.simulation.ground import Weather
from mm_fusion.simulation.sound import Siren, drive_sound

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 16_000
DRY = Weather(wet_from_m=1e6, snow_from_m=1e6)
STRAIGHT = Course([(0.0, 0.0)], -400.0, 400.0, 0.0)
PARKED = DrivenCourse(STRAIGHT, SpeedProfile([(0.0, 0.0), (1.0, 0.0)]))


def heard(driven: DrivenCourse, siren: Siren, duration_s: float = 8.0) -> NDArray[np.float32]:
    return drive_sound(driven, DRY, siren, duration_s, RATE_HZ, np.random.default_rng(3))


def pitch(samples: NDArray[np.float32]) -> float:
    """Give the strongest frequency in the range of the wail."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    wail = (frequencies > 500) & (frequencies < 1700)
    return float(frequencies[wail][spectrum[wail].argmax()])


def test_a_siren_is_heard_between_its_ends_alone() -> None:
    siren = Siren(arc_m=20.0, speed_mps=0.0, left_m=0.0, on_s=2.0, off_s=4.0)

    samples = heard(PARKED, siren)
    levels = [float(np.std(samples[int(t * RATE_HZ) :][: RATE_HZ // 2])) for t in (1, 2.5, 5)]

    assert levels[1] > 2 * max(levels[0], levels[2])


def test_sound_takes_its_time() -> None:
    siren = Siren(arc_m=343.0, speed_mps=0.0, left_m=0.0, on_s=2.0, off_s=8.0)

    samples = heard(PARKED, siren)
    silent = heard(PARKED, Siren(343.0, 0.0, 0.0, 99.0, 100.0))
    first = np.flatnonzero(np.abs(samples - silent) > 1e-4)[0] / RATE_HZ

    assert first == pytest.approx(3.0, abs=0.03)


def test_a_siren_that_comes_is_higher_by_the_doppler_effect() -> None:
    speed = 30.0
    still = Siren(arc_m=0.0, speed_mps=0.0, left_m=8.0, on_s=0.0, off_s=9.0)
    # Both are heard at 1.8 s what they send at about 1.78 s, when the pitch stands still.
    coming = Siren(arc_m=speed * 1.78 + 8, speed_mps=speed, left_m=0.0, on_s=0.0, off_s=9.0)
    window = slice(int(1.77 * RATE_HZ), int(1.87 * RATE_HZ))

    ratio = pitch(heard(PARKED, coming)[window]) / pitch(heard(PARKED, still)[window])

    expected = sound.SPEED_OF_SOUND_MPS / (sound.SPEED_OF_SOUND_MPS - speed)
    assert ratio == pytest.approx(expected, abs=0.03)


def test_twice_as_far_is_half_as_loud() -> None:
    near = heard(PARKED, Siren(40.0, 0.0, 0.0, 0.0, 9.0))
    far = heard(PARKED, Siren(80.0, 0.0, 0.0, 0.0, 9.0))
    silent = heard(PARKED, Siren(40.0, 0.0, 0.0, 98.0, 99.0))
    part = slice(RATE_HZ, 6 * RATE_HZ)

    ratio = np.std((near - silent)[part]) / np.std((far - silent)[part])

    assert ratio == pytest.approx(2.0, rel=0.05)


def test_faster_is_louder() -> None:
    nowhere = Siren(40.0, 0.0, 0.0, 98.0, 99.0)
    levels = [
        float(np.std(heard(DrivenCourse(STRAIGHT, SpeedProfile([(0, v), (1, v)])), nowhere)))
        for v in (3.0, 8.0, 15.0)
    ]

    assert levels == sorted(levels)
    assert levels[2] > 2 * levels[0]
