# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The shader programs of the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mm_fusion.simulation.rendering.environment import Environment
from mm_fusion.simulation.rendering.glsl import VERSION, read_shader
from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    import moderngl

    from mm_fusion.simulation.rendering.surface import SurfaceLook
    from mm_fusion.simulation.world import World

WET_CLASSES = (1, 2, 4, 5)
"""Friction classes that mirror: wet, water, melted snow, ice."""


class ShadowPrograms(NamedTuple):
    """What draws depth alone."""

    solid: moderngl.Program
    tree: moderngl.Program
    body: moderngl.Program


@dataclass(frozen=True, slots=True)
class Programs:
    """What draws what.

    Attributes:
        ground: Vertices of type ``GROUND_VERTEX``.
        solid: Vertices of type ``SOLID_VERTEX``.
        tree: Vertices of type ``TREE_VERTEX``.
        body: Vehicles.
        trace: Their shadows and the light of their headlights on the ground.
        glow: Discs of light around lamps.
        sky: Fills what is left.
        shadow: What casts shadows; None in the lite shader.
    """

    ground: moderngl.Program
    solid: moderngl.Program
    tree: moderngl.Program
    body: moderngl.Program
    trace: moderngl.Program
    glow: moderngl.Program
    sky: moderngl.Program
    shadow: ShadowPrograms | None

    @property
    def lit(self) -> tuple[moderngl.Program, ...]:
        """All that need the light of the environment."""
        return (
            self.ground,
            self.solid,
            self.tree,
            self.body,
            self.trace,
            self.glow,
            self.sky,
        )


def features_of(world: World) -> tuple[str, ...]:
    """Name what the shaders of a drive need, as for :func:`compile_programs`."""
    settings, environment = world.scenario.camera, Environment(world)
    dark = any(
        environment.dark(START_NS + round(key.at_s * 1e9)) for key in world.scenario.weather
    )
    wet = world.roads.surface.friction[:, WET_CLASSES].max() > 0
    features = {
        'FULL': settings.shader == 'full',
        'SEGMENTATION': settings.segmentation,
        'BEAMS': dark or bool(world.roads.tunnels),
        'WET': bool(wet),
    }
    return tuple(name for name, wanted in features.items() if wanted)


def compile_programs(
    ctx: moderngl.Context,
    environment: Environment,
    surface: SurfaceLook,
    features: tuple[str, ...],
) -> Programs:
    """Compile the programs.

    Software OpenGL computes both sides of a branch, so what a drive never needs is left out.

    Args:
        ctx: Of the programs.
        environment: Its light and air.
        surface: The look of its ground.
        features: Of FULL (shadows and finer textures), SEGMENTATION (classes), BEAMS (headlights)
            and WET (the ground mirrors).
    """
    defines = VERSION + ''.join(f'#define {name}\n' for name in features)
    lamps = read_shader('scene_light.glsl')
    light = environment.source + lamps
    fragment = read_shader('scene_fragment.glsl')

    def program(name: str, before: str = light) -> moderngl.Program:
        lit_vertices = name in ('solid', 'body', 'tree')
        return ctx.program(
            vertex_shader=defines
            + (light if lit_vertices else '')
            + read_shader(f'scene_{name}.vert'),
            fragment_shader=defines + before + fragment + read_shader(f'scene_{name}.frag'),
        )

    def depth_program(name: str, after: str) -> moderngl.Program:
        return ctx.program(
            vertex_shader=defines + light + read_shader(f'scene_{name}.vert'),
            fragment_shader=VERSION + read_shader(f'scene_{after}.frag'),
        )

    shadow = None
    if 'FULL' in features:
        shadow = ShadowPrograms(
            solid=depth_program('solid', 'depth'),
            tree=depth_program('tree', 'tree_depth'),
            body=depth_program('body', 'depth'),
        )
    return Programs(
        ground=program('ground', environment.source + surface.source + lamps),
        solid=program('solid'),
        tree=program('tree'),
        body=program('body'),
        trace=program('trace'),
        glow=program('glow'),
        sky=program('sky'),
        shadow=shadow,
    )
