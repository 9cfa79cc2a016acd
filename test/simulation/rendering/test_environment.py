# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.simulation.rendering.environment import Environment, luminance
from mm_fusion.simulation.scenario import Scenario, WeatherKey
from mm_fusion.simulation.world import START_NS
from support.shading import evaluate
from support.worlds import small_world

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray


def environment_of(**weather: float) -> Environment:
    return Environment(small_world(Scenario(duration_s=1.0, weather=(WeatherKey(**weather),))))


def run(environment: Environment, body: str) -> NDArray[np.float32]:
    """Evaluate a body over ``at``, float32 (32, 64, 3)."""

    def bind(program: moderngl.Program) -> None:
        environment.bind(program, START_NS)

    return evaluate(environment.source, body + 'second = vec4(0.0);', bind)[0][..., :3]


def level_of(**weather: float) -> float:
    return environment_of(**weather).light_at(START_NS).level


@pytest.mark.parametrize('visibility_m', [60.0, 400.0, 5000.0])
def test_contrast_falls_by_koschmieders_law(visibility_m: float) -> None:
    environment = environment_of(visibility_m=visibility_m, cloud_cover=1.0)
    shown = run(
        environment,
        f'first = vec4(in_air(vec3(0.0), {2 * visibility_m!r} * at.x, vec3(1.0, 0.0, 0.0)), 1.0);',
    )
    far = environment.light_at(START_NS).air
    distance = 2 * visibility_m * (np.arange(64) + 0.5) / 64

    contrast = 1 - shown[0] / far
    expected = np.exp(-3.912 * distance / visibility_m)
    np.testing.assert_allclose(contrast, np.repeat(expected[:, None], 3, 1), atol=0.01)
    assert np.interp(visibility_m, distance, contrast[:, 1]) == pytest.approx(0.02, abs=0.01)


def test_rain_and_snowfall_take_sight() -> None:
    clear, rain, downpour, snow = (
        environment_of(**weather).light_at(START_NS).extinction
        for weather in ({}, {'rain_mmph': 5.0}, {'rain_mmph': 50.0}, {'snowfall_mmph': 2.0})
    )

    assert clear < rain < downpour
    assert clear < snow
    assert 300 < 3.912 / snow < 2000


def test_light_follows_the_sun() -> None:
    levels = [level_of(sun_elevation_deg=height) for height in (-12, -6, -2, 2, 10, 30, 60)]

    assert levels == sorted(levels)
    assert levels[0] > 1e-3
    assert 0.8 < levels[-1] < 1.6


def test_clouds_take_light_as_kasten_and_czeplak_measured() -> None:
    assert level_of(cloud_cover=1.0) / level_of(cloud_cover=0.0) == pytest.approx(0.25, abs=0.03)


def test_no_sun_at_night_and_under_clouds() -> None:
    assert environment_of(sun_elevation_deg=-3.0).light_at(START_NS).sun_radiance.max() == 0
    assert environment_of(cloud_cover=1.0).light_at(START_NS).sun_radiance.max() == 0
    assert environment_of(sun_elevation_deg=40.0).light_at(START_NS).sun_radiance.min() > 0.3


def test_shader_light_is_that_of_python() -> None:
    environment = environment_of(sun_elevation_deg=35.0)
    shown = run(environment, 'first = vec4(light(vec3(0.0, 0.0, 1.0)), 1.0);')

    level = environment.light_at(START_NS).level
    assert luminance(shown[0, 0].astype(np.float64)) == pytest.approx(level, rel=1e-4)


def sky_at(environment: Environment, azimuth_deg: float, elevation_deg: float) -> float:
    a, e = math.radians(azimuth_deg), math.radians(elevation_deg)
    direction = (math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e))
    shown = run(environment, f'first = vec4(sky_smooth(vec3{direction!r}), 1.0);')
    return luminance(shown[0, 0].astype(np.float64))


def test_low_sun_brightens_its_side_of_the_sky() -> None:
    environment = environment_of(sun_elevation_deg=5.0, sun_azimuth_deg=70.0)

    assert sky_at(environment, 70, 8) > 2 * sky_at(environment, 250, 8)


def test_clear_sky_is_brightest_at_the_horizon_and_overcast_sky_above() -> None:
    clear = environment_of(sun_elevation_deg=50.0, cloud_cover=0.0)
    overcast = environment_of(sun_elevation_deg=50.0, cloud_cover=1.0)

    assert sky_at(clear, 0, 3) > 1.5 * sky_at(clear, 0, 85)
    assert sky_at(overcast, 0, 85) > 1.2 * sky_at(overcast, 0, 3)


def test_dusk_is_blue_above_and_red_where_the_sun_went_down() -> None:
    light = environment_of(sun_elevation_deg=-4.0).light_at(START_NS)

    assert light.zenith[2] > 2 * light.zenith[0]
    assert light.glow[0] > 2 * light.glow[2]


def test_clouds_cover_their_share_of_the_sky() -> None:
    body = """
        vec3 direction = normalize(vec3(2.0 * at - 1.0, 0.7));
        first = vec4(sky(direction), 1.0);
    """
    clear, half, full = (
        run(environment_of(cloud_cover=cover, sun_elevation_deg=60.0), body)
        for cover in (0.0, 0.5, 1.0)
    )
    blue = [float((one[..., 2] > 1.3 * one[..., 0]).mean()) for one in (clear, half, full)]

    assert blue[0] > 0.9
    assert 0.1 < blue[1] < 0.9
    assert blue[2] == 0


def test_direction_of_the_sun() -> None:
    direction = environment_of(sun_elevation_deg=30.0, sun_azimuth_deg=90.0).sun_direction(
        START_NS
    )

    np.testing.assert_allclose(direction, [0.0, math.cos(math.pi / 6), 0.5], atol=1e-12)


@pytest.mark.parametrize(
    ('weather', 'dark'),
    [
        ({}, False),
        ({'sun_elevation_deg': 1.0}, True),
        ({'visibility_m': 200.0}, True),
        ({'rain_mmph': 3.0}, True),
        ({'snowfall_mmph': 1.0}, True),
    ],
)
def test_headlights(weather: dict[str, float], dark: bool) -> None:
    assert environment_of(**weather).dark(START_NS) is dark
