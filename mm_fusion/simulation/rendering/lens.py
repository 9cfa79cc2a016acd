# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From the radiance of the scene to the picture of a camera.

Every effect is a function of the frame and its stamp alone: frames may be drawn in any order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.simulation.rendering.drops import DROPS_SIZE, Drops, DropState
from mm_fusion.simulation.rendering.environment import Environment
from mm_fusion.simulation.rendering.glsl import VERSION, assign, read_shader
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.environment import Light
    from mm_fusion.simulation.world import World

_UNITS = {
    'scene': 1,
    'depths': 2,
    'metered': 3,
    'exposed': 4,
    'grain': 5,
    'drops': 6,
    'drop_cells': 7,
}
"""Texture units by sampler."""

_CELLS = (32, 18)
_SHORT_EXPOSURE_S = 0.004
_LONG_EXPOSURE_S = 0.02
_NOISE_PIXELS = 256
_FULL_WELL = 5000.0
"""Electrons of a bright pixel at gain 1: sets the shot noise."""

_READ_NOISE = 0.0012
_LEAST_GLARE = 0.01
_BLUR_TAPS = {'lite': 3, 'full': 10}


class Lens:
    """Exposure, motion blur, drops on the lens, tone mapping and noise, by ``CameraSettings``.

    Software GL executes both sides of a branch, so the picture is drawn in cells, each by a
    program that does what the cell needs and no more.

    Args:
        ctx: Context of its programs.
        world: The drive.
    """

    def __init__(self, ctx: moderngl.Context, world: World) -> None:
        self._ctx = ctx
        self._world = world
        self._settings = world.scenario.camera
        self._environment = Environment(world)
        self._taps = _BLUR_TAPS[self._settings.shader]
        self._triangle = ctx.buffer(np.array([-1, -1, 3, -1, -1, 3], np.float32).tobytes())
        self._cells = ctx.buffer(_cell_triangles().tobytes())
        self._drop_cells = ctx.texture(_CELLS, 1, alignment=1)
        self._metered = ctx.texture(_CELLS, 4, dtype='f2')
        self._exposed = ctx.texture((1, 1), 4, dtype='f4')
        for texture in (self._metered, self._exposed, self._drop_cells):
            texture.filter = (ctx.NEAREST, ctx.NEAREST)
        self._meter_target = ctx.framebuffer([self._metered])
        self._expose_target = ctx.framebuffer([self._exposed])
        self._meter, self._expose = (
            ctx.vertex_array(self._program(name, ()), [(self._triangle, '2f', 'corner')])
            for name in ('lens_meter', 'lens_expose')
        )
        self._develops: dict[tuple[str, ...], moderngl.VertexArray] = {}
        seed = world.scenario.seed
        self._noise = ctx.texture(
            (_NOISE_PIXELS,) * 2, 4, _grain(generator(seed, 'camera', 'grain'))
        )
        self._noise.filter = (ctx.NEAREST, ctx.NEAREST)
        self._drops = Drops(generator(seed, 'camera', 'drops'))
        self._drop_texture = ctx.texture(DROPS_SIZE, 4, self._drops.picture())

    def exposure_s(self, stamp_ns: int) -> float:
        """Give how long the shutter is open around a time: longer in the dark."""
        return exposure_s(self._environment.light_at(stamp_ns))

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
        ctx = self._ctx
        ctx.disable(ctx.BLEND | ctx.DEPTH_TEST | ctx.CULL_FACE)
        light = self._environment.light_at(stamp_ns)
        drops = self._drops_at(stamp_ns)
        now = view_projection.astype(np.float64)
        back = previous_view_projection.astype(np.float64) @ np.linalg.inv(now)
        uniforms = {
            **_UNITS,
            'size': (float(radiance.size[0]), float(radiance.size[1])),
            'back': back.T.astype(np.float32).tobytes(),
            'level': light.level,
            'drop_amount': drops.amount,
            'drop_shift': drops.shift,
            'drop_mirror': drops.mirror,
            **self._grain_uniforms(stamp_ns, light),
            **_sun_uniforms(light, now),
        }
        self._drop_cells.write((255 * self._drops.cells(drops, _CELLS).astype(np.uint8)).tobytes())
        self._use_textures(radiance, depth)
        dazzled = bool(max(uniforms['sun_glare']) > _LEAST_GLARE)
        for framebuffer, drawn in (
            (self._meter_target, self._meter),
            (self._expose_target, self._expose),
            *((target, one) for one in self._developed_by(drops.amount > 0, dazzled)),
        ):
            framebuffer.use()
            assign(drawn.program, **uniforms)
            drawn.render()

    def _use_textures(self, radiance: moderngl.Texture, depth: moderngl.Texture) -> None:
        for texture in (radiance, depth):
            texture.filter = (self._ctx.NEAREST, self._ctx.NEAREST)
            texture.repeat_x = texture.repeat_y = False
        depth.compare_func = ''
        used = {
            'scene': radiance,
            'depths': depth,
            'metered': self._metered,
            'exposed': self._exposed,
            'grain': self._noise,
            'drops': self._drop_texture,
            'drop_cells': self._drop_cells,
        }
        for name, texture in used.items():
            texture.use(_UNITS[name])

    def _developed_by(self, dropped: bool, dazzled: bool) -> Iterator[moderngl.VertexArray]:
        """Give the programs of the cells, compiled where they were not needed before."""
        always = ['NOISY'] * self._settings.noise + ['DAZZLED'] * dazzled
        blurs: tuple[tuple[str, ...], ...] = ((),)
        if self._settings.motion_blur:
            blurs = (('BLUR_KNOWN',), ('BLUR_KNOWN', 'BLURRED', f'TAPS {self._taps}'))
        for blur in blurs:
            for drop in ((), ('DROPPED',)) if dropped else ((),):
                names = (*always, *blur, *drop)
                if names not in self._develops:
                    self._develops[names] = self._ctx.vertex_array(
                        self._program('lens_develop', names),
                        [(self._cells, '2f 2f', 'corner', 'middle')],
                    )
                yield self._develops[names]

    def _program(self, name: str, defined: tuple[str, ...]) -> moderngl.Program:
        head = VERSION + ''.join(f'#define {word}\n' for word in defined)
        return self._ctx.program(
            vertex_shader=head + read_shader(f'{name}.vert'),
            fragment_shader=head + read_shader(f'{name}.frag'),
        )

    def _grain_uniforms(self, stamp_ns: int, light: Light) -> dict[str, Any]:
        """Give the place of the noise, and its strength at exposure factor 1."""
        shift = np.random.default_rng([self._world.scenario.seed, stamp_ns]).integers(0, 256, 2)
        gain = _SHORT_EXPOSURE_S / exposure_s(light)
        return {
            'grain_shift': tuple(int(part) for part in shift),
            'shot': gain / _FULL_WELL,
            'read': gain * _READ_NOISE,
        }

    def _drops_at(self, stamp_ns: int) -> DropState:
        """Give how many drops lie on the lens: they gather until the wiper takes them."""
        weather = self._world.weather_at(stamp_ns)
        rain = weather.rain_mmph + 0.4 * weather.snowfall_mmph
        if not self._settings.lens_drops or rain == 0:
            return DropState(0.0, (0.0, 0.0), (1.0, 1.0))
        period_ns = int(1e9 * (1.2 + 6.0 / (1.0 + rain)))
        cycle, since_ns = divmod(stamp_ns, period_ns)
        drawn = np.random.default_rng([self._world.scenario.seed, cycle]).random(3)
        amount = min(rain / 10.0, 1.0) ** 0.5 * (0.15 + 0.85 * since_ns / period_ns)
        mirror = 1.0 if drawn[2] < 0.5 else -1.0
        return DropState(amount, (float(drawn[0]), float(drawn[1])), (mirror, 1.0))


def _cell_triangles() -> NDArray[np.float32]:
    """Give two triangles for each cell, float32 (n, 4): a corner and the middle, in cells.

    Instances would cost software GL a draw call each.
    """
    corners = np.array([[0, 0], [1, 0], [0, 1], [0, 1], [1, 0], [1, 1]])
    rows, columns = np.divmod(np.arange(_CELLS[0] * _CELLS[1]), _CELLS[0])
    cells = np.stack([columns, rows], axis=1)[:, None, :]
    middles = np.broadcast_to(cells + 0.5, (cells.shape[0], 6, 2))
    triangles = np.concatenate([cells + corners, middles], axis=2)
    return np.asarray(triangles.reshape(-1, 4), np.float32)


def exposure_s(light: Light) -> float:
    """Give how long the shutter is open in a light."""
    return min(_SHORT_EXPOSURE_S / math.sqrt(light.level), _LONG_EXPOSURE_S)


def _sun_uniforms(light: Light, view_projection: NDArray[np.float64]) -> dict[str, Any]:
    """Give where the sun is in the picture, and how it dazzles."""
    x, y, _, w = view_projection @ (*light.sun_direction, 0.0)
    place = (0.5 + 0.5 * x / w, 0.5 + 0.5 * y / w) if w > 1e-3 else (9.0, 9.0)
    seen = max(abs(place[0] - 0.5), abs(place[1] - 0.5)) < 1.0
    return {'sun_place': place, 'sun_glare': tuple(light.sun_radiance * seen)}


def _grain(rng: np.random.Generator) -> bytes:
    """Draw noise of deviation 32 around 128, a little alike in neighbours as after demosaicing."""
    shape = (_NOISE_PIXELS, _NOISE_PIXELS, 4)
    field = rng.standard_normal(shape, np.float32)
    field += 0.35 * (np.roll(field, 1, 0) + np.roll(field, 1, 1))
    field[..., :3] += 0.8 * field[..., 3:]
    field[..., :3] /= field[..., :3].std()
    field[..., 3] = rng.uniform(-4, 4, shape[:2])
    return np.clip(np.rint(128 + 32 * field), 0, 255).astype(np.uint8).tobytes()
