# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How the ground looks: what it is made of, how even it is, and what lies on it.

Software GL executes both sides of each branch, so the shader does not choose between materials
by branching: all of them are tiles of one texture array, painted once, and a pixel reads two,
one of the ground and one of what covers it. Where one surface gives way to another, patches of
a noise that is even in [0, 1] decide for each spot, so the share seen is the share given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.glsl import assign, read_shader
from mm_fusion.simulation.rendering.materials import (
    BESIDES,
    COVERS,
    GROUNDS,
    Material,
    macro_tile,
    painted,
)
from mm_fusion.simulation.rendering.noise import Tile
from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import RoadNetwork
    from mm_fusion.simulation.world import World

LAYER_UNIT, MACRO_UNIT, PROFILE_UNIT = 1, 2, 3
"""Texture units."""

_PIXELS = {'lite': 512, 'full': 1024}
_ACROSS_M, _ALONG_M = 4.0, 12.0
"""A tile is longer than wide: seen flat along the road, its pixels come out about square."""

_MACRO = Tile(512, 24.0, 48.0)
_STEP_M = 0.25
_WINDOW = 2048
_BEHIND_M = 96.0
_RIPPLE_NS = 50_000_000


class SurfaceLook:
    """The look of the ground.

    ``source`` declares ``struct GroundPoint``, ``struct GroundLook`` and
    ``GroundLook ground_look(GroundPoint point)``; it stands after ``Environment.source``.

    Args:
        ctx: Context of the textures.
        world: The drive.
    """

    def __init__(self, ctx: moderngl.Context, world: World) -> None:
        self._world = world
        surfaces = _surfaces(world.roads)
        used = np.unique(surfaces[:, :2].astype(int))
        slots = np.zeros(used.max() + 1)
        slots[used] = np.arange(len(used))
        surfaces[:, :2] = slots[surfaces[:, :2].astype(int)]
        self._profile = np.stack([surfaces, *_covers_and_line(world.roads)]).astype(np.float32)
        names = tuple(GROUNDS)
        layers = [(GROUNDS[names[index // 3]], index % 3) for index in used]
        layers += [(material, 0) for material in BESIDES.values()]
        # What lies on the road is looked up only on drives that have it.
        covered = bool(world.roads.surface.friction[:, 2:].any())
        layers += [(material, 0) for material in COVERS.values() if covered]
        seed = world.scenario.seed
        self._layers = _layer_array(ctx, layers, _PIXELS[world.scenario.camera.shader], seed)
        self._macro = ctx.texture(
            (_MACRO.pixels,) * 2, 4, macro_tile(_MACRO, generator(seed, 'camera', 'macro'))
        )
        self._macro.build_mipmaps()
        self._macro.filter = (ctx.LINEAR_MIPMAP_NEAREST, ctx.LINEAR)
        self._window = ctx.texture((_WINDOW, 3), 4, dtype='f4')
        self._window.filter = (ctx.NEAREST, ctx.NEAREST)
        self._traits = np.array(
            [value for material, level in layers for value in material.traits(level)], np.float32
        )
        self._beside = len(used)
        constants = f'#define SURFACE_LAYERS {len(layers)}\n' + '#define COVERED\n' * covered
        self.source = constants + read_shader('surface.glsl')

    def bind(self, program: moderngl.Program, stamp_ns: int) -> None:
        """Give a program that holds ``source`` its textures and uniforms."""
        arc = float(self._world.state_at(self._world.ego, stamp_ns)[Motion.ARC])
        begin = self._write_window(arc)
        self._layers.use(LAYER_UNIT)
        self._macro.use(MACRO_UNIT)
        self._window.use(PROFILE_UNIT)
        lanes = self._world.roads.main.lanes
        assign(
            program,
            surface_layers=LAYER_UNIT,
            surface_macro=MACRO_UNIT,
            surface_profile=PROFILE_UNIT,
            surface_window=(begin, 1 / _STEP_M),
            surface_traits=self._traits.tobytes(),
            surface_beside=self._beside,
            surface_lanes=(lanes[0].left_m, lanes[0].width_m, len(lanes) - 1.0),
            surface_ripple=self._ripple(stamp_ns),
        )

    def _ripple(self, stamp_ns: int) -> tuple[float, float, float]:
        """Give how much rain ripples the water, and where its pattern lies now."""
        rain = self._world.weather_at(stamp_ns).rain_mmph
        shift = np.random.default_rng(stamp_ns // _RIPPLE_NS).random(2)
        return min(rain / 6.0, 1.0), *shift

    def _write_window(self, arc_m: float) -> float:
        """Write what lies around the vehicle; gives the arc length of the first texel."""
        origin = float(self._world.roads.surface.arcs_m[0])
        first = int((arc_m - _BEHIND_M - origin) // _STEP_M)
        rows = np.clip(np.arange(first, first + _WINDOW), 0, self._profile.shape[1] - 1)
        self._window.write(self._profile[:, rows].tobytes())
        return origin + first * _STEP_M


def _arcs(roads: RoadNetwork) -> NDArray[np.float64]:
    arcs = roads.surface.arcs_m
    return np.arange(arcs[0], arcs[-1] + _STEP_M, _STEP_M)


def _surfaces(roads: RoadNetwork) -> NDArray[np.float64]:
    """Give for each quarter metre two surfaces, the share of the second, and that of dry road.

    A surface is 3 * material + unevenness.
    """
    arcs = _arcs(roads)
    one, other, share = np.zeros(len(arcs)), np.zeros(len(arcs)), np.zeros(len(arcs))
    tables = (roads.surface.material_at(arcs), 3), (roads.surface.unevenness_at(arcs), 1)
    for table, factor in tables:
        order = np.argsort(-table, axis=1, kind='stable')[:, :2]
        first, second = np.take_along_axis(table, order, axis=1).T
        one += factor * order[:, 0]
        other += factor * np.where(second > 1e-4, order[:, 1], order[:, 0])
        share = np.maximum(share, second / (first + second))
    return np.stack([one, other, share, roads.surface.friction_at(arcs)[:, 0]], axis=1)


def _covers_and_line(roads: RoadNetwork) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the bounds of ice, snow, slush and water, and the course with its direction.

    A spot where the even noise is below the first bound has ice, else below the second fresh
    snow, and so on; a spot above the last is wet or, near 1, dry.
    """
    arcs = _arcs(roads)
    dry_to_ice = roads.surface.friction_at(arcs)
    bounds = np.cumsum(dry_to_ice[:, [5, 3, 4, 2]], axis=1)
    pose = roads.main.course.pose_at(arcs)
    line = np.stack([pose[:, 0], pose[:, 1], np.cos(pose[:, 2]), np.sin(pose[:, 2])], axis=1)
    return bounds, line


def _layer_array(
    ctx: moderngl.Context, layers: list[tuple[Material, int]], pixels: int, seed: int
) -> moderngl.TextureArray:
    tile = Tile(pixels, _ACROSS_M, _ALONG_M)
    tiles = [
        painted(material, tile, generator(seed, 'camera', material.paint.__name__), level)
        for material, level in layers
    ]
    array = ctx.texture_array((pixels, pixels, len(tiles)), 4, np.stack(tiles).tobytes())
    array.build_mipmaps()
    array.filter = (
        ctx.LINEAR_MIPMAP_NEAREST if pixels < 1024 else ctx.LINEAR_MIPMAP_LINEAR,
        ctx.LINEAR,
    )
    return array
