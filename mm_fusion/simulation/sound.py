# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a microphone in the made drive hears: engine, tyres, and a siren that passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.course import Course, DrivenCourse
    from mm_fusion.simulation.ground import Weather

SPEED_OF_SOUND_MPS = 343.0
_GRID_S = 0.005
_WAIL_LOW_HZ = 620.0
_WAIL_HIGH_HZ = 1450.0
_WAIL_PERIOD_S = 3.6
_SIREN_REFERENCE_M = 6.0
_SIREN_LEVEL = 0.45
_HARMONICS = (1.0, 0.45, 0.3, 0.12)
_GEAR_TOP_MPS = (4.0, 8.0, 12.5, 18.0)


@dataclass(frozen=True, slots=True)
class Siren:
    """A vehicle that comes along the course towards the driven one, its siren on for a while.

    Attributes:
        arc_m: Its arc length at time 0.
        speed_mps: Against the direction of the course.
        left_m: Its offset to the left of the course.
        on_s: When the siren starts, at the source.
        off_s: When it ends, at the source.
    """

    arc_m: float
    speed_mps: float
    left_m: float
    on_s: float
    off_s: float

    def arc_at(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give its arc length along the course."""
        return self.arc_m - self.speed_mps * time_s

    def positions(self, course: Course, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give its position in the map frame, (n, 2)."""
        return course.beside(self.arc_at(time_s), np.full(len(time_s), self.left_m))


def drive_sound(
    driven: DrivenCourse,
    weather: Weather,
    siren: Siren,
    duration_s: float,
    sample_rate_hz: int,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Make the sound of a drive, float32 (n,) in [-1, 1]."""
    times = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    grid = _GRID_S * np.arange(math.ceil(duration_s / _GRID_S) + 1, dtype=np.float64)
    truths = [driven.truth_at(float(time)) for time in grid]
    places = np.array([[truth.x_m, truth.y_m] for truth in truths])
    speeds = np.array([truth.speed_mps for truth in truths])
    pulls = np.array([truth.acceleration_mps2 for truth in truths])
    shares = weather.shares(np.array([truth.arc_m for truth in truths]))
    sound = _engine(times, grid, speeds, pulls)
    sound += _tyres(times, grid, speeds, shares, rng)
    sound += _siren(times, grid, places, siren, driven.course)
    sound += 0.002 * rng.standard_normal(len(times))
    return np.clip(sound, -1, 1).astype(np.float32)


def _engine(
    times: NDArray[np.float64],
    grid: NDArray[np.float64],
    speeds: NDArray[np.float64],
    pulls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Sum the harmonics of a four-stroke engine with four cylinders and four gears."""
    gear = np.asarray(_GEAR_TOP_MPS)[np.searchsorted(_GEAR_TOP_MPS[:-1], speeds)]
    turns_hz = np.convolve(np.clip(45 * speeds / gear, 13, None), np.ones(40) / 40, mode='same')
    firing = 2 * np.interp(times, grid, turns_hz)
    phase = 2 * math.pi * np.cumsum(firing) / (len(times) / times[-1])
    load = np.interp(times, grid, 0.012 + 0.012 * np.clip(pulls, 0, 2))
    tones = sum(np.sin(order * phase + order) / order for order in (0.5, 1, 1.5, 2, 3, 4, 6))
    return np.asarray(load * tones)


def _tyres(
    times: NDArray[np.float64],
    grid: NDArray[np.float64],
    speeds: NDArray[np.float64],
    shares: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Shape noise like rolling tyres: dull when dry, hissing when wet, muffled by snow."""
    spectrum = np.fft.rfft(rng.standard_normal(len(times)))
    frequency = np.fft.rfftfreq(len(times), times[1])
    road = np.fft.irfft(spectrum / (1 + (frequency / 500) ** 2), len(times))
    hiss = np.fft.irfft(spectrum * frequency**2 / (frequency**2 + 2500**2), len(times))
    level = 0.25 * (speeds / 14) ** 1.5
    dull = np.interp(times, grid, level * (shares @ np.array([1.0, 1.0, 0.5])))
    bright = np.interp(times, grid, level * (shares @ np.array([0.04, 0.25, 0.01])))
    return np.asarray(dull * road + bright * hiss)


def _siren(
    times: NDArray[np.float64],
    grid: NDArray[np.float64],
    places: NDArray[np.float64],
    siren: Siren,
    course: Course,
) -> NDArray[np.float64]:
    """Let the siren's sound travel: what is heard at a time was sent when it set out.

    The time of sending solves ``heard = sent + distance(sent, heard) / speed of sound``; its
    change is the Doppler effect, and the level falls with the distance.
    """
    sent = grid.copy()
    for _ in range(8):
        away = np.linalg.norm(siren.positions(course, sent) - places, axis=1)
        sent = grid - away / SPEED_OF_SOUND_MPS
    level = _SIREN_LEVEL * _SIREN_REFERENCE_M / np.maximum(away, _SIREN_REFERENCE_M)
    emitted = np.interp(times, grid, sent)
    phase = _wail_phase(emitted)
    tone = sum(part * np.sin((i + 1) * phase) for i, part in enumerate(_HARMONICS))
    edge = 0.05
    gate = np.clip((emitted - siren.on_s) / edge, 0, 1) * np.clip(
        (siren.off_s - emitted) / edge, 0, 1
    )
    return np.asarray(gate * np.interp(times, grid, level) * tone / sum(_HARMONICS))


def _wail_phase(sent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integrate a pitch that swings between its ends, even on the scale of octaves."""
    fine = np.arange(sent.min() - 0.01, sent.max() + 0.01, 1e-4)
    swing = 0.5 - 0.5 * np.cos(2 * math.pi * fine / _WAIL_PERIOD_S)
    pitch = _WAIL_LOW_HZ * (_WAIL_HIGH_HZ / _WAIL_LOW_HZ) ** swing
    return np.asarray(2 * math.pi * np.interp(sent, fine, np.cumsum(pitch) * 1e-4))
