# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One OpenGL context for all tests of a run, and shader functions evaluated over a grid."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.rendering.context import create_context
from mm_fusion.simulation.rendering.glsl import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    import moderngl
    from numpy.typing import NDArray

_VERTEX = """
in vec2 corner;
out vec2 at;
void main() { at = 0.5 + 0.5 * corner; gl_Position = vec4(corner, 0.0, 1.0); }
"""
_FRAGMENT = """
in vec2 at;
layout(location = 0) out vec4 first;
layout(location = 1) out vec4 second;
void main() {{ {body} }}
"""


@functools.lru_cache(maxsize=1)
def _context() -> moderngl.Context:
    return create_context()


def shared_context() -> moderngl.Context:
    """Give the context of this run, made current again after others."""
    context = _context()
    context.__enter__()  # type: ignore[no-untyped-call]
    return context


def evaluate(
    source: str,
    body: str,
    bind: Callable[[moderngl.Program], None],
    size: tuple[int, int] = (64, 32),
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Run statements that set ``first`` and ``second`` for ``at`` in [0, 1]², from below.

    Returns:
        What they set, float32 (rows, columns, 4) each.
    """
    ctx = shared_context()
    program = ctx.program(
        vertex_shader=VERSION + _VERTEX,
        fragment_shader=VERSION + source + _FRAGMENT.format(body=body),
    )
    corners = ctx.buffer(np.array([-1, -1, 3, -1, -1, 3], np.float32).tobytes())
    targets = [ctx.texture(size, 4, dtype='f4') for _ in range(2)]
    framebuffer = ctx.framebuffer(targets)
    framebuffer.use()
    ctx.disable(ctx.DEPTH_TEST | ctx.BLEND | ctx.CULL_FACE)
    bind(program)
    ctx.vertex_array(program, [(corners, '2f', 'corner')]).render()
    first, second = (
        np.frombuffer(target.read(), np.float32).reshape(size[1], size[0], 4) for target in targets
    )
    return first, second


class Canvas:
    """A scene of one depth and the targets that a lens and precipitation draw into.

    Args:
        size: Columns and rows.
    """

    def __init__(self, size: tuple[int, int] = (160, 90)) -> None:
        ctx = shared_context()
        self.size = size
        self.radiance = ctx.texture(size, 4, dtype='f2')
        self.depth = ctx.depth_texture(size)
        self.scene = ctx.framebuffer([self.radiance], self.depth)
        self.picture = ctx.framebuffer([ctx.texture(size, 3)])

    def fill(self, radiance: NDArray[np.float64] | float, depth: float = 0.9999) -> None:
        """Set the radiance, grey (rows, columns) or one number, and the depth of all pixels."""
        self.scene.use()
        self.scene.clear(depth=depth)
        rows = (self.size[1], self.size[0], 1)
        grey = np.broadcast_to(np.reshape(radiance, np.shape(radiance) + (1,)), rows)
        pixels = np.concatenate([grey] * 3 + [np.ones(rows)], axis=2)
        self.radiance.write(pixels.astype(np.float16).tobytes())

    def read_scene(self) -> NDArray[np.float32]:
        """Give the radiance, float32 (rows, columns, 3)."""
        pixels = np.frombuffer(self.radiance.read(), np.float16)
        return pixels.reshape(self.size[1], self.size[0], 4)[..., :3].astype(np.float32)

    def read_depth(self) -> NDArray[np.float32]:
        """Give the depths, float32 (rows, columns)."""
        depth = np.frombuffer(self.depth.read(), np.float32)
        return depth.reshape(self.size[1], self.size[0])

    def read_picture(self) -> NDArray[np.uint8]:
        """Give what a lens drew, uint8 (rows, columns, 3)."""
        pixels = np.frombuffer(self.picture.read(components=3, alignment=1), np.uint8)
        return pixels.reshape(self.size[1], self.size[0], 3)


def view_projection(
    eye: tuple[float, float, float], heading_rad: float, width: int = 160, height: int = 90
) -> NDArray[np.float32]:
    """Give the matrix (4, 4) from the map frame to clip space of a level camera of 75°."""
    focal = width / 2 / math.tan(math.radians(37.5))
    optical = PinholeCamera(width, height, focal, 0.0, 0.0, 0.0).rotation
    cos, sin = math.cos(heading_rad), math.sin(heading_rad)
    turned = optical @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    view = np.eye(4)
    view[:3, :3] = np.diag([1.0, -1.0, -1.0]) @ turned
    view[:3, 3] = -view[:3, :3] @ eye
    near, far = 0.3, 1000.0
    projection = np.diag([2 * focal / width, 2 * focal / height, 0.0, 0.0])
    projection[2, 2:] = (far + near) / (near - far), 2 * far * near / (near - far)
    projection[3, 2] = -1.0
    return np.asarray(projection @ view, np.float32)
