# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Rain, snowfall and spray in front of the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.environment import Environment
from mm_fusion.simulation.rendering.glsl import VERSION, assign, read_shader
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import World

_BOX_M = 12.0
_MOST_DROPS = 1500
_MOST_FLAKES = 2500


class Precipitation:
    """What falls and what is whirled up.

    Args:
        ctx: Context of its programs.
        world: The drive.
    """

    def __init__(self, ctx: moderngl.Context, world: World) -> None:
        self._ctx = ctx
        self._world = world
        self._environment = Environment(world)
        self._program = ctx.program(
            vertex_shader=VERSION + read_shader('precipitation_fall.vert'),
            fragment_shader=VERSION + read_shader('precipitation.frag'),
        )
        rng = generator(world.scenario.seed, 'camera', 'precipitation')
        places = ctx.buffer(rng.random((_MOST_FLAKES, 4), np.float32).tobytes())
        corners = np.array([[0, -1], [0, 1], [1, -1], [1, 1]], np.float32)
        self._falling = ctx.vertex_array(
            self._program,
            [(ctx.buffer(corners.tobytes()), '2f', 'corner'), (places, '4f/i', 'seed')],
        )

    def draw(
        self,
        stamp_ns: int,
        view_projection: NDArray[np.float32],
        eye: NDArray[np.float64],
        velocity: NDArray[np.float64],
    ) -> None:
        """Draw into the bound framebuffer, over the scene and tested against its depth.

        Args:
            stamp_ns: Time.
            view_projection: float32 (4, 4), from the map frame to clip space.
            eye: The camera in the map frame, m.
            velocity: Of the camera in the map frame, m/s.
        """
        weather = self._world.weather_at(stamp_ns)
        drops = round(_MOST_DROPS * min(weather.rain_mmph / 12.0, 1.0) ** 0.6)
        flakes = round(_MOST_FLAKES * min(weather.snowfall_mmph / 4.0, 1.0) ** 0.6)
        if drops + flakes == 0:
            return
        light = self._environment.light_at(stamp_ns)
        assign(
            self._program,
            view_projection=view_projection.T.astype(np.float32).tobytes(),
            eye=tuple(eye),
            velocity=tuple(velocity),
            colour=tuple(light.air),
            box=_BOX_M,
            time=(stamp_ns % 10**12) * 1e-9,
        )
        self._ctx.enable_only(self._ctx.BLEND | self._ctx.DEPTH_TEST)
        target = self._ctx.fbo
        target.depth_mask = False
        self._falling.render(self._ctx.TRIANGLE_STRIP, instances=max(drops, flakes))
        target.depth_mask = True
