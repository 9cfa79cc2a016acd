# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps what does not move in the graphics memory: the sections of the road around the vehicle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.simulation.rendering.ground import add_ground
from mm_fusion.simulation.rendering.mesh import GROUND_VERTEX, Mesh

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import World

SECTION_M = 250.0
SIGHT_M = 420.0
_BEHIND_M = 45.0
_KEPT = 4
_HALF_MARK_M = {'town': 0.06, 'rural': 0.06, 'motorway': 0.08}


class _Loaded(NamedTuple):
    """Triangles of one section in the graphics memory, in order of arc length."""

    array: moderngl.VertexArray
    arcs: NDArray[np.float32]
    buffers: tuple[moderngl.Buffer, moderngl.Buffer]


class _Section(NamedTuple):
    origin: NDArray[np.float64]
    ground: _Loaded | None


class Stage:
    """Roads and what stands beside them, made section by section as the drive reaches them.

    A section depends on the scenario and its index alone.

    Args:
        ctx: Context of its buffers.
        world: The drive.
        ground: Draws vertices of type ``GROUND_VERTEX``.
    """

    def __init__(self, ctx: moderngl.Context, world: World, ground: moderngl.Program) -> None:
        self._ctx = ctx
        self._world = world
        self._ground = ground
        self._half_mark_m = _HALF_MARK_M[world.scenario.road.kind]
        self._sections: dict[int, _Section] = {}
        self._shown: list[_Section] = []
        self._span = (0.0, 0.0)

    def prepare(self, arc_m: float) -> None:
        """Make what is in sight from a place on the main road; forget what is far behind."""
        course = self._world.roads.main.course
        self._span = (arc_m - _BEHIND_M, arc_m + SIGHT_M)
        begin = max(self._span[0], course.start_m)
        end = min(self._span[1], course.end_m)
        wanted = range(math.floor(begin / SECTION_M), math.floor(end / SECTION_M) + 1)
        for index in wanted:
            if index not in self._sections:
                self._sections[index] = self._made(index)
        while len(self._sections) > max(_KEPT, len(wanted)):
            farthest = max(self._sections, key=lambda k: abs((k + 0.5) * SECTION_M - arc_m))
            _release(self._sections.pop(farthest))
        self._shown = [self._sections[index] for index in wanted]

    def draw_ground(self, eye: NDArray[np.float64]) -> None:
        """Draw the ground, the nearest first; the program's other uniforms are set."""
        self._draw([(section.origin, section.ground) for section in self._shown], eye)

    def _draw(
        self,
        parts: list[tuple[NDArray[np.float64], _Loaded | None]],
        eye: NDArray[np.float64],
    ) -> None:
        for origin, part in parts:
            if part is None:
                continue
            first, last = (int(n) for n in np.searchsorted(part.arcs, self._span))
            if last > first:
                shift = (origin[0] - eye[0], origin[1] - eye[1], -eye[2])
                part.array.program['shift'] = shift
                part.array.render(vertices=3 * (last - first), first=3 * first)

    def _made(self, index: int) -> _Section:
        roads = self._world.roads
        begin = max(index * SECTION_M, roads.main.course.start_m)
        end = min((index + 1) * SECTION_M, roads.main.course.end_m)
        origin = roads.main.course.pose_at((begin + end) / 2)[:2]
        ground = Mesh(GROUND_VERTEX)
        add_ground(ground, roads, begin, end, self._half_mark_m, origin)
        names = ('position', 'along', 'mark', 'normal', 'traits', 'lights')
        return _Section(
            origin, self._load(ground, self._ground, '3f 4f 2f 3i1 1x1 4u1 4f1', names)
        )

    def _load(
        self, mesh: Mesh, program: moderngl.Program, layout: str, names: tuple[str, ...]
    ) -> _Loaded | None:
        vertices, triangles, arcs = mesh.finish()
        if not len(triangles):
            return None
        buffers = self._ctx.buffer(vertices.tobytes()), self._ctx.buffer(triangles.tobytes())
        array = self._ctx.vertex_array(
            program, [(buffers[0], layout, *names)], index_buffer=buffers[1], skip_errors=True
        )
        return _Loaded(array, arcs, buffers)


def _release(section: _Section) -> None:
    for part in (section.ground,):
        if part is not None:
            part.array.release()
            for buffer in part.buffers:
                buffer.release()
