# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps what does not move in the graphics memory: the sections of the road around the vehicle."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.simulation.rendering.section import SECTION_M, make_section, section_index

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.mesh import Triangles
    from mm_fusion.simulation.world import World

SIGHT_M = {'ground': 420.0, 'solids': 400.0, 'trees': 380.0}
"""How far along the road each part is drawn."""

_BEHIND_M = 45.0
_KEPT = 4
LAYOUTS = {
    'ground': (
        '3f 4f 2f 3i1 1x1 4u1 4f1',
        ('position', 'along', 'mark', 'normal', 'traits', 'lights'),
    ),
    'solids': (
        '3f 2f 3i1 1x1 4f1 4u1 4f1',
        ('position', 'spot', 'normal', 'colour', 'traits', 'lights'),
    ),
    'trees': (
        '3f 2f 2f 4u1 4f1',
        ('position', 'corner', 'size', 'traits', 'lights'),
    ),
}


class _Loaded(NamedTuple):
    """Triangles of one section in the graphics memory, in order of arc length."""

    origin: NDArray[np.float64]
    arcs: NDArray[np.float32]
    arrays: dict[moderngl.Program, moderngl.VertexArray]
    buffers: tuple[moderngl.Buffer, moderngl.Buffer]


class Stage:
    """Roads and what stands beside them, made section by section as the drive reaches them.

    Args:
        ctx: Context of its buffers.
        world: The drive.
        programs: What draws each part: 'ground', 'solids' and 'trees'; several where a part is
            drawn in several ways.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        world: World,
        programs: dict[str, tuple[moderngl.Program, ...]],
    ) -> None:
        self._ctx = ctx
        self._world = world
        self._programs = programs
        self._sections: dict[int, dict[str, _Loaded]] = {}
        self._shown: list[dict[str, _Loaded]] = []
        self._arc = 0.0

    def prepare(self, arc_m: float) -> None:
        """Make what is in sight from a place on the main road; forget what is far away."""
        course = self._world.roads.main.course
        begin = max(arc_m - _BEHIND_M, course.start_m)
        end = min(arc_m + max(SIGHT_M.values()), course.end_m)
        wanted = range(section_index(begin), section_index(end) + 1)
        for index in wanted:
            if index not in self._sections:
                self._sections[index] = self._made(index)
        while len(self._sections) > max(_KEPT, len(wanted)):
            idle = (index for index in self._sections if index not in wanted)
            farthest = max(idle, key=lambda k: abs((k + 0.5) * SECTION_M - arc_m))
            _release(self._sections.pop(farthest))
        self._shown = [self._sections[index] for index in wanted]
        self._arc = arc_m

    def draw(
        self,
        part: str,
        program: moderngl.Program,
        eye: NDArray[np.float64],
        sight_m: float | None = None,
    ) -> None:
        """Draw one part, the nearest first; the program's other uniforms are set.

        Args:
            part: 'ground', 'solids' or 'trees'.
            program: One of those given for it.
            eye: The camera in the map frame, (3,).
            sight_m: How far along the road.
        """
        span = self._arc - _BEHIND_M, self._arc + (sight_m or SIGHT_M[part])
        for section in self._shown:
            loaded = section.get(part)
            if loaded is None:
                continue
            first, last = (int(n) for n in np.searchsorted(loaded.arcs, span))
            if last > first:
                origin = loaded.origin
                program['shift'] = (origin[0] - eye[0], origin[1] - eye[1], -eye[2])
                loaded.arrays[program].render(vertices=3 * (last - first), first=3 * first)

    def _made(self, index: int) -> dict[str, _Loaded]:
        section = make_section(self._world, index)
        parts = {'ground': section.ground, 'solids': section.solids, 'trees': section.trees}
        return {
            name: self._load(name, triangles, section.origin)
            for name, triangles in parts.items()
            if len(triangles.corners)
        }

    def _load(self, name: str, part: Triangles, origin: NDArray[np.float64]) -> _Loaded:
        vertices = self._ctx.buffer(part.vertices.tobytes())
        corners = self._ctx.buffer(part.corners.tobytes())
        layout, names = LAYOUTS[name]
        arrays = {
            program: self._ctx.vertex_array(
                program, [(vertices, layout, *names)], index_buffer=corners, skip_errors=True
            )
            for program in self._programs[name]
        }
        return _Loaded(origin, part.arcs, arrays, (vertices, corners))


def _release(section: dict[str, _Loaded]) -> None:
    for part in section.values():
        for array in part.arrays.values():
            array.release()
        for buffer in part.buffers:
            buffer.release()
