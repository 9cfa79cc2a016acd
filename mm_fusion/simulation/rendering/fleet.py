# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws the vehicles around: one call for each kind that is in sight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.rendering.tunnels import sky_shares
from mm_fusion.simulation.rendering.vehicles import make_bodies
from mm_fusion.simulation.world import START_NS, Motion

if TYPE_CHECKING:
    from collections.abc import Iterator

    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.bodies import Body
    from mm_fusion.simulation.world import Vehicle, VehicleKind, World

PLACED = np.dtype(
    [
        ('place', 'f4', 4),
        ('scale', 'f4', 3),
        ('paint', 'f4', 4),
        ('lights', 'f4', 4),
        ('blue', 'f4', 2),
        ('extent', 'f4', 4),
    ]
)
"""One vehicle in a frame, as the shaders take it."""

GLOW = np.dtype([('place', 'f4', 4), ('colour', 'f4', 4)])
"""A disc of light, as the shaders take it."""

SIGHT_M = 350.0
_BEHIND_M, _ASIDE_M = 12.0, 14.0
"""Vehicles farther outside the view than this neither show nor cast shadows into it."""

_FLASH_S = 0.5
_STREET_LIGHT = 0.4
_HEAD, _TAIL, _BRAKE = (1.0, 0.95, 0.85), (0.35, 0.01, 0.01), (1.3, 0.04, 0.03)
_BLUE = (0.10, 0.35, 2.2)


class Fleet:
    """The vehicles of a drive.

    Args:
        ctx: Context of its buffers.
        world: The drive.
        bodies: Programs that draw bodies.
        trace: Draws what they do to the ground.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        world: World,
        bodies: tuple[moderngl.Program, ...],
        trace: moderngl.Program,
    ) -> None:
        self._world = world
        self._widening = math.tan(math.radians(world.scenario.camera.horizontal_fov_deg) / 2)
        made = make_bodies()
        kinds = sorted({vehicle.kind for vehicle in world.vehicles})
        self._bodies = {kind: made[kind] for kind in kinds}
        self._instances: dict[VehicleKind, moderngl.Buffer] = {}
        self._arrays: dict[tuple[VehicleKind, moderngl.Program], moderngl.VertexArray] = {}
        corners = ctx.buffer(np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], 'f4').tobytes())
        names = PLACED.names or ()
        for kind, body in self._bodies.items():
            count = sum(vehicle.kind == kind for vehicle in world.vehicles)
            placed = ctx.buffer(reserve=count * PLACED.itemsize, dynamic=True)
            self._instances[kind] = placed
            vertices = ctx.buffer(body.vertices.tobytes())
            indices = ctx.buffer(body.triangles.tobytes())
            for program in bodies:
                self._arrays[kind, program] = ctx.vertex_array(
                    program,
                    [
                        (vertices, '3f 3i1 1x1 4f1', 'position', 'normal', 'colour'),
                        (placed, '4f 3f 4f 4f 2f 4f/i', *names),
                    ],
                    index_buffer=indices,
                    skip_errors=True,
                )
            self._arrays[kind, trace] = ctx.vertex_array(
                trace,
                [(corners, '2f', 'corner'), (placed, '4f 3f 4f 4f 2f 4f/i', *names)],
                mode=ctx.TRIANGLE_STRIP,
                skip_errors=True,
            )
        self._counts = dict.fromkeys(kinds, 0)
        self.glows: NDArray[np.void] = np.zeros(0, GLOW)

    def place(
        self, stamp_ns: int, eye: NDArray[np.float64], ahead: NDArray[np.float64], dark: bool
    ) -> None:
        """Find out who is in sight, and where.

        Args:
            stamp_ns: Time.
            eye: The camera in the map frame, (3,).
            ahead: Its direction in the plane, (2,).
            dark: Whether lamps glow.
        """
        rows: dict[VehicleKind, list[NDArray[np.void]]] = {kind: [] for kind in self._bodies}
        glows = []
        for vehicle, state in self._in_sight(stamp_ns, eye, ahead):
            row = self._row(vehicle, state, stamp_ns, eye)
            rows[vehicle.kind].append(row)
            glows += lamp_glows(row, self._bodies[vehicle.kind], dark)
        for kind, found in rows.items():
            self._counts[kind] = len(found)
            if found:
                self._instances[kind].write(np.concatenate(found).tobytes())
        self.glows = np.array(glows, GLOW) if glows else np.zeros(0, GLOW)

    def draw(self, program: moderngl.Program) -> None:
        """Draw who was placed with one of the programs; its uniforms are set."""
        for kind, count in self._counts.items():
            if count:
                self._arrays[kind, program].render(instances=count)

    def _in_sight(
        self, stamp_ns: int, eye: NDArray[np.float64], ahead: NDArray[np.float64]
    ) -> Iterator[tuple[Vehicle, NDArray[np.float64]]]:
        for vehicle in self._world.vehicles:
            state = self._world.state_at(vehicle, stamp_ns)
            x, y = float(state[Motion.X] - eye[0]), float(state[Motion.Y] - eye[1])
            depth = x * ahead[0] + y * ahead[1]
            aside = abs(y * ahead[0] - x * ahead[1])
            seen = aside < max(depth, 0.0) * self._widening + _ASIDE_M
            if seen and depth > -_BEHIND_M and math.hypot(x, y) < SIGHT_M:
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
            0.0,
            heading,
        )
        row['scale'][0] = (
            length,
            vehicle.width_m / body.size[1],
            vehicle.height_m / body.size[2],
        )
        step = self._world.step_at(stamp_ns)
        moving = bool(np.abs(vehicle.states[:, Motion.SPEED]).max() > 0.1)
        row['paint'][0] = (*vehicle.colour, float(moving))
        sky, tunnel = sky_shares(self._world.roads, np.array([[state[Motion.ARC], 0.0]]))
        street = _STREET_LIGHT if self._world.roads.urban else 0.0
        row['lights'][0] = (sky[0], street, tunnel[0], float(vehicle.braking[step]))
        row['extent'][0] = (
            vehicle.length_m - vehicle.rear_overhang_m,
            vehicle.rear_overhang_m,
            vehicle.width_m / 2,
            vehicle.height_m,
        )
        if vehicle.siren_on[step]:
            row['blue'][0] = flashes((stamp_ns - START_NS) * 1e-9)
        return row


def flashes(time_s: float) -> tuple[float, float]:
    """Give the strength of the left and the right blue lamp: double flashes by turns."""
    phase = (time_s % _FLASH_S) / _FLASH_S

    def lamp(since: float) -> float:
        return 1.0 if since < 0.14 or 0.22 < since < 0.36 else 0.08

    return lamp(phase), lamp((phase + 0.5) % 1.0)


def lamp_glows(
    row: NDArray[np.void], body: Body, dark: bool
) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """List the glows of a placed vehicle's lamps, as (place, colour) of type ``GLOW``.

    A lamp glows as far as it faces the camera; by day only brake lights and blue lamps do.
    """
    x, y, _, heading = (float(value) for value in row['place'][0])
    cos, sin = math.cos(heading), math.sin(heading)
    facing = -(x * cos + y * sin) / max(math.hypot(x, y), 1e-6)
    paint, lights, blue = row['paint'][0], row['lights'][0], row['blue'][0]
    found: list[tuple[tuple[float, ...], tuple[float, ...]]] = []

    def glow(spots: NDArray[np.float64], radius: float, colour: tuple[float, ...]) -> None:
        for ahead, left, up in spots * row['scale'][0]:
            place = x + cos * ahead - sin * left, y + sin * ahead + cos * left, up, radius
            found.append((place, (*colour, 0.0)))

    if dark and paint[3] > 0 and facing > 0.05:
        strength = facing**2
        glow(body.head_lamps, 0.55, tuple(strength * part for part in _HEAD))
    if facing < -0.05 and (dark or lights[3] > 0):
        colour = _BRAKE if lights[3] > 0 else _TAIL
        share = -facing * (1.0 if dark else 0.35)
        glow(body.tail_lamps, 0.42, tuple(share * part for part in colour))
    if blue.max() > 0:
        share = 1.0 if dark else 0.5
        for lamp, strength in zip(body.blue_lamps, blue, strict=True):
            glow(lamp[None], 1.0, tuple(share * float(strength) * part for part in _BLUE))
    return found
