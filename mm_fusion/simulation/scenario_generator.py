# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scenarios by seed: varied drives to train and to test with.

Season decides what lies on the road together with what falls from the sky, and the kind of road
what it is made of. Each class of the surface comes up often, the rare ones far more often than in
reality, for they are to be learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.simulation.draw import Draw
from mm_fusion.simulation.scenario import (
    SENSORS,
    CameraSettings,
    EmergencyVehicle,
    Fault,
    GnssSettings,
    Horn,
    MicrophoneSettings,
    RoadSettings,
    Scenario,
    SurfaceStretch,
    Timing,
    TrafficSettings,
    VelocitySettings,
    WeatherKey,
)
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.simulation.draw import Range


@dataclass(frozen=True, slots=True)
class _Season:
    """Surfaces and weather that go together.

    Attributes:
        friction: What lies on the road, and how often.
        rain_mmph: Range of the rain; (0, 0): none.
        snowfall_mmph: Range of the snowfall.
        cloud_cover: Range.
        fog_share: How often there is fog.
    """

    friction: Mapping[str, float]
    rain_mmph: Range = (0.0, 0.0)
    snowfall_mmph: Range = (0.0, 0.0)
    cloud_cover: Range = (0.0, 0.7)
    fog_share: float = 0.1


_SEASONS: Mapping[str, _Season] = {
    'fair': _Season({'dry': 1.0}),
    'drizzle': _Season({'wet': 0.8, 'dry': 0.2}, rain_mmph=(0.2, 2.0), cloud_cover=(0.8, 1.0)),
    'downpour': _Season(
        {'wet': 0.35, 'water': 0.65}, rain_mmph=(4.0, 40.0), cloud_cover=(0.9, 1.0)
    ),
    'after rain': _Season({'dry': 0.2, 'wet': 0.5, 'water': 0.3}, cloud_cover=(0.2, 0.9)),
    'snowfall': _Season(
        {'fresh_snow': 0.75, 'melted_snow': 0.25},
        snowfall_mmph=(0.3, 5.0),
        cloud_cover=(0.9, 1.0),
        fog_share=0.0,
    ),
    'after snow': _Season(
        {'fresh_snow': 0.45, 'melted_snow': 0.35, 'ice': 0.2}, cloud_cover=(0.0, 0.9)
    ),
    'thaw': _Season(
        {'melted_snow': 0.6, 'wet': 0.25, 'water': 0.15},
        rain_mmph=(0.0, 1.5),
        cloud_cover=(0.7, 1.0),
    ),
    'frost': _Season({'ice': 0.7, 'dry': 0.3}, fog_share=0.25),
}
_SEASON_SHARES = {
    'fair': 0.2, 'drizzle': 0.12, 'downpour': 0.14, 'after rain': 0.08,
    'snowfall': 0.12, 'after snow': 0.1, 'thaw': 0.1, 'frost': 0.14,
}  # fmt: skip

_ROAD_SHARES = {'town': 0.5, 'rural': 0.3, 'motorway': 0.2}
_MATERIALS: Mapping[str, Mapping[str, float]] = {
    'town': {'asphalt': 0.45, 'cobble': 0.4, 'concrete': 0.15},
    'rural': {'asphalt': 0.3, 'gravel': 0.4, 'mud': 0.3},
    'motorway': {'asphalt': 0.55, 'concrete': 0.45},
}
_UNEVENNESS: Mapping[str, Mapping[str, float]] = {
    'asphalt': {'smooth': 0.6, 'slight': 0.3, 'severe': 0.1},
    'concrete': {'smooth': 0.65, 'slight': 0.3, 'severe': 0.05},
    'cobble': {'slight': 0.6, 'severe': 0.4},
    'gravel': {'slight': 0.5, 'severe': 0.5},
    'mud': {'slight': 0.35, 'severe': 0.65},
}
_STRETCH_M: Mapping[str, Range] = {
    'town': (50.0, 200.0),
    'rural': (90.0, 400.0),
    'motorway': (250.0, 900.0),
}
_TOP_SPEED_MPS = {'town': 14.0, 'rural': 28.0, 'motorway': 37.0}
_VEHICLES: Mapping[str, Range] = {'town': (8, 30), 'rural': (4, 16), 'motorway': (10, 40)}
_SUN_DEG: Mapping[str, Range] = {
    'day': (12.0, 60.0),
    'low sun': (1.0, 8.0),
    'dusk': (-6.0, 0.0),
    'night': (-12.0, -8.0),
}
_SUN_SHARES = {'day': 0.5, 'low sun': 0.2, 'dusk': 0.15, 'night': 0.15}

_OVERTAKING_MPS = {'town': (18.0, 26.0), 'rural': (32.0, 40.0), 'motorway': (40.0, 50.0)}
_SIREN_EVERY_S = 90.0
_HORN_EVERY_S = 60.0
_FAULT_EVERY_S = 40.0


def random_scenario(
    seed: int, duration_s: float = 120.0, *, road: str | None = None, faults: bool = False
) -> Scenario:
    """Make a drive that nobody described.

    Args:
        seed: Decides everything else; also the seed of the scenario.
        duration_s: Length of the drive.
        road: ``town``, ``rural`` or ``motorway``; None leaves it to the seed.
        faults: Whether sensors fail.
    """
    draw = Draw(generator(seed, 'scenario'))
    drawn = draw.one_of(_ROAD_SHARES)
    kind = drawn if road is None else road
    name = draw.one_of(_SEASON_SHARES)
    season = _SEASONS[name]
    light = draw.one_of(_SUN_SHARES)
    return Scenario(
        name=f'random_{seed}',
        description=f'Made by seed: {kind}, {name}, {light}.',
        seed=seed,
        duration_s=duration_s,
        latitude_deg=draw.real((-60.0, 60.0), 4),
        longitude_deg=draw.real((-180.0, 180.0), 4),
        altitude_m=draw.real((0.0, 1500.0), 0),
        road=_road(draw, kind, duration_s),
        surface=_surface(draw, kind, season, duration_s),
        weather=_weather(draw, season, _SUN_DEG[light], duration_s),
        traffic=TrafficSettings(
            vehicles=round(draw.real(_VEHICLES[kind])),
            truck_share=draw.real((0.05, 0.4)),
            parked=round(draw.real((0, 25))) if kind == 'town' else 0,
        ),
        emergencies=_emergencies(draw, kind, duration_s),
        horns=tuple(
            Horn(at_s=draw.real((0.0, duration_s)), duration_s=draw.real((0.2, 2.0)))
            for _ in range(draw.count(duration_s / _HORN_EVERY_S))
        ),
        camera=_camera(draw),
        microphone=MicrophoneSettings(
            self_noise_db=draw.real((-75.0, -50.0), 1), timing=_timing(draw, (0.002, 0.02))
        ),
        gnss=GnssSettings(
            rate_hz=draw.among((1.0, 5.0, 10.0)),
            white_std_m=draw.scale((0.05, 1.5)),
            drift_std_m=draw.scale((0.2, 3.0)),
            drift_time_s=draw.scale((10.0, 200.0)),
            multipath_std_m=draw.scale((0.3, 5.0)),
            timing=_timing(draw, (0.03, 0.2)),
        ),
        velocity=VelocitySettings(
            rate_hz=draw.among((10.0, 25.0, 50.0, 100.0)),
            scale_error=draw.real((-0.03, 0.03), 4),
            speed_std_mps=draw.scale((0.01, 0.2)),
            quantisation_mps=draw.among((0.0, 0.0, 0.02, 0.1)),
            yaw_rate_std_rps=draw.scale((0.001, 0.02)),
            yaw_rate_bias_rps=draw.real((-0.005, 0.005), 4),
            timing=_timing(draw, (0.002, 0.03)),
        ),
        faults=_faults(draw, duration_s) if faults else (),
    )


def _road(draw: Draw, kind: str, duration_s: float) -> RoadSettings:
    if not draw.chance(0.15):
        return RoadSettings(kind=kind)
    reach_m = 0.5 * _TOP_SPEED_MPS[kind] * duration_s
    return RoadSettings(
        kind=kind,
        tunnel_from_m=draw.real((0.1 * reach_m, 0.6 * reach_m), 0),
        tunnel_length_m=draw.real((80.0, 400.0), 0),
    )


def _surface(
    draw: Draw, kind: str, season: _Season, duration_s: float
) -> tuple[SurfaceStretch, ...]:
    """Lay stretches as far as the vehicle can come.

    Each has a new friction or a new material or both: at one place the weather ends, at another
    the works of the road builder.
    """
    reach_m = _TOP_SPEED_MPS[kind] * duration_s
    begin_m = 0.0
    stretches: list[SurfaceStretch] = []
    friction, material = draw.one_of(season.friction), draw.one_of(_MATERIALS[kind])
    while begin_m < reach_m:
        repaved = bool(stretches) and draw.chance(0.5)
        if repaved:
            material = draw.one_of(_MATERIALS[kind])
        if stretches and (not repaved or draw.chance(0.3)):
            friction = draw.one_of(season.friction)
        stretches.append(
            SurfaceStretch(
                from_m=begin_m,
                friction=friction,
                material=material,
                unevenness=draw.one_of(_UNEVENNESS[material]),
                blend_m=draw.real((0.5, 3.0) if repaved else (5.0, 40.0), 1),
            )
        )
        begin_m = round(begin_m + draw.real(_STRETCH_M[kind], 1), 1)
    return tuple(stretches)


def _weather(
    draw: Draw, season: _Season, sun_deg: Range, duration_s: float
) -> tuple[WeatherKey, ...]:
    """Let the weather change a little around what the season has; the sun stands still."""
    sun, azimuth = draw.real(sun_deg, 1), draw.real((-180.0, 180.0), 1)
    foggy = draw.chance(season.fog_share)
    visibility = draw.real((50.0, 500.0), 0) if foggy else draw.real((8_000.0, 40_000.0), 0)
    rain, snowfall = draw.real(season.rain_mmph), draw.real(season.snowfall_mmph)
    # What falls takes the view: rough means of visibilities in rain and in snowfall.
    visibility = min(
        visibility,
        round(8_000.0 / (1 + rain) ** 0.6) if rain else visibility,
        round(1_500.0 / (1 + snowfall)) if snowfall else visibility,
    )
    clouds, wind = draw.real(season.cloud_cover), draw.real((0.0, 14.0), 1)
    keys = []
    for share in (0.0, 0.5, 1.0):
        change = draw.real((0.7, 1.3))
        keys.append(
            WeatherKey(
                at_s=round(share * duration_s, 2),
                rain_mmph=round(rain * change, 2),
                snowfall_mmph=round(snowfall * change, 2),
                visibility_m=float(min(50_000, round(visibility / change))),
                cloud_cover=min(1.0, round(clouds * change, 2)),
                sun_elevation_deg=sun,
                sun_azimuth_deg=azimuth,
                wind_mps=round(wind * change, 1),
            )
        )
    return tuple(keys)


def _emergencies(draw: Draw, kind: str, duration_s: float) -> tuple[EmergencyVehicle, ...]:
    """Let vehicles with sirens meet the ego vehicle, none while another is still heard."""
    approaches = ['oncoming', 'oncoming', 'from_behind']
    if kind != 'motorway':
        approaches.append('crossing')
    found = []
    at_s = 0.0
    for _ in range(draw.count(duration_s / _SIREN_EVERY_S)):
        on_before_s, off_after_s = draw.real((3.0, 15.0), 1), draw.real((1.0, 10.0), 1)
        at_s += on_before_s + draw.real((0.0, duration_s / 2), 1)
        if at_s > duration_s:
            break
        approach = draw.among(approaches)
        # Slower than the traffic, one from behind would never come.
        speeds = _OVERTAKING_MPS[kind] if approach == 'from_behind' else (10.0, 30.0)
        found.append(
            EmergencyVehicle(
                vehicle=draw.among(('ambulance', 'police', 'fire_engine')),
                siren=draw.among(('wail', 'yelp', 'two_tone')),
                approach=approach,
                meets_at_s=round(at_s, 1),
                speed_mps=draw.real(speeds, 1),
                on_before_s=on_before_s,
                off_after_s=off_after_s,
            )
        )
        at_s += off_after_s
    return tuple(found)


def _camera(draw: Draw) -> CameraSettings:
    """Mount the camera somewhere behind the windscreen of a car or a van."""
    return CameraSettings(
        horizontal_fov_deg=draw.real((55.0, 95.0), 1),
        forward_m=draw.real((1.2, 2.2)),
        up_m=draw.real((1.2, 2.1)),
        pitch_down_deg=draw.real((1.0, 7.0), 1),
        timing=_timing(draw, (0.01, 0.06)),
    )


def _timing(draw: Draw, latency_s: Range) -> Timing:
    latency = draw.scale(latency_s)
    return Timing(
        clock_offset_s=draw.real((-0.01, 0.01), 4),
        clock_drift_ppm=draw.real((-30.0, 30.0), 1),
        stamp_jitter_s=draw.scale((0.0001, 0.002)),
        latency_s=latency,
        latency_jitter_s=round(0.2 * latency, 4),
    )


def _faults(draw: Draw, duration_s: float) -> tuple[Fault, ...]:
    found = []
    for _ in range(draw.count(duration_s / _FAULT_EVERY_S)):
        kind = draw.among(
            ('dies', 'freezes', 'stuck', 'delays', 'duplicates', 'corrupts', 'clock_jumps')
        )
        from_s = draw.real((0.0, 0.9 * duration_s))
        amount_s = draw.scale((0.05, 3.0))
        if kind == 'clock_jumps' and draw.chance(0.5):
            amount_s = -amount_s
        found.append(
            Fault(
                sensor=draw.among(SENSORS),
                kind=kind,
                from_s=from_s,
                to_s=round(from_s + draw.scale((0.5, 10.0)), 2),
                amount_s=amount_s,
                share=draw.among((1.0, 1.0, 0.5, 0.1)),
            )
        )
    return tuple(found)
