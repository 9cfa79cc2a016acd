# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From the radiance of the scene to the picture of a camera.

Every effect is a function of the frame and its stamp alone: frames may be drawn in any order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.simulation.rendering.environment import Environment
from mm_fusion.simulation.rendering.glsl import VERSION, assign, read_shader
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.environment import Light
    from mm_fusion.simulation.world import World

_SCENE_UNIT, _DEPTH_UNIT, _METER_UNIT, _NOISE_UNIT, _DROPS_UNIT = 1, 2, 3, 4, 5
_METER_SIZE = (32, 18)
_SHORT_EXPOSURE_S = 0.004
_LONG_EXPOSURE_S = 0.02
_NOISE_PIXELS = 256
_DROPS_SIZE = (512, 288)
_MOST_DROPS = 110
_FULL_WELL = 5000.0
"""Electrons of a bright pixel at gain 1: sets the shot noise."""

_READ_NOISE = 0.0012
_BLUR_TAPS = {'lite': 4, 'full': 10}


class Lens:
    """Exposure, motion blur, drops on the lens, tone mapping and noise, by ``CameraSettings``.

    Args:
        ctx: Context of its programs.
        world: The drive.
    """

    def __init__(self, ctx: moderngl.Context, world: World) -> None:
        self._ctx = ctx
        self._world = world
        self._settings = world.scenario.camera
        self._environment = Environment(world)
        corners = ctx.buffer(np.array([-1, -1, 3, -1, -1, 3], np.float32).tobytes())
        self._meter, self._develop = (
            ctx.program(
                vertex_shader=VERSION + read_shader(vertex),
                fragment_shader=VERSION + read_shader(fragment),
            )
            for vertex, fragment in (
                ('lens_meter.vert', 'lens_meter.frag'),
                ('lens_develop.vert', 'lens_develop.frag'),
            )
        )
        self._meter_pass, self._develop_pass = (
            ctx.vertex_array(program, [(corners, '2f', 'corner')])
            for program in (self._meter, self._develop)
        )
        self._metered = ctx.texture(_METER_SIZE, 4, dtype='f2')
        self._metered.repeat_x = self._metered.repeat_y = False
        self._meter_target = ctx.framebuffer([self._metered])
        seed = world.scenario.seed
        self._noise = ctx.texture(
            (_NOISE_PIXELS,) * 2, 4, _grain(generator(seed, 'camera', 'grain'))
        )
        self._noise.filter = (ctx.NEAREST, ctx.NEAREST)
        self._drops = ctx.texture(_DROPS_SIZE, 4, _drops(generator(seed, 'camera', 'drops')))

    def exposure_s(self, stamp_ns: int) -> float:
        """Give how long the shutter is open around a time: longer in the dark."""
        return _exposure_s(self._environment.light_at(stamp_ns))

    def apply(
        self,
        radiance: moderngl.Texture,
        depth: moderngl.Texture,
        stamp_ns: int,
        view_projection: NDArray[np.float32],
        previous_view_projection: NDArray[np.float32],
        target: moderngl.Framebuffer,
    ) -> None:
        """Make the picture, sRGB, from the scene.

        Args:
            radiance: RGBA16F, linear.
            depth: Of the same size.
            stamp_ns: Middle of the exposure.
            view_projection: float32 (4, 4), map frame to clip space, at ``stamp_ns``.
            previous_view_projection: The same ``exposure_s`` before.
            target: What is drawn into, of the same size.
        """
        self._ctx.disable(self._ctx.BLEND | self._ctx.DEPTH_TEST | self._ctx.CULL_FACE)
        radiance.filter = (self._ctx.LINEAR, self._ctx.LINEAR)
        radiance.repeat_x = radiance.repeat_y = False
        radiance.use(_SCENE_UNIT)
        depth.compare_func = ''
        depth.use(_DEPTH_UNIT)
        self._meter_target.use()
        assign(self._meter, scene=_SCENE_UNIT)
        self._meter_pass.render()
        target.use()
        self._metered.use(_METER_UNIT)
        self._noise.use(_NOISE_UNIT)
        self._drops.use(_DROPS_UNIT)
        now = view_projection.astype(np.float64)
        back = previous_view_projection.astype(np.float64) @ np.linalg.inv(now)
        light = self._environment.light_at(stamp_ns)
        assign(
            self._develop,
            scene=_SCENE_UNIT,
            depths=_DEPTH_UNIT,
            metered=_METER_UNIT,
            grain=_NOISE_UNIT,
            drops=_DROPS_UNIT,
            size=(float(radiance.size[0]), float(radiance.size[1])),
            level=light.level,
            blurred=int(self._settings.motion_blur),
            most_taps=_BLUR_TAPS[self._settings.shader],
            back=back.T.astype(np.float32).tobytes(),
            **self._grain_uniforms(stamp_ns, light),
            **self._drop_uniforms(stamp_ns),
            **_sun_uniforms(light, now),
        )
        self._develop_pass.render()

    def _grain_uniforms(self, stamp_ns: int, light: Light) -> dict[str, Any]:
        """Give the place of the noise, and its strength at exposure factor 1."""
        shift = np.random.default_rng([self._world.scenario.seed, stamp_ns]).integers(0, 256, 2)
        gain = _SHORT_EXPOSURE_S / _exposure_s(light)
        return {
            'noisy': int(self._settings.noise),
            'grain_shift': tuple(int(part) for part in shift),
            'shot': gain / _FULL_WELL,
            'read': gain * _READ_NOISE,
        }

    def _drop_uniforms(self, stamp_ns: int) -> dict[str, Any]:
        """Give how many drops lie on the lens: they gather until the wiper takes them."""
        weather = self._world.weather_at(stamp_ns)
        rain = weather.rain_mmph + 0.4 * weather.snowfall_mmph
        period_ns = int(1e9 * (1.2 + 6.0 / (1.0 + rain)))
        cycle, since_ns = divmod(stamp_ns, period_ns)
        turned = np.random.default_rng([self._world.scenario.seed, cycle]).random(4)
        amount = min(rain / 10.0, 1.0) ** 0.5 * (0.15 + 0.85 * since_ns / period_ns)
        return {
            'dropped': int(self._settings.lens_drops and rain > 0),
            'drop_amount': amount,
            'drop_shift': (float(turned[0]), float(turned[1])),
            'drop_mirror': (1.0 if turned[2] < 0.5 else -1.0, 1.0),
        }


def _exposure_s(light: Light) -> float:
    return min(_SHORT_EXPOSURE_S / math.sqrt(light.level), _LONG_EXPOSURE_S)


def _sun_uniforms(light: Light, view_projection: NDArray[np.float64]) -> dict[str, Any]:
    """Give where the sun is in the picture, and how it dazzles."""
    x, y, _, w = view_projection @ (*light.sun_direction, 0.0)
    place = (0.5 + 0.5 * x / w, 0.5 + 0.5 * y / w) if w > 1e-3 else (9.0, 9.0)
    seen = w > 1e-3 and max(abs(place[0] - 0.5), abs(place[1] - 0.5)) < 1.0
    strength = light.sun_radiance if seen else np.zeros(3)
    return {
        'sun_place': place,
        'sun_glare': tuple(strength),
        'dazzled': int(strength.max() > 0.01),
    }


def _grain(rng: np.random.Generator) -> bytes:
    """Draw noise of deviation 32 around 128, a little alike in neighbours as after demosaicing."""
    shape = (_NOISE_PIXELS, _NOISE_PIXELS, 4)
    field = rng.standard_normal(shape, np.float32)
    field += 0.35 * (np.roll(field, 1, 0) + np.roll(field, 1, 1))
    field[..., :3] += 0.8 * field[..., 3:]
    field[..., :3] /= field[..., :3].std()
    field[..., 3] = rng.uniform(-4, 4, shape[:2])
    return np.clip(np.rint(128 + 32 * field), 0, 255).astype(np.uint8).tobytes()


def _drops(rng: np.random.Generator) -> bytes:
    """Draw drops: where each point of them looks, how much it is drop, and when it fell."""
    columns, rows = _DROPS_SIZE
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) + 0.5
    picture = np.zeros((rows, columns, 4), np.float32)
    picture[..., :2] = 0.5
    picture[..., 3] = 1.0
    for order in range(_MOST_DROPS):
        radius = 3.0 + 11.0 * rng.random() ** 3
        middle = rng.random(2) * (columns, rows)
        right = (x - middle[0] + columns / 2) % columns - columns / 2
        up = (y - middle[1] + rows / 2) % rows - rows / 2
        sag = 1 + 0.25 * math.sin(order)
        away = np.hypot(right, up * sag) / radius
        inside = np.clip((1.0 - away) * 2.2, 0, 1)
        drop = inside > 0
        picture[drop, 0] = (0.5 - 0.5 * right / 16.0)[drop]
        picture[drop, 1] = (0.5 - 0.5 * up / 16.0)[drop]
        picture[drop, 2] = inside[drop]
        picture[drop, 3] = (order + 0.5) / _MOST_DROPS
    return np.clip(np.rint(255 * picture), 0, 255).astype(np.uint8).tobytes()
