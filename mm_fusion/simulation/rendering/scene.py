# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws the scene: what a wet road mirrors, what casts shadows, and all that is seen."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.rendering.backdrop import make_backdrop
from mm_fusion.simulation.rendering.fleet import Fleet
from mm_fusion.simulation.rendering.glsl import assign
from mm_fusion.simulation.rendering.lamps import Lamps
from mm_fusion.simulation.rendering.mesh import CLASS, GROUND_VERTEX
from mm_fusion.simulation.rendering.plants import paint_plants
from mm_fusion.simulation.rendering.programs import compile_programs, features_of
from mm_fusion.simulation.rendering.shadows import PLANTS_UNIT, SHADOW_UNIT, ShadowMap
from mm_fusion.simulation.rendering.stage import LAYOUTS, Stage
from mm_fusion.simulation.seeds import generator

if TYPE_CHECKING:
    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.environment import Environment
    from mm_fusion.simulation.rendering.pose import CameraPose
    from mm_fusion.simulation.rendering.surface import SurfaceLook
    from mm_fusion.simulation.world import World

MIRROR_UNIT = 9
"""Texture unit of what a wet road mirrors."""

_DASHES_M = {'town': (3.0, 9.0), 'rural': (4.0, 12.0), 'motorway': (6.0, 18.0)}
_MIRROR_SIGHT_M = 150.0
_HEADLIGHT_AHEAD_M = 1.9
_FAR_LAND_M = 2400.0
_MIRROR_MARGIN = 0.08
_FLIP = np.diag([1.0, 1.0, -1.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What is to be drawn, apart from where the camera is.

    Attributes:
        stamp_ns: Time.
        arc_m: Place of the vehicle on the main road.
        ahead: float64 (2,), its direction, map frame.
        beams: Whether headlights are on.
        night: Whether street lamps are on.
        sun_share: Of the light on level ground.
        lamp_gain: Factor on the radiance of lamps: drawn as in nature, they would outshine a
            night by far more than a camera shows.
        wet: Whether anything in sight mirrors.
    """

    stamp_ns: int
    arc_m: float
    ahead: NDArray[np.float64]
    beams: bool
    night: bool
    sun_share: float
    lamp_gain: float
    wet: bool


class Scene:
    """All that is drawn into the radiance of a frame.

    Args:
        ctx: Context of all buffers and programs.
        world: The drive.
        environment: Its light and air.
        surface: The look of its ground.
    """

    def __init__(
        self, ctx: moderngl.Context, world: World, environment: Environment, surface: SurfaceLook
    ) -> None:
        self._ctx = ctx
        self._environment, self._surface = environment, surface
        settings = world.scenario.camera
        self._programs = compile_programs(ctx, environment, surface, features_of(world))
        programs = self._programs
        shadow = programs.shadow
        parts: dict[str, tuple[moderngl.Program, ...]] = {
            'ground': (programs.ground,),
            'solids': (programs.solid, shadow.solid) if shadow else (programs.solid,),
            'trees': (programs.tree, shadow.tree) if shadow else (programs.tree,),
        }
        self._stage = Stage(ctx, world, parts)
        bodies = (programs.body, shadow.body) if shadow else (programs.body,)
        self._fleet = Fleet(ctx, world, bodies, programs.trace)
        self._shadows = ShadowMap(ctx, shadow) if shadow else None
        self._lamps = Lamps(ctx, world, programs.glow)
        self._make_surroundings(world)
        half = (settings.width // 2, settings.height // 2)
        self._mirror_image = ctx.texture(half, 4, dtype='f2')
        self._mirror_image.repeat_x = self._mirror_image.repeat_y = False
        self._mirror = ctx.framebuffer([self._mirror_image], ctx.depth_renderbuffer(half))
        self._size = (settings.width, settings.height)
        horizon = PinholeCamera.from_settings(settings).horizon_row
        rows = half[1] * (1 - horizon / settings.height) + _MIRROR_MARGIN * half[1]
        self._mirror_rows = min(max(round(rows), 1), half[1])
        self._dashes = _DASHES_M[world.scenario.road.kind]

    def _make_surroundings(self, world: World) -> None:
        """Make the sky, the hills, the far land and the pictures of plants."""
        ctx, programs = self._ctx, self._programs
        seed = world.scenario.seed
        corners = ctx.buffer(np.array([-1, -1, 3, -1, -1, 3], 'f4').tobytes())
        self._sky = ctx.vertex_array(programs.sky, [(corners, '2f', 'corner')])
        hills = make_backdrop(generator(seed, 'scenery', 'hills'))
        layout, names = LAYOUTS['solids']
        self._hills = ctx.vertex_array(
            programs.solid,
            [(ctx.buffer(hills.vertices.tobytes()), layout, *names)],
            index_buffer=ctx.buffer(hills.corners.tobytes()),
            skip_errors=True,
        )
        self._land_vertices = np.zeros(4, GROUND_VERTEX)
        flat = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]]) * _FAR_LAND_M
        self._land_vertices['position'][:, :2] = flat
        self._land_vertices['normal'][:, 2] = 127
        self._land_vertices['traits'][:, 0] = CLASS['terrain']
        self._land_vertices['lights'][:, 0] = 255
        self._land_buffer = ctx.buffer(self._land_vertices.tobytes(), dynamic=True)
        layout, names = LAYOUTS['ground']
        self._land = ctx.vertex_array(
            programs.ground,
            [(self._land_buffer, layout, *names)],
            mode=ctx.TRIANGLE_STRIP,
            skip_errors=True,
        )
        pictures = paint_plants(generator(seed, 'scenery', 'plants'))
        size = (pictures.shape[2], pictures.shape[1], pictures.shape[0])
        self._plants = ctx.texture_array(size, 4, pictures.tobytes())
        self._plants.build_mipmaps()
        self._plants.filter = (ctx.LINEAR_MIPMAP_NEAREST, ctx.LINEAR)
        self._plants.repeat_x = self._plants.repeat_y = False

    def draw(
        self,
        view: View,
        pose: CameraPose,
        target: moderngl.Framebuffer,
        over: moderngl.Framebuffer,
    ) -> None:
        """Draw a frame.

        Args:
            view: What.
            pose: From where.
            target: Radiance, classes where there are any, and depth.
            over: The same without classes.
        """
        self._stage.prepare(view.arc_m)
        ahead = pose.rotation[2, :2]
        self._fleet.place(view.stamp_ns, pose.eye, ahead, view.beams)
        self._lamps.place(view.stamp_ns, view.arc_m, pose.eye, self._fleet.glows, view.night)
        for program in self._programs.lit:
            self._environment.bind(program, view.stamp_ns)
        self._surface.bind(self._programs.ground, view.stamp_ns)
        self._plants.use(PLANTS_UNIT)
        self._mirror_image.use(MIRROR_UNIT)
        if self._shadows:
            self._draw_shadows(view, pose, self._shadows)
        if view.wet:
            self._draw_mirrored(view, pose)
        self._set(view, pose, self._size)
        self._draw_seen(view, pose, target, over)

    def _set(self, view: View, pose: CameraPose, size: tuple[int, int]) -> None:
        """Give all programs where the camera is and which lamps are on."""
        turn = pose.turn.T.astype('f4').tobytes()
        for program in self._programs.lit:
            assign(
                program,
                turn=turn,
                eye=tuple(pose.eye),
                picture=size,
                lamps_on=float(view.night),
                headlight=(*view.ahead, float(view.beams), float(pose.eye[2])),
                headlight_ahead=_HEADLIGHT_AHEAD_M,
                lamp_gain=view.lamp_gain,
            )
        programs = self._programs
        assign(programs.tree, plants=PLANTS_UNIT)
        assign(
            programs.ground,
            dashes=self._dashes,
            mirrored=MIRROR_UNIT,
            mirroring=float(view.wet),
        )
        assign(programs.trace, pools=float(view.night), sun_share=view.sun_share)

    def _draw_shadows(self, view: View, pose: CameraPose, shadows: ShadowMap) -> None:
        sun = self._environment.sun_direction(view.stamp_ns)
        turn = shadows.draw(self._stage, self._fleet, pose.eye, view.ahead, sun)
        shadows.texture.use(SHADOW_UNIT)
        data = turn.T.astype('f4').tobytes()
        for program in self._programs.lit:
            assign(program, shadow_map=SHADOW_UNIT, shadow_turn=data)

    def _draw_mirrored(self, view: View, pose: CameraPose) -> None:
        """Draw the scene as level water shows it: seen from below the ground, upside down."""
        ctx, programs = self._ctx, self._programs
        below = dataclasses.replace(pose, eye=pose.eye * (1, 1, -1))
        self._set(view, below, (self._mirror.width, self._mirror.height))
        turn = (pose.turn @ _FLIP).T.astype('f4').tobytes()
        for program in programs.lit:
            assign(program, turn=turn)
        self._mirror.use()
        self._mirror.clear(depth=1.0)
        # Only what lies below the horizon can mirror.
        self._mirror.scissor = (0, 0, self._mirror.width, self._mirror_rows)
        ctx.enable_only(ctx.DEPTH_TEST | ctx.CULL_FACE)
        ctx.front_face = 'cw'
        self._fleet.draw(programs.body)
        self._stage.draw('solids', programs.solid, below.eye, _MIRROR_SIGHT_M)
        ctx.disable(ctx.CULL_FACE)
        ctx.front_face = 'ccw'
        self._stage.draw('trees', programs.tree, below.eye, _MIRROR_SIGHT_M)
        self._draw_hills(below.eye)
        self._draw_sky(pose.turn @ _FLIP)
        self._draw_glows(self._mirror)

    def _draw_seen(
        self,
        view: View,
        pose: CameraPose,
        target: moderngl.Framebuffer,
        over: moderngl.Framebuffer,
    ) -> None:
        ctx, programs = self._ctx, self._programs
        target.use()
        target.clear(depth=1.0)
        ctx.enable_only(ctx.DEPTH_TEST | ctx.CULL_FACE)
        self._fleet.draw(programs.body)
        self._stage.draw('solids', programs.solid, pose.eye)
        ctx.disable(ctx.CULL_FACE)
        self._stage.draw('trees', programs.tree, pose.eye)
        self._stage.draw('ground', programs.ground, pose.eye)
        self._draw_hills(pose.eye)
        self._draw_land(view, pose)
        self._draw_sky(pose.turn)
        over.use()
        over.depth_mask = False
        ctx.enable(ctx.BLEND)
        ctx.blend_func = ctx.ONE, ctx.ONE_MINUS_SRC_ALPHA
        self._fleet.draw(programs.trace)
        over.depth_mask = True
        self._draw_glows(over)

    def _draw_hills(self, eye: NDArray[np.float64]) -> None:
        assign(self._programs.solid, shift=(0.0, 0.0, -float(eye[2])))
        self._hills.render()

    def _draw_land(self, view: View, pose: CameraPose) -> None:
        """Draw the land beyond the sections, level and endless."""
        self._land_vertices['along'][:] = (view.arc_m, 200.0, 0.0, 0.0)
        self._land_buffer.write(self._land_vertices.tobytes())
        assign(self._programs.ground, shift=(0.0, 0.0, -float(pose.eye[2]) - 0.05))
        self._land.render()

    def _draw_sky(self, turn: NDArray[np.float64]) -> None:
        unturn = np.linalg.inv(turn).T.astype('f4')
        assign(self._programs.sky, unturn=unturn.tobytes())
        self._ctx.depth_func = '<='
        self._sky.render()
        self._ctx.depth_func = '<'

    def _draw_glows(self, target: moderngl.Framebuffer) -> None:
        """Add the light around lamps to what a framebuffer holds."""
        ctx = self._ctx
        target.use()
        target.depth_mask = False
        ctx.enable_only(ctx.DEPTH_TEST | ctx.BLEND)
        ctx.blend_func = ctx.ONE, ctx.ONE
        self._lamps.draw()
        ctx.blend_func = ctx.SRC_ALPHA, ctx.ONE_MINUS_SRC_ALPHA
        target.depth_mask = True
