# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sun, sky, clouds and the air between the camera and what it sees.

Radiance is relative: a white diffuser under a clear noon sky has about 1. Towards night it falls
less than in nature (to about 1/300 at 12° below the horizon, where nature reaches a
millionth), so that half-precision targets and lamps of about 0.1 suffice; the automatic exposure
of the lens hides the difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mm_fusion.simulation.rendering.glsl import assign, read_shader
from mm_fusion.simulation.rendering.noise import Tile, ranked
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import WeatherState, World

Colour: TypeAlias = 'NDArray[np.float64]'

CLOUD_UNIT = 5
"""Texture unit of the clouds."""

_CLOUD_PIXELS = 512
_CLOUD_DRIFT = 0.0006
_FOG_HEIGHT_M = 120.0
_KOSCHMIEDER = 3.912
"""-ln(0.02): at the meteorological visibility 2 % of the contrast is left (Koschmieder, 1924)."""

_NEPERS_PER_DECIBEL = math.log(10) / 10

_ELEVATIONS_DEG = np.array([-12.0, -6.0, -2.0, 0.0, 5.0, 15.0, 40.0, 90.0])
_ZENITH = np.array(
    [
        [0.0010, 0.0017, 0.0038],
        [0.0060, 0.0105, 0.0250],
        [0.020, 0.035, 0.075],
        [0.030, 0.056, 0.115],
        [0.040, 0.080, 0.170],
        [0.045, 0.092, 0.205],
        [0.050, 0.105, 0.235],
        [0.055, 0.115, 0.255],
    ]
)
_HORIZON = np.array(
    [
        [0.0018, 0.0023, 0.0042],
        [0.018, 0.021, 0.034],
        [0.065, 0.072, 0.098],
        [0.115, 0.118, 0.146],
        [0.20, 0.21, 0.235],
        [0.26, 0.295, 0.345],
        [0.28, 0.335, 0.405],
        [0.30, 0.355, 0.425],
    ]
)
_GLOW = np.array(
    [
        [0.0030, 0.0014, 0.0007],
        [0.060, 0.026, 0.012],
        [0.24, 0.115, 0.050],
        [0.46, 0.205, 0.075],
        [0.58, 0.335, 0.135],
        [0.37, 0.28, 0.185],
        [0.22, 0.21, 0.20],
        [0.18, 0.18, 0.17],
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Light and air at one time; colours are linear RGB radiance, directions in the map frame.

    Attributes:
        sun_direction: float64 (3,), unit vector to the sun.
        sun_radiance: Irradiance/π of a surface that faces the sun.
        sun_disc: Radiance of the disc as drawn.
        sky_light: Irradiance/π of a level surface by the sky.
        ground_light: The same of a surface that faces down.
        zenith: Of the sky above.
        horizon: Of the sky at the horizon, away from the sun.
        glow: What is added at the horizon below the sun.
        cloud_bright: Of clouds where they are thin.
        cloud_dark: Of clouds where they are thick.
        cloud_cover: Share of the sky, in [0, 1].
        air: Of endless foggy air.
        extinction: Of the air with its rain and snow, 1/m.
    """

    sun_direction: Colour
    sun_radiance: Colour
    sun_disc: Colour
    sky_light: Colour
    ground_light: Colour
    zenith: Colour
    horizon: Colour
    glow: Colour
    cloud_bright: Colour
    cloud_dark: Colour
    cloud_cover: float
    air: Colour
    extinction: float

    @property
    def level(self) -> float:
        """Irradiance/π of level ground by sun and sky, as luminance."""
        return luminance(
            self.sky_light + self.sun_radiance * max(float(self.sun_direction[2]), 0.0)
        )


class Environment:
    """Sky, light and air of a drive.

    ``source`` declares ``vec3 sky(vec3 direction)``, ``vec3 light(vec3 normal)`` (irradiance/π of
    sun and sky without shadow), ``vec3 in_air(vec3 colour, float distance, vec3 direction)`` and
    the uniforms ``sun_direction`` and ``sun_radiance`` (irradiance/π of a surface that faces
    the sun: ``light`` holds ``sun_radiance * max(dot(normal, sun_direction), 0)``).

    Args:
        world: The drive.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._clouds: moderngl.Texture | None = None
        self.source = read_shader('environment.glsl')

    def bind(self, program: moderngl.Program, stamp_ns: int) -> None:
        """Give a program that holds ``source`` its textures and uniforms."""
        if self._clouds is None:
            self._clouds = _cloud_texture(program.ctx, self._world.scenario.seed)
        self._clouds.use(CLOUD_UNIT)
        light = self.light_at(stamp_ns)
        drift = _CLOUD_DRIFT * (stamp_ns % 10**13) * 1e-9
        assign(
            program,
            environment_clouds=CLOUD_UNIT,
            environment_drift=(drift, 0.4 * drift),
            sun_direction=tuple(light.sun_direction),
            sun_radiance=tuple(light.sun_radiance),
            environment_disc=tuple(light.sun_disc),
            environment_sky_light=tuple(light.sky_light),
            environment_ground_light=tuple(light.ground_light),
            environment_zenith=tuple(light.zenith),
            environment_horizon=tuple(light.horizon),
            environment_glow=tuple(light.glow),
            environment_cloud_bright=tuple(light.cloud_bright),
            environment_cloud_dark=tuple(light.cloud_dark),
            environment_cover=light.cloud_cover,
            environment_air=tuple(light.air),
            environment_extinction=light.extinction,
            environment_fog_height=_FOG_HEIGHT_M,
        )

    def sun_direction(self, stamp_ns: int) -> NDArray[np.float64]:
        """Give the unit vector to the sun in the map frame, float64 (3,)."""
        return _sun_direction(self._world.weather_at(stamp_ns))

    def dark(self, stamp_ns: int) -> bool:
        """Tell whether drivers have their headlights on."""
        weather = self._world.weather_at(stamp_ns)
        return (
            weather.sun_elevation_deg < 3.0
            or weather.visibility_m < 500.0
            or weather.rain_mmph > 0.2
            or weather.snowfall_mmph > 0.1
        )

    def light_at(self, stamp_ns: int) -> Light:
        """Give the light at a time."""
        return light_of(self._world.weather_at(stamp_ns))


def luminance(colour: Colour) -> float:
    """Give the luminance of a linear colour (ITU-R BT.709)."""
    return float(colour @ (0.2126, 0.7152, 0.0722))


def extinction(weather: WeatherState) -> float:
    """Give the extinction coefficient of the air, 1/m.

    Fog by Koschmieder's law; rain and (dry) snow by the specific attenuations of Recommendation
    ITU-R P.1814: 1.076 R^0.67 and, for visible light, 5.53 S^1.38 dB/km at R and S in mm/h.
    """
    precipitation_db_per_km = 1.076 * weather.rain_mmph**0.67 + 5.53 * weather.snowfall_mmph**1.38
    per_km = _NEPERS_PER_DECIBEL * precipitation_db_per_km
    return float(_KOSCHMIEDER / weather.visibility_m + per_km / 1000)


def light_of(weather: WeatherState) -> Light:
    """Give the light in a weather.

    The direct sun by Rayleigh and aerosol extinction along the air mass of Kasten and Young
    (1989); global radiation under clouds by Kasten and Czeplak (1980); the gradient of an
    overcast sky by Moon and Spencer (1942), CIE standard overcast sky. The colours of the clear
    sky are a table over the elevation of the sun, made to look like photographs.
    """
    elevation = weather.sun_elevation_deg
    cover = _cover(weather)
    zenith, horizon, glow = (
        np.array([np.interp(elevation, _ELEVATIONS_DEG, column) for column in table.T])
        for table in (_ZENITH, _HORIZON, _GLOW)
    )
    direction = _sun_direction(weather)
    normal_sun = _clear_sun(elevation)
    clear_sky = 0.45 * zenith + 0.55 * horizon + 0.15 * glow
    clear_direct = normal_sun * max(direction[2], 0.0)
    overall = (clear_sky + clear_direct) * (1 - 0.75 * cover**3.4)
    extinct = extinction(weather)
    through_fog = math.exp(-extinct * _FOG_HEIGHT_M / max(direction[2], 0.05))
    shining = math.sqrt(max(1 - cover / 0.9, 0.0)) * through_fog
    grey = np.full(3, luminance(np.maximum(overall - clear_direct * shining, 0.0)))
    bluish = grey * (0.96, 1.0, 1.06)
    clouded = cover**2
    foggy = 1 - through_fog
    diffuse = clear_sky + (bluish - clear_sky) * max(clouded, foggy)
    air = horizon + (diffuse - horizon) * min(max(clouded, 1.5 * foggy), 1.0)
    lit = diffuse + 0.35 * normal_sun * shining
    return Light(
        sun_direction=direction,
        sun_radiance=normal_sun * shining,
        sun_disc=normal_sun * shining * 60.0,
        sky_light=diffuse,
        ground_light=0.16 * (diffuse + clear_direct * shining),
        zenith=zenith + (bluish * 9 / 7 - zenith) * clouded,
        horizon=horizon + (bluish * 0.85 - horizon) * clouded,
        glow=glow * (1 - clouded) * (1 - 0.7 * foggy),
        cloud_bright=lit,
        cloud_dark=0.55 * diffuse + 0.25 * bluish,
        cloud_cover=cover,
        air=air,
        extinction=extinct,
    )


def _cover(weather: WeatherState) -> float:
    """Give the cloud cover: what falls, falls from clouds."""
    falling = min(weather.rain_mmph + 2 * weather.snowfall_mmph, 1.0)
    return max(weather.cloud_cover, 0.95 * falling)


def _sun_direction(weather: WeatherState) -> NDArray[np.float64]:
    elevation = math.radians(weather.sun_elevation_deg)
    azimuth = math.radians(weather.sun_azimuth_deg)
    return np.array(
        [
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ]
    )


def _clear_sun(elevation_deg: float) -> Colour:
    """Give the irradiance/π of a surface facing the sun under a clear sky."""
    height = max(elevation_deg, -1.0)
    air_mass = 1 / (math.sin(math.radians(height)) + 0.50572 * (height + 6.07995) ** -1.6364)
    depth = np.array([0.045, 0.105, 0.235]) + 0.07
    risen = min(max((elevation_deg + 0.8) / 1.6, 0.0), 1.0)
    return np.asarray(1.05 * risen * np.exp(-depth * air_mass))


def _cloud_texture(ctx: moderngl.Context, seed: int) -> moderngl.Texture:
    tile = Tile(_CLOUD_PIXELS, 1.0, 1.0)
    field = ranked(tile.fractal(generator(seed, 'camera', 'clouds'), 0.25, 0.004, 0.55))
    levels = np.rint(255 * field).astype(np.uint8)
    texture = ctx.texture((_CLOUD_PIXELS, _CLOUD_PIXELS), 1, levels.tobytes())
    texture.build_mipmaps()
    texture.filter = (ctx.LINEAR_MIPMAP_NEAREST, ctx.LINEAR)
    return texture
