# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws the vehicles around: one call for each kind that is in sight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.vehicles import make_bodies
from mm_fusion.simulation.world import START_NS, Motion

if TYPE_CHECKING:
    from collections.abc import Iterator

    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.vehicles import Body
    from mm_fusion.simulation.world import Vehicle, VehicleKind, World

PLACED = np.dtype(
    [
        ('place', 'f4', 4),
        ('scale', 'f4', 3),
        ('paint', 'f4', 4),
        ('lights', 'f4', 4),
        ('blue', 'f4', 2),
    ]
)
"""One vehicle in a frame, as the shaders take it; the place is in the map frame here."""

SIGHT_M = 350.0
_BEHIND_M = 12.0
_FLASH_S = 0.5


class Fleet:
    """The vehicles of a drive.

    Args:
        ctx: Context of its buffers.
        world: The drive.
        program: Draws bodies.
    """

    def __init__(self, ctx: moderngl.Context, world: World, program: moderngl.Program) -> None:
        self._world = world
        bodies = make_bodies()
        kinds = sorted({vehicle.kind for vehicle in world.vehicles})
        self._bodies = {kind: bodies[kind] for kind in kinds}
        self._instances: dict[VehicleKind, moderngl.Buffer] = {}
        self._arrays: dict[VehicleKind, moderngl.VertexArray] = {}
        self._program = program
        for kind, body in self._bodies.items():
            count = sum(vehicle.kind == kind for vehicle in world.vehicles)
            self._instances[kind] = ctx.buffer(reserve=count * PLACED.itemsize, dynamic=True)
            self._arrays[kind] = self._array(ctx, body, self._instances[kind])
        self._counts = dict.fromkeys(kinds, 0)

    def _array(
        self, ctx: moderngl.Context, body: Body, instances: moderngl.Buffer
    ) -> moderngl.VertexArray:
        vertices = ctx.buffer(body.vertices.tobytes())
        indices = ctx.buffer(body.triangles.tobytes())
        names = ('place', 'scale', 'paint', 'lights', 'blue')
        return ctx.vertex_array(
            self._program,
            [
                (vertices, '3f 3i1 1x1 4f1', 'position', 'normal', 'colour'),
                (instances, '4f 3f 4f 4f 2f/i', *names),
            ],
            index_buffer=indices,
        )

    def place(self, stamp_ns: int, eye: NDArray[np.float64], ahead: NDArray[np.float64]) -> bool:
        """Find out who is in sight, and where; tells whether anyone is.

        Args:
            stamp_ns: Time.
            eye: The camera in the map frame, (3,).
            ahead: Its direction in the plane, (2,).
        """
        rows: dict[VehicleKind, list[NDArray[np.void]]] = {kind: [] for kind in self._bodies}
        for vehicle, state in self._in_sight(stamp_ns, eye, ahead):
            rows[vehicle.kind].append(self._row(vehicle, state, stamp_ns, eye))
        for kind, found in rows.items():
            self._counts[kind] = len(found)
            if found:
                self._instances[kind].write(np.concatenate(found).tobytes())
        return any(self._counts.values())

    def draw(self) -> None:
        """Draw who was placed; the program's uniforms are set."""
        for kind, array in self._arrays.items():
            if self._counts[kind]:
                array.render(instances=self._counts[kind])

    def _in_sight(
        self, stamp_ns: int, eye: NDArray[np.float64], ahead: NDArray[np.float64]
    ) -> Iterator[tuple[Vehicle, NDArray[np.float64]]]:
        for vehicle in self._world.vehicles:
            state = self._world.state_at(vehicle, stamp_ns)
            x, y = float(state[Motion.X] - eye[0]), float(state[Motion.Y] - eye[1])
            if math.hypot(x, y) < SIGHT_M and x * ahead[0] + y * ahead[1] > -_BEHIND_M:
                yield vehicle, state

    def _row(
        self,
        vehicle: Vehicle,
        state: NDArray[np.float64],
        stamp_ns: int,
        eye: NDArray[np.float64],
    ) -> NDArray[np.void]:
        body = self._bodies[vehicle.kind]
        row = np.zeros(1, PLACED)
        heading = float(state[Motion.HEADING])
        length = vehicle.length_m / body.size[0]
        # The nominal rear axle need not stand where this vehicle has it.
        shift = length * body.rear_m - vehicle.rear_overhang_m
        row['place'][0] = (
            state[Motion.X] - eye[0] + shift * math.cos(heading),
            state[Motion.Y] - eye[1] + shift * math.sin(heading),
            -eye[2],
            heading,
        )
        row['scale'][0] = (
            length,
            vehicle.width_m / body.size[1],
            vehicle.height_m / body.size[2],
        )
        step = self._world.step_at(stamp_ns)
        row['paint'][0] = (*vehicle.colour, 1.0)
        row['lights'][0] = (1.0, 0.0, 0.0, float(vehicle.braking[step]))
        if vehicle.siren_on[step]:
            row['blue'][0] = flashes((stamp_ns - START_NS) * 1e-9)
        return row


def flashes(time_s: float) -> tuple[float, float]:
    """Give the strength of the left and the right blue lamp: double flashes, one after the other."""
    phase = (time_s % _FLASH_S) / _FLASH_S

    def lamp(since: float) -> float:
        return 1.0 if since < 0.14 or 0.22 < since < 0.36 else 0.08

    return lamp(phase), lamp((phase + 0.5) % 1.0)
