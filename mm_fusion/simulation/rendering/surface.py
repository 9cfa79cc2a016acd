# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How the ground looks: what it is made of, how even it is, and what lies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.glsl import assign, read_shader
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.roads import SurfaceProfile
    from mm_fusion.simulation.world import World

LAYER_UNIT, MACRO_UNIT, PROFILE_UNIT, ACROSS_UNIT = 1, 2, 3, 4
"""Texture units."""

_STEP_M = 0.5
_WINDOW = 1024
_BEHIND_M = 96.0


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
        self._profile = _profile_table(world.roads.surface)
        self._window = ctx.texture((_WINDOW, 2), 4, dtype='f4')
        self._window.filter = (ctx.NEAREST, ctx.NEAREST)
        self.source = read_shader('surface.glsl')

    def bind(self, program: moderngl.Program, stamp_ns: int) -> None:
        """Give a program that holds ``source`` its textures and uniforms."""
        arc = float(self._world.state_at(self._world.ego, stamp_ns)[Motion.ARC])
        begin = self._write_window(arc)
        self._window.use(PROFILE_UNIT)
        assign(program, surface_profile=PROFILE_UNIT, surface_window=(begin, 1 / _STEP_M))

    def _write_window(self, arc_m: float) -> float:
        """Write what lies around the vehicle; gives the arc length of the first texel."""
        origin = float(self._world.roads.surface.arcs_m[0])
        first = int((arc_m - _BEHIND_M - origin) // _STEP_M)
        rows = np.clip(np.arange(first, first + _WINDOW), 0, len(self._profile[0]) - 1)
        self._window.write(self._profile[:, rows].tobytes())
        return origin + first * _STEP_M


def _profile_table(surface: SurfaceProfile) -> NDArray[np.float32]:
    """Give, float32 (2, n, 4), for each half metre: layers and their shares; wet, water, snows.

    Columns of the first row: index of one surface (3 * material + unevenness), of another, share
    of the other, ice; of the second: wet, water, fresh snow, melted snow.
    """
    arcs = np.arange(surface.arcs_m[0], surface.arcs_m[-1] + _STEP_M, _STEP_M)
    friction = surface.friction_at(arcs)
    one, other, shares = [], [], []
    for table, factor in ((surface.material_at(arcs), 3), (surface.unevenness_at(arcs), 1)):
        order = np.argsort(-table, axis=1, kind='stable')[:, :2]
        share = np.take_along_axis(table, order, axis=1)
        order[:, 1] = np.where(share[:, 1] > 0, order[:, 1], order[:, 0])
        one.append(factor * order[:, 0])
        other.append(factor * order[:, 1])
        shares.append(share[:, 1] / share.sum(axis=1))
    first = np.stack([sum(one), sum(other), np.maximum(*shares), friction[:, 5]], axis=1)
    return np.stack([first, friction[:, 1:5]]).astype(np.float32)
