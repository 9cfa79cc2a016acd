# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from mm_fusion.simulation.rendering.environment import Environment
from mm_fusion.simulation.rendering.surface import SurfaceLook
from mm_fusion.simulation.roads import SurfaceProfile
from mm_fusion.simulation.samples import PIXEL_CLASSES
from mm_fusion.simulation.scenario import CameraSettings, Scenario, WeatherKey
from mm_fusion.simulation.world import START_NS, World
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES
from support.shading import evaluate, shared_context
from support.worlds import small_world

if TYPE_CHECKING:
    import moderngl

STRETCH_M = 24.0
SURFACES = (
    *((friction, 0, 0) for friction in range(6)),
    *((0, material, 1) for material in range(5)),
    *((0, 3, unevenness) for unevenness in range(3)),
    (0, 0, 0),
    (3, 0, 0),
)
"""One after the other from arc length 0 on: all friction classes, all materials, gravel of all
unevenness, and asphalt that passes into snow."""

FRICTION_AT, MATERIAL_AT, UNEVENNESS_AT, BLEND_AT = (STRETCH_M * i for i in (0, 6, 11, 15))

Look = dict[str, NDArray[np.float32]]


def world_of(
    surfaces: tuple[tuple[int, int, int], ...], seed: int = 1, shader: str = 'lite'
) -> World:
    arcs = np.arange(-10, len(surfaces) * STRETCH_M + 20, 0.5).astype(np.float64)
    tables: list[NDArray[np.float32]] = []
    for column, size in enumerate((6, 5, 3)):
        table = np.zeros((len(arcs), size), np.float32)
        for number, surface in enumerate(surfaces):
            table[arcs >= number * STRETCH_M - 10 * (number == 0)] = np.eye(size)[surface[column]]
        tables.append(table)
    later = np.clip((arcs - BLEND_AT) / STRETCH_M, 0, 1)[:, None]
    passing = (arcs >= BLEND_AT)[:, None]
    blended = later * np.eye(6)[3] + (1 - later) * np.eye(6)[0]
    tables[0] = np.where(passing, blended, tables[0]).astype(np.float32)
    scenario = Scenario(
        seed=seed,
        duration_s=1.0,
        weather=(WeatherKey(cloud_cover=1.0),),
        camera=CameraSettings(shader=shader),
    )
    profile = SurfaceProfile(arcs, *tables)
    return small_world(scenario, surface=profile)


@functools.lru_cache(maxsize=1)
def all_surfaces() -> tuple[SurfaceLook, World]:
    world = world_of(SURFACES)
    return SurfaceLook(shared_context(), world), world


def look_at(
    begin_m: float,
    length_m: float = STRETCH_M - 2,
    kind: str = 'road',
    across_m: float = 1.75,
    of: tuple[SurfaceLook, World] | None = None,
) -> Look:
    """Look at a piece of the road from above, as if seen at 10° over the ground."""
    look, world = of or all_surfaces()
    environment = Environment(world)
    body = f"""
        float arc = {begin_m!r} + at.y * {length_m!r};
        float left = (2.0 * at.x - 1.0) * {across_m!r};
        GroundPoint point = GroundPoint(
            vec2(arc, left), arc, left, {PIXEL_CLASSES.index(kind)}, 10.0,
            normalize(vec3(1.0, 0.0, -0.18)));
        GroundLook look = ground_look(point);
        first = vec4(look.albedo, look.gloss);
        second = vec4(look.normal, look.mirror);
    """

    def bind(program: moderngl.Program) -> None:
        environment.bind(program, START_NS)
        look.bind(program, START_NS)

    first, second = evaluate(environment.source + look.source, body, bind, (128, 256))
    return {
        'albedo': first[..., :3],
        'gloss': first[..., 3],
        'normal': second[..., :3],
        'mirror': second[..., 3],
    }


@functools.lru_cache(maxsize=1)
def by_friction() -> dict[str, Look]:
    return {
        name: look_at(FRICTION_AT + i * STRETCH_M + 1) for i, name in enumerate(FRICTION_CLASSES)
    }


@functools.lru_cache(maxsize=1)
def by_material() -> dict[str, Look]:
    return {
        name: look_at(MATERIAL_AT + i * STRETCH_M + 1, 8.0)
        for i, name in enumerate(MATERIAL_CLASSES)
    }


def mean(values: NDArray[np.float32]) -> float:
    return float(values.mean())


def features(look: Look) -> NDArray[np.float64]:
    """Give what tells surfaces apart, in units in which 1 is plain to see."""
    albedo = look['albedo']
    colour = albedo.mean(axis=(0, 1))
    return np.array(
        [
            *np.log(colour) / 0.25,
            (colour[0] - colour[2]) / colour.mean() / 0.1,
            albedo.std() / albedo.mean() / 0.2,
            mean(look['gloss']) / 0.2,
            mean(look['mirror']) / 0.1,
            mean(np.hypot(look['normal'][..., 0], look['normal'][..., 1])) / 0.1,
        ]
    )


@pytest.mark.parametrize('shader', ['lite', 'full'])
def test_each_shader_compiles_and_gives_sound_values(shader: str) -> None:
    world = world_of(((0, 0, 0),), shader=shader)
    look = look_at(5.0, 12.0, of=(SurfaceLook(shared_context(), world), world))

    assert look['albedo'].min() > 0.0
    assert look['albedo'].max() < 1.0
    np.testing.assert_allclose(np.linalg.norm(look['normal'], axis=-1), 1.0, atol=1e-3)
    assert look['mirror'].min() >= 0.0
    assert look['mirror'].max() < 0.05


def test_wet_road_is_darker_than_dry_and_mirrors() -> None:
    looks = by_friction()

    assert 0.4 < mean(looks['wet']['albedo']) / mean(looks['dry']['albedo']) < 0.75
    assert mean(looks['wet']['mirror']) > 10 * mean(looks['dry']['mirror'])
    assert mean(looks['water']['mirror']) > 2 * mean(looks['wet']['mirror'])


def test_snow_is_white_and_wheels_press_it() -> None:
    snow = by_friction()['fresh_snow']['albedo']
    columns = np.linspace(-1.75, 1.75, snow.shape[1])
    in_tracks = np.abs(np.abs(columns) - 0.76) < 0.15
    between = np.abs(columns) < 0.15

    assert mean(snow) > 0.6
    assert np.ptp(snow.mean(axis=(0, 1))) < 0.06
    assert mean(snow[:, in_tracks]) < 0.85 * mean(snow[:, between])


def test_wheels_clear_slush() -> None:
    slush = by_friction()['melted_snow']['albedo']
    columns = np.linspace(-1.75, 1.75, slush.shape[1])

    tracks = slush[:, np.abs(np.abs(columns) - 0.76) < 0.15]
    assert mean(tracks) < 0.6 * mean(slush[:, np.abs(columns) < 0.15])


@pytest.mark.parametrize('names', list(itertools.combinations(FRICTION_CLASSES, 2)))
def test_friction_classes_differ(names: tuple[str, str]) -> None:
    one, other = (features(by_friction()[name]) for name in names)

    assert np.linalg.norm(one - other) > 1.0


@pytest.mark.parametrize('names', list(itertools.combinations(MATERIAL_CLASSES, 2)))
def test_materials_differ(names: tuple[str, str]) -> None:
    one, other = (features(by_material()[name]) for name in names)

    assert np.linalg.norm(one - other) > 1.0


def test_unevenness_roughens() -> None:
    looks = [look_at(UNEVENNESS_AT + i * STRETCH_M + 1, 12.0) for i in range(3)]
    rough = [mean(np.hypot(one['normal'][..., 0], one['normal'][..., 1])) for one in looks]

    assert rough[0] < rough[1] < rough[2]


def test_transition_brightens_all_the_way() -> None:
    begins = np.linspace(BLEND_AT - 1, BLEND_AT + STRETCH_M, 7)
    shown = [mean(look_at(float(begin), 2.0, 'pavement', 96.0)['albedo']) for begin in begins]

    assert (np.diff(shown) > -0.003).all()
    assert shown[-1] > 2 * shown[0]
    assert abs(shown[3] - (shown[0] + shown[-1]) / 2) < 0.2 * (shown[-1] - shown[0])


def test_marks_hold_on_asphalt_and_not_on_mud_and_lie_under_snow() -> None:
    begins = FRICTION_AT + 2, MATERIAL_AT + 4 * STRETCH_M + 2, FRICTION_AT + 3 * STRETCH_M + 2
    lift = [
        mean(look_at(begin, 20.0, 'mark')['albedo']) / mean(look_at(begin, 20.0)['albedo'])
        for begin in begins
    ]

    assert lift[0] > 2
    assert lift[1] == pytest.approx(1.0, abs=0.02)
    assert lift[2] < 1.2


def test_seed_decides_the_texture() -> None:
    worlds = [world_of(((0, 0, 0),), seed=seed) for seed in (1, 1, 2)]
    looks = [
        look_at(5.0, of=(SurfaceLook(shared_context(), world), world))['albedo']
        for world in worlds
    ]

    np.testing.assert_array_equal(looks[0], looks[1])
    assert np.abs(looks[0] - looks[2]).mean() > 1e-3
