# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Rain, snowfall and spray in front of the camera.

Drops and flakes keep their places in a box that wraps around the eye and moves with the air;
spray hangs where a vehicle has passed. Both are functions of time, so frames are independent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.simulation.rendering.environment import Environment
from mm_fusion.simulation.rendering.glsl import VERSION, assign, read_shader
from mm_fusion.simulation.rendering.lens import exposure_s
from mm_fusion.simulation.seeds import generator
from mm_fusion.simulation.world import START_NS, STEP_NS, Motion

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.environment import Light
    from mm_fusion.simulation.world import Vehicle, WeatherState, World

_BOX_M = 8.0
_MOST = {'lite': 1200, 'full': 4000}
"""Drops or flakes in the box in a downpour."""

_SPRAY_SIGHT_M = 90.0
_SPRAY_SPEED_MPS = 4.0
_PUFF_NS = 90_000_000
_PUFFS = 9
_MOST_PUFFS = 2 * _PUFFS * 24
_SPRAYED = np.array([0.0, 0.55, 1.0, 0.30, 0.50, 0.05])
"""How much the wheels whirl up, by friction class."""


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
        self._most = _MOST[world.scenario.camera.shader]
        rng = generator(world.scenario.seed, 'camera', 'precipitation')
        seeds = ctx.buffer(_quads(rng.random((self._most, 4), np.float32)).tobytes())
        self._puffs = ctx.buffer(reserve=_MOST_PUFFS * 6 * 7 * 4, dynamic=True)
        fragment = VERSION + read_shader('precipitation.frag')
        self._fall, self._spray = (
            ctx.program(vertex_shader=VERSION + read_shader(name), fragment_shader=fragment)
            for name in ('precipitation_fall.vert', 'precipitation_spray.vert')
        )
        self._falling = ctx.vertex_array(self._fall, [(seeds, '2f 4f', 'corner', 'seed')])
        self._hanging = ctx.vertex_array(
            self._spray, [(self._puffs, '2f 3f 2f', 'corner', 'middle', 'extent')]
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
        puffs = self._spray_at(stamp_ns, eye)
        falls = weather.rain_mmph > 0 or weather.snowfall_mmph > 0
        if not falls and not len(puffs):
            return
        target = self._ctx.fbo
        self._ctx.enable_only(self._ctx.BLEND | self._ctx.DEPTH_TEST)
        self._ctx.blend_func = self._ctx.SRC_ALPHA, self._ctx.ONE_MINUS_SRC_ALPHA
        target.depth_mask = False
        light = self._environment.light_at(stamp_ns)
        matrix = view_projection.T.astype(np.float32).tobytes()
        # Own headlights reach what is near when it is dark.
        colour = tuple(0.5 * (light.air + light.sky_light) + 0.012)
        if len(puffs):
            self._puffs.write(_quads(puffs).tobytes())
            assign(self._spray, view_projection=matrix, eye=tuple(eye), colour=colour)
            self._hanging.render(vertices=6 * len(puffs))
        for kind in ('rain', 'snow'):
            uniforms, count = self._falling_kind(kind, weather, light)
            if count:
                assign(
                    self._fall,
                    view_projection=matrix,
                    eye=tuple(eye),
                    velocity=tuple(velocity),
                    box=_BOX_M,
                    time=(stamp_ns % 10**12) * 1e-9,
                    pixel=(2.0 / target.width, 2.0 / target.height),
                    **uniforms,
                )
                self._falling.render(vertices=6 * count)
        target.depth_mask = True

    def _falling_kind(
        self, kind: str, weather: WeatherState, light: Light
    ) -> tuple[dict[str, Any], int]:
        """Give the uniforms of drops or flakes, and their number.

        The fall of drops of a usual size after Atlas, Srivastava and Sekhon (1973); that of
        aggregated flakes is about 1 m/s.
        """
        rain = kind == 'rain'
        rate = weather.rain_mmph if rain else 3.0 * weather.snowfall_mmph
        speed = 6.5 if rain else 1.1
        downwind = weather.wind_mps * (0.5 if rain else 0.8)
        uniforms = {
            'fall': (0.8 * downwind, 0.6 * downwind, -speed),
            'swirl': 0.0 if rain else 0.25,
            'colour': tuple((1.5 if rain else 1.7) * light.sky_light + 0.02),
            'thickness': 0.005 if rain else 0.018,
            'exposure': exposure_s(light),
            'opacity': 0.55 if rain else 1.0,
        }
        return uniforms, round(self._most * min(rate / 15.0, 1.0) ** 0.6)

    def _spray_at(self, stamp_ns: int, eye: NDArray[np.float64]) -> NDArray[np.float32]:
        """Give the puffs of spray, float32 (n, 5): place, radius, opacity; the farthest first."""
        found = [
            puffs
            for vehicle in self._world.vehicles
            if (puffs := self._puffs_of(vehicle, stamp_ns, eye)) is not None
        ]
        if not found:
            return np.empty((0, 5), np.float32)
        puffs = np.concatenate(found)
        away = np.hypot(*(puffs[:, :2] - eye[:2]).T)
        return puffs[np.argsort(-away, kind='stable')][-_MOST_PUFFS:].astype(np.float32)

    def _puffs_of(
        self, vehicle: Vehicle, stamp_ns: int, eye: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        states = vehicle.states
        place = (stamp_ns - START_NS) / STEP_NS
        now = states[min(max(round(place), 0), len(states) - 1)]
        away = float(np.hypot(now[Motion.X] - eye[0], now[Motion.Y] - eye[1]))
        if now[Motion.SPEED] < _SPRAY_SPEED_MPS or away > _SPRAY_SIGHT_M:
            return None
        wet = float(self._world.roads.surface.friction_at(now[Motion.ARC]) @ _SPRAYED)
        strength = wet * min((now[Motion.SPEED] - _SPRAY_SPEED_MPS) / 18.0, 1.0)
        if strength < 0.02:
            return None
        ages_s = (stamp_ns % _PUFF_NS + _PUFF_NS * np.arange(_PUFFS)) * 1e-9
        steps = np.clip(place - ages_s * (1e9 / STEP_NS), 0, len(states) - 1.001)
        first = steps.astype(int)
        part = (steps - first)[:, None]
        was = (1 - part) * states[first] + part * states[first + 1]
        heading = was[:, Motion.HEADING]
        emitted = (stamp_ns // _PUFF_NS - np.arange(_PUFFS)) % 97
        grown = 0.26 + 0.75 * ages_s**0.7 * (0.8 + 0.4 * ((emitted * 37 % 97) / 97))
        fade = strength * 0.5 * np.exp(-2.8 * ages_s) * np.minimum(ages_s / 0.05, 1.0)
        puffs = []
        for side in (-1, 1):
            left = side * (0.38 * vehicle.width_m + 0.25 * ages_s)
            back = 0.2 * vehicle.rear_overhang_m
            x = was[:, Motion.X] - back * np.cos(heading) - left * np.sin(heading)
            y = was[:, Motion.Y] - back * np.sin(heading) + left * np.cos(heading)
            puffs.append(np.stack([x, y, 0.15 + 0.55 * grown, grown, fade], axis=1))
        return np.asarray(np.concatenate(puffs), np.float64)


def _quads(items: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give two triangles for each item, float32 (6 n, 2 + columns): a corner, and the item.

    Instances would cost software GL a draw call each.
    """
    corners = np.array([[-1, -1], [1, -1], [-1, 1], [-1, 1], [1, -1], [1, 1]], np.float32)
    repeated = np.repeat(items, 6, axis=0)
    return np.concatenate([np.tile(corners, (len(items), 1)), repeated], axis=1)
