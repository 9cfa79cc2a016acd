# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The shader programs of the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.simulation.rendering.glsl import VERSION, read_shader

if TYPE_CHECKING:
    import moderngl

    from mm_fusion.simulation.rendering.environment import Environment
    from mm_fusion.simulation.rendering.surface import SurfaceLook
    from mm_fusion.simulation.scenario import CameraSettings


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
        solid_shadow: Depth of solids alone; None in the lite shader.
        body_shadow: Depth of vehicles alone.
        tree_shadow: Depth of trees alone.
    """

    ground: moderngl.Program
    solid: moderngl.Program
    tree: moderngl.Program
    body: moderngl.Program
    trace: moderngl.Program
    glow: moderngl.Program
    sky: moderngl.Program
    solid_shadow: moderngl.Program | None
    body_shadow: moderngl.Program | None
    tree_shadow: moderngl.Program | None

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


def compile_programs(
    ctx: moderngl.Context,
    settings: CameraSettings,
    environment: Environment,
    surface: SurfaceLook,
) -> Programs:
    """Compile the programs for a kind of shader, with classes where they are asked for."""
    full = settings.shader == 'full'
    defines = '#define FULL\n' if full else ''
    classes = '#define SEGMENTATION\n' if settings.segmentation else ''
    common = environment.source + read_shader('scene_common.glsl')
    ground = environment.source + surface.source + read_shader('scene_common.glsl')

    def program(name: str, source: str = common, classified: str = classes) -> moderngl.Program:
        return ctx.program(
            vertex_shader=VERSION + defines + read_shader(f'scene_{name}.vert'),
            fragment_shader=VERSION
            + defines
            + classified
            + source
            + read_shader(f'scene_{name}.frag'),
        )

    def depth_program(name: str, fragment: str = 'depth') -> moderngl.Program | None:
        if not full:
            return None
        return ctx.program(
            vertex_shader=VERSION + read_shader(f'scene_{name}.vert'),
            fragment_shader=VERSION + read_shader(f'scene_{fragment}.frag'),
        )

    return Programs(
        ground=program('ground', ground),
        solid=program('solid'),
        tree=program('tree'),
        body=program('body'),
        trace=program('trace', classified=''),
        glow=program('glow', classified=''),
        sky=program('sky'),
        solid_shadow=depth_program('solid'),
        body_shadow=depth_program('body'),
        tree_shadow=depth_program('tree', 'tree_depth'),
    )
