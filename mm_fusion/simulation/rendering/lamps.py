# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The lamps that stand beside the road, and the discs of light around all lamps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.fleet import GLOW
from mm_fusion.simulation.rendering.roadside import (
    HEAD_UP_M,
    LAMP_HEIGHT_M,
    signal_posts,
    street_lamps,
)
from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.roadside import Post
    from mm_fusion.simulation.roads import Junction
    from mm_fusion.simulation.world import World

_SIGHT_M = 260.0
_MOST = 1024
_SIGNALS = {
    'red': (HEAD_UP_M[0], (3.0, 0.10, 0.06)),
    'yellow': (HEAD_UP_M[1], (2.6, 1.3, 0.06)),
    'green': (HEAD_UP_M[2], (0.10, 2.4, 0.9)),
}
_STREET = (1.0, 0.72, 0.45)


class Lamps:
    """Draws glows: those of street lamps and traffic lights, and others that it is given.

    Args:
        ctx: Context of its buffers.
        world: The drive.
        program: Draws glows.
    """

    def __init__(self, ctx: moderngl.Context, world: World, program: moderngl.Program) -> None:
        self._world = world
        roads = world.roads
        course = roads.main.course
        self._street = street_lamps(roads, course.start_m, course.end_m)
        self._street_arcs = np.array([post.arc_m for post in self._street])
        self._signals = [
            (junction, tuple(signal_posts(roads, junction)))
            for junction in roads.junctions
            if junction.signals
        ]
        corners = ctx.buffer(np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], 'f4').tobytes())
        self._instances = ctx.buffer(reserve=_MOST * GLOW.itemsize, dynamic=True)
        self._array = ctx.vertex_array(
            program,
            [(corners, '2f', 'corner'), (self._instances, '4f 4f/i', 'place', 'colour')],
            mode=ctx.TRIANGLE_STRIP,
        )
        self._count = 0

    def place(
        self,
        stamp_ns: int,
        arc_m: float,
        eye: NDArray[np.float64],
        others: NDArray[np.void],
        night: bool,
    ) -> None:
        """Find out which lamps are in sight.

        Args:
            stamp_ns: Time.
            arc_m: Place of the vehicle on the main road.
            eye: The camera in the map frame, (3,).
            others: Further glows, of type ``GLOW``.
            night: Whether street lamps are on.
        """
        found = []
        time_s = (stamp_ns - START_NS) * 1e-9
        for junction, posts in self._signals:
            if -20.0 < junction.arc_m - arc_m < _SIGHT_M:
                found += _signal_glows(junction, posts, time_s, eye)
        if night:
            first, last = np.searchsorted(self._street_arcs, (arc_m - 20.0, arc_m + _SIGHT_M))
            for post in self._street[first:last]:
                x, y = post.foot + 1.7 * post.facing - eye[:2]
                found.append(((x, y, LAMP_HEIGHT_M - 0.12, 0.7), (*_STREET, 0.0)))
        rows = np.concatenate([others, np.array(found, GLOW)]) if found else others
        self._count = min(len(rows), _MOST)
        if self._count:
            self._instances.write(rows[: self._count].tobytes())

    def draw(self) -> None:
        """Draw the glows that were placed; the program's uniforms are set."""
        if self._count:
            self._array.render(instances=self._count)


def _signal_glows(
    junction: Junction,
    posts: tuple[tuple[Post, bool], ...],
    time_s: float,
    eye: NDArray[np.float64],
) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """List the lit lamps of a junction that face the camera: a hard disc and a halo each."""
    found: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    for post, is_main in posts:
        x, y = post.foot + 0.27 * post.facing - eye[:2]
        if -(x * post.facing[0] + y * post.facing[1]) < 0.15 * math.hypot(x, y):
            continue
        light = junction.main_light(time_s) if is_main else junction.side_light(time_s)
        up, colour = _SIGNALS[light]
        found.append(((x, y, up, 0.27), (*colour, 1.0)))
        found.append(((x, y, up, 0.5), (*(0.25 * part for part in colour), 0.0)))
    return found
