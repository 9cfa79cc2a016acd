# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a siren can be heard over the noise of the vehicle that carries the microphone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mm_fusion.simulation.acoustics import levels
from mm_fusion.simulation.acoustics.propagation import (
    SPEED_OF_SOUND_MPS,
    air_absorption_db_per_m,
)
from mm_fusion.simulation.acoustics.scene import AcousticScene, surface_at
from mm_fusion.simulation.acoustics.synthesizer import FULL_SCALE_PA, own_noise
from mm_fusion.simulation.acoustics.tracks import REACH_M
from mm_fusion.simulation.acoustics.voices import SIREN_LEVELS_DB, SIRENS
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from mm_fusion.simulation.world import Siren, Vehicle, World

MARGIN_DB = 0.0
"""A tone is just masked by noise whose level in a critical band is a few dB above the tone's
(Zwicker & Fastl, Psychoacoustics); with 0 dB in a third of an octave a siren that counts as
audible is clear of that threshold, and far from the 13 dB of an alarm that nobody misses (ISO
7731)."""

_SIREN_HZ: dict[Siren, float] = {'wail': 1000.0, 'yelp': 1000.0, 'two_tone': 500.0}
"""Octave band of the lowest partial."""

_PARTIAL_DB = {
    siren: 10 * math.log10(float(voice.amplitudes[0] ** 2 / (voice.amplitudes**2).sum()))
    for siren, voice in SIRENS.items()
}
"""Level of the lowest partial against the whole siren."""

_THIRD_SHARE = 1 / 3


def audible_siren(world: World, stamp_ns: int) -> bool:
    """Tell whether a siren is heard on the roof at a time.

    It is where the lowest partial of the siren, after spreading and absorption by the air, is at
    least ``MARGIN_DB`` above the noise of the own vehicle (tyres on this surface at this speed,
    engine, wind, rain, microphone) in a third of an octave around it, no further than the sound is
    followed (500 m), and its siren was on when the sound set out. Reverberation, houses between
    and other vehicles are left out.
    """
    ego = world.state_at(world.ego, stamp_ns)
    noise: dict[float, float] = {}
    for vehicle in world.vehicles:
        siren = vehicle.siren
        if siren is None or not vehicle.siren_on.any():
            continue
        distance = _distance_if_on(world, vehicle, stamp_ns, ego[Motion.X], ego[Motion.Y])
        if distance is None or distance > REACH_M:
            continue
        band = _SIREN_HZ[siren]
        if band not in noise:
            noise[band] = _noise_db(world, stamp_ns, band)
        if siren_level_db(siren, distance) >= noise[band] + MARGIN_DB:
            return True
    return False


def siren_level_db(siren: Siren, distance_m: float) -> float:
    """Give the level of the lowest partial of a siren after a distance in open air."""
    spreading = 20 * math.log10(max(distance_m, 1.0))
    absorbed = float(air_absorption_db_per_m(_SIREN_HZ[siren])) * distance_m
    return SIREN_LEVELS_DB[siren] + _PARTIAL_DB[siren] - spreading - absorbed


def masking_db(scene: AcousticScene, band_hz: float, self_noise_db: float) -> float:
    """Give the level of the noise at the roof in a third of an octave around a band's centre.

    Args:
        scene: The vehicle and its road; other vehicles do not matter.
        band_hz: One of ``levels.BANDS_HZ``.
        self_noise_db: Of the microphone, against full scale, spread over 8 kHz.
    """
    surface = levels.surface_factor(scene.friction, scene.material, scene.unevenness)
    power = own_noise(scene, surface)
    power += levels.wind(math.hypot(scene.speed_mps, scene.wind_mps))
    share = _THIRD_SHARE * float(power[band_hz == levels.BANDS_HZ].sum())
    microphone = FULL_SCALE_PA**2 / 2 * 10 ** (self_noise_db / 10)
    share += microphone * (2 ** (1 / 6) - 2 ** (-1 / 6)) * band_hz / 8000.0
    return 10 * math.log10(share / levels.REFERENCE_PA**2)


def _noise_db(world: World, stamp_ns: int, band_hz: float) -> float:
    ego = world.state_at(world.ego, stamp_ns)
    weather = world.weather_at(stamp_ns)
    friction, material, unevenness = surface_at(world, float(ego[Motion.ARC]))
    scene = AcousticScene(
        time_s=0.0,
        speed_mps=float(ego[Motion.SPEED]),
        friction=friction,
        material=material,
        unevenness=unevenness,
        rain_mmph=weather.rain_mmph,
        wind_mps=weather.wind_mps,
    )
    return masking_db(scene, band_hz, world.scenario.microphone.self_noise_db)


def _distance_if_on(
    world: World, vehicle: Vehicle, stamp_ns: int, x_m: float, y_m: float
) -> float | None:
    """Give how far the sound went that is heard now; None where the siren was off then."""
    sent_ns = stamp_ns
    distance = 0.0
    # Vehicles are far slower than sound: each round shortens the error tenfold or more.
    for _ in range(4):
        state = world.state_at(vehicle, sent_ns)
        distance = math.hypot(float(state[Motion.X]) - x_m, float(state[Motion.Y]) - y_m)
        sent_ns = stamp_ns - round(distance / SPEED_OF_SOUND_MPS * 1e9)
    return distance if bool(vehicle.siren_on[world.step_at(sent_ns)]) else None
