# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Renders what the camera of a drive sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.rendering.context import create_context
from mm_fusion.simulation.rendering.environment import Environment
from mm_fusion.simulation.rendering.fleet import Fleet
from mm_fusion.simulation.rendering.glsl import VERSION, assign, read_shader
from mm_fusion.simulation.rendering.lens import Lens
from mm_fusion.simulation.rendering.pose import Carriage
from mm_fusion.simulation.rendering.precipitation import Precipitation
from mm_fusion.simulation.rendering.stage import Stage
from mm_fusion.simulation.rendering.surface import SurfaceLook
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from types import TracebackType

    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.rendering.pose import CameraPose
    from mm_fusion.simulation.world import World

_DASHES_M = {'town': (3.0, 9.0), 'rural': (4.0, 12.0), 'motorway': (6.0, 18.0)}


class CameraRenderer:
    """Renders frames of a drive, in any order; the same time always gives the same frame.

    It holds an OpenGL context until it is closed; use it as a context manager.

    Args:
        world: The drive.

    Raises:
        RenderError: OpenGL is missing on this machine.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._settings = world.scenario.camera
        self.camera = PinholeCamera.from_settings(self._settings)
        self._carriage = Carriage(world, self.camera)
        self._ctx = create_context()
        self._environment = Environment(world)
        self._surface = SurfaceLook(self._ctx, world)
        self._make_programs()
        self._make_targets()
        self._stage = Stage(self._ctx, world, self._ground)
        self._fleet = Fleet(self._ctx, world, self._body)
        self._precipitation = Precipitation(self._ctx, world)
        self._lens = Lens(self._ctx, world)

    def __enter__(self) -> CameraRenderer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the OpenGL context back, with all that it holds."""
        self._ctx.release()

    def render(self, stamp_ns: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Render the frame whose exposure has its middle at a time.

        Returns:
            RGB uint8 (height, width, 3); and, where the scenario asks for them, indices into
            ``PIXEL_CLASSES``, uint8 (height, width).
        """
        with self._ctx:
            pose = self._carriage.at(stamp_ns)
            arc = float(self._world.state_at(self._world.ego, stamp_ns)[Motion.ARC])
            self._stage.prepare(arc)
            self._fleet.place(stamp_ns, pose.eye, pose.rotation[2, :2])
            self._draw_scene(stamp_ns, pose)
            self._over.use()
            velocity = self._velocity(stamp_ns, pose)
            self._precipitation.draw(stamp_ns, pose.view_projection, pose.eye, velocity)
            exposure_ns = round(self._lens.exposure_s(stamp_ns) * 1e9)
            before = self._carriage.at(stamp_ns - exposure_ns)
            self._lens.apply(
                self._radiance,
                self._depth,
                stamp_ns,
                pose.view_projection,
                before.view_projection,
                self._picture,
            )
            return self._read()

    def _velocity(self, stamp_ns: int, pose: CameraPose) -> NDArray[np.float64]:
        state = self._world.state_at(self._world.ego, stamp_ns)
        heading, speed = state[Motion.HEADING], state[Motion.SPEED]
        return np.array([speed * np.cos(heading), speed * np.sin(heading), 0.0])

    def _draw_scene(self, stamp_ns: int, pose: CameraPose) -> None:
        ctx = self._ctx
        self._scene.use()
        ctx.enable_only(ctx.DEPTH_TEST | ctx.CULL_FACE)
        self._scene.clear(depth=1.0)
        for program in (self._ground, self._body, self._sky):
            self._environment.bind(program, stamp_ns)
            assign(
                program,
                turn=pose.turn.T.astype('f4').tobytes(),
                eye=tuple(pose.eye),
                picture=(self.camera.width, self.camera.height),
                lamps_on=0.0,
                headlight=(1.0, 0.0, 0.0, float(pose.eye[2])),
            )
        self._fleet.draw()
        ctx.disable(ctx.CULL_FACE)
        self._surface.bind(self._ground, stamp_ns)
        assign(self._ground, dashes=_DASHES_M[self._world.scenario.road.kind], mirroring=0.0)
        self._stage.draw_ground(pose.eye)
        self._draw_sky(pose)

    def _draw_sky(self, pose: CameraPose) -> None:
        unturn = np.linalg.inv(pose.turn).T.astype('f4')
        assign(self._sky, unturn=unturn.tobytes())
        self._ctx.depth_func = '<='
        self._sky_array.render()
        self._ctx.depth_func = '<'

    def _read(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Fetch the picture and the classes; OpenGL's rows run from the bottom up."""
        size = (self.camera.height, self.camera.width)
        pixels = np.frombuffer(self._picture.read(components=3, alignment=1), np.uint8)
        pixels = np.ascontiguousarray(pixels.reshape(*size, 3)[::-1])
        if not self._settings.segmentation:
            return pixels, None
        classes = np.frombuffer(
            self._scene.read(components=1, attachment=1, alignment=1), np.uint8
        )
        return pixels, np.ascontiguousarray(classes.reshape(size)[::-1])

    def _make_programs(self) -> None:
        defines = ''.join(
            f'#define {name}\n'
            for name, wanted in (
                ('FULL', self._settings.shader == 'full'),
                ('SEGMENTATION', self._settings.segmentation),
            )
            if wanted
        )
        common = self._environment.source + read_shader('scene_common.glsl')

        def program(name: str, source: str) -> moderngl.Program:
            return self._ctx.program(
                vertex_shader=VERSION + read_shader(f'scene_{name}.vert'),
                fragment_shader=VERSION + defines + source + read_shader(f'scene_{name}.frag'),
            )

        ground = self._environment.source + self._surface.source
        self._ground = program('ground', ground + read_shader('scene_common.glsl'))
        self._body = program('body', common)
        self._sky = program('sky', common)
        corners = self._ctx.buffer(np.array([-1, -1, 3, -1, -1, 3], 'f4').tobytes())
        self._sky_array = self._ctx.vertex_array(self._sky, [(corners, '2f', 'corner')])

    def _make_targets(self) -> None:
        size = (self.camera.width, self.camera.height)
        self._radiance = self._ctx.texture(size, 4, dtype='f2')
        self._depth = self._ctx.depth_texture(size)
        attachments = [self._radiance]
        if self._settings.segmentation:
            attachments.append(self._ctx.texture(size, 1))
        self._scene = self._ctx.framebuffer(attachments, self._depth)
        self._over = self._ctx.framebuffer([self._radiance], self._depth)
        self._picture = self._ctx.framebuffer([self._ctx.texture(size, 3)])
