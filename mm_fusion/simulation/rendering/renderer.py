# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Renders what the camera of a drive sees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.rendering.context import create_context
from mm_fusion.simulation.rendering.environment import Environment, luminance
from mm_fusion.simulation.rendering.lens import Lens
from mm_fusion.simulation.rendering.pose import Carriage
from mm_fusion.simulation.rendering.precipitation import Precipitation
from mm_fusion.simulation.rendering.programs import WET_CLASSES
from mm_fusion.simulation.rendering.scene import Scene, View
from mm_fusion.simulation.rendering.surface import SurfaceLook
from mm_fusion.simulation.world import Motion

if TYPE_CHECKING:
    from types import TracebackType

    import moderngl
    from numpy.typing import NDArray

    from mm_fusion.simulation.world import World

_NIGHT_LEVEL = 0.07
"""Street lamps are on where sun and sky give less than this."""

_LAMP_GAIN = 0.10, 2.5
_WET_AHEAD_M = np.arange(-5.0, 130.0, 5.0)


class _Targets(NamedTuple):
    """Framebuffers of a camera and the textures that others read."""

    radiance: moderngl.Texture
    depth: moderngl.Texture
    scene: moderngl.Framebuffer
    over: moderngl.Framebuffer
    picture: moderngl.Framebuffer


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
        surface = SurfaceLook(self._ctx, world)
        self._targets = _make_targets(
            self._ctx, self.camera.width, self.camera.height, self._settings.segmentation
        )
        self._scene = Scene(self._ctx, world, self._environment, surface)
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
            self._scene.draw(self._view(stamp_ns), pose, self._targets.scene, self._targets.over)
            self._targets.over.use()
            state = self._world.state_at(self._world.ego, stamp_ns)
            heading, speed = state[Motion.HEADING], state[Motion.SPEED]
            velocity = speed * np.array([math.cos(heading), math.sin(heading), 0.0])
            self._precipitation.draw(stamp_ns, pose.view_projection, pose.eye, velocity)
            exposure_ns = round(self._lens.exposure_s(stamp_ns) * 1e9)
            self._lens.apply(
                self._targets.radiance,
                self._targets.depth,
                stamp_ns,
                pose.view_projection,
                self._carriage.at(stamp_ns - exposure_ns).view_projection,
                self._targets.picture,
            )
            return self._read()

    def _view(self, stamp_ns: int) -> View:
        state = self._world.state_at(self._world.ego, stamp_ns)
        arc = float(state[Motion.ARC])
        light = self._environment.light_at(stamp_ns)
        heading = float(state[Motion.HEADING])
        direct = luminance(light.sun_radiance) * max(float(light.sun_direction[2]), 0.0)
        wet = self._world.roads.surface.friction_at(arc + _WET_AHEAD_M)[:, WET_CLASSES]
        return View(
            stamp_ns=stamp_ns,
            arc_m=arc,
            ahead=np.array([math.cos(heading), math.sin(heading)]),
            beams=self._environment.dark(stamp_ns) or self._world.roads.in_tunnel(arc),
            night=light.level < _NIGHT_LEVEL,
            sun_share=direct / max(light.level, 1e-9),
            lamp_gain=min(_LAMP_GAIN[0] + _LAMP_GAIN[1] * light.level, 1.0),
            wet=bool(wet.max() > 0.02),
        )

    def _read(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Fetch the picture and the classes; OpenGL's rows run from the bottom up."""
        size = (self.camera.height, self.camera.width)
        data = self._targets.picture.read(components=3, alignment=1)
        rows = np.frombuffer(data, np.uint8).reshape(*size, 3)[::-1]
        pixels: NDArray[np.uint8] = np.ascontiguousarray(rows)
        if not self._settings.segmentation:
            return pixels, None
        data = self._targets.scene.read(components=1, attachment=1, alignment=1)
        return pixels, np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(size)[::-1])


def _make_targets(ctx: moderngl.Context, width: int, height: int, classes: bool) -> _Targets:
    size = (width, height)
    radiance = ctx.texture(size, 4, dtype='f2')
    depth = ctx.depth_texture(size)
    attachments = [radiance, ctx.texture(size, 1)] if classes else [radiance]
    return _Targets(
        radiance,
        depth,
        ctx.framebuffer(attachments, depth),
        ctx.framebuffer([radiance], depth),
        ctx.framebuffer([ctx.texture(size, 3)]),
    )
