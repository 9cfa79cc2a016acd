# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From the radiance of the scene to the picture of a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.environment import Environment
from mm_fusion.simulation.rendering.glsl import VERSION, assign, read_shader

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import World

_SCENE_UNIT, _DEPTH_UNIT, _METER_UNIT = 1, 2, 3
_LONGEST_EXPOSURE_S = 0.025
_METER_SIZE = (32, 18)


class Lens:
    """Exposure, motion blur, drops on the lens, tone mapping and noise, by ``CameraSettings``.

    Args:
        ctx: Context of its programs.
        world: The drive.
    """

    def __init__(self, ctx: moderngl.Context, world: World) -> None:
        self._ctx = ctx
        self._environment = Environment(world)
        corners = ctx.buffer(np.array([-1, -1, 3, -1, -1, 3], np.float32).tobytes())
        vertex = VERSION + read_shader('lens.vert')
        self._meter, self._develop = (
            ctx.program(vertex_shader=vertex, fragment_shader=VERSION + read_shader(name))
            for name in ('lens_meter.frag', 'lens_develop.frag')
        )
        self._meter_pass, self._develop_pass = (
            ctx.vertex_array(program, [(corners, '2f', 'corner')])
            for program in (self._meter, self._develop)
        )
        self._metered = ctx.texture(_METER_SIZE, 4, dtype='f2')
        self._meter_target = ctx.framebuffer([self._metered])

    def exposure_s(self, stamp_ns: int) -> float:
        """Give how long the shutter is open around a time: longer in the dark."""
        level = self._environment.light_at(stamp_ns).level
        return min(0.003 / max(level, 1e-6), _LONGEST_EXPOSURE_S)

    def apply(
        self,
        radiance: moderngl.Texture,
        depth: moderngl.Texture,
        stamp_ns: int,
        view_projection: NDArray[np.float32],
        previous_view_projection: NDArray[np.float32],
        target: moderngl.Framebuffer,
    ) -> None:
        """Make the picture, sRGB, from the scene.

        Args:
            radiance: RGBA16F, linear.
            depth: Of the same size.
            stamp_ns: Middle of the exposure.
            view_projection: float32 (4, 4), map frame to clip space, at ``stamp_ns``.
            previous_view_projection: The same ``exposure_s`` before.
            target: What is drawn into, of the same size.
        """
        self._ctx.disable(self._ctx.BLEND | self._ctx.DEPTH_TEST)
        radiance.use(_SCENE_UNIT)
        self._meter_target.use()
        assign(self._meter, scene=_SCENE_UNIT)
        self._meter_pass.render()
        target.use()
        self._metered.use(_METER_UNIT)
        assign(self._develop, scene=_SCENE_UNIT, metered=_METER_UNIT)
        self._develop_pass.render()
