# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The shadows of the full shader: the depth of the scene as the sun sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.glsl import assign

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.fleet import Fleet
    from mm_fusion.simulation.rendering.programs import ShadowPrograms
    from mm_fusion.simulation.rendering.stage import Stage

PLANTS_UNIT, SHADOW_UNIT = 8, 10
"""Texture units of the pictures of plants and of the shadow map."""

SIZE = 1024
_HALF_M = 62.0
_AHEAD_M = 50.0
_DEPTH_M = 160.0
_LOWEST_SUN = 0.05


class ShadowMap:
    """A square of the scene ahead of the camera, seen from the sun.

    Args:
        ctx: Context of its texture.
        programs: Draw depth alone.
    """

    def __init__(self, ctx: moderngl.Context, programs: ShadowPrograms) -> None:
        self._ctx, self._programs = ctx, programs
        self.texture = ctx.depth_texture((SIZE, SIZE))
        self.texture.compare_func = '<='
        self.texture.repeat_x = self.texture.repeat_y = False
        self._target = ctx.framebuffer((), self.texture)

    def draw(
        self,
        stage: Stage,
        fleet: Fleet,
        eye: NDArray[np.float64],
        ahead: NDArray[np.float64],
        sun: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Draw the shadows around a place ahead of the camera.

        Args:
            stage: What stands beside the road.
            fleet: The vehicles, placed.
            eye: The camera in the map frame, (3,).
            ahead: Its direction in the plane, (2,).
            sun: Unit vector to the sun, (3,).

        Returns:
            Matrix (4, 4) from places relative to the eye to the shadow map's clip space.
        """
        turn = shadow_matrix(eye, ahead, sun)
        self._target.use()
        self._target.clear(depth=1.0)
        if sun[2] < _LOWEST_SUN:
            return turn
        self._ctx.enable_only(self._ctx.DEPTH_TEST)
        data = turn.T.astype('f4').tobytes()
        assign(self._programs.tree, plants=PLANTS_UNIT)
        for program in (self._programs.solid, self._programs.body, self._programs.tree):
            assign(program, turn=data)
        assign(self._programs.body, eye=tuple(eye))
        fleet.draw(self._programs.body)
        stage.draw('solids', self._programs.solid, eye, _AHEAD_M + _HALF_M)
        stage.draw('trees', self._programs.tree, eye, _AHEAD_M + _HALF_M)
        return turn


def shadow_matrix(
    eye: NDArray[np.float64], ahead: NDArray[np.float64], sun: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the matrix (4, 4) from places relative to the eye to a view along the sun's rays.

    Its texels keep their places in the map while the camera moves, so that shadows do not crawl.
    """
    right = np.cross([0.0, 0.0, 1.0], sun)
    right /= max(float(np.linalg.norm(right)), 1e-9)
    axes = np.stack([right, np.cross(sun, right), -sun])
    middle = axes @ (eye + (*(_AHEAD_M * ahead), -eye[2]))
    texel = 2 * _HALF_M / SIZE
    middle[:2] = np.rint(middle[:2] / texel) * texel
    matrix = np.eye(4)
    matrix[:3, :3] = axes / np.array([[_HALF_M], [_HALF_M], [_DEPTH_M]])
    matrix[:3, 3] = (axes @ eye - middle) / (_HALF_M, _HALF_M, _DEPTH_M)
    return matrix
