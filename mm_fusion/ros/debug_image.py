# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The camera with everything that is predicted, as ``sensor_msgs/Image``."""

from __future__ import annotations

import array
from typing import TYPE_CHECKING

from sensor_msgs.msg import Image

from mm_fusion.drawing.frame import decoded
from mm_fusion.drawing.node_strip import NodeStrip
from mm_fusion.drawing.overlay import HEIGHT, WIDTH, Moment, Overlay
from mm_fusion.drawing.panels import NOTHING_TOLD, extent, reach_for
from mm_fusion.ros.conversions import to_header

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.drawing.ground_camera import GroundCamera
    from mm_fusion.ros.health import Health
    from mm_fusion.types.predictions import FusionOutput
    from mm_fusion.types.sensors import ImageSample

_NO_REACH_M = 45.0


class DebugImage:
    """Draw one picture for each output.

    Args:
        title: Shown in the corner.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._first_ns: int | None = None

    def draw(
        self,
        output: FusionOutput,
        frame: ImageSample | None,
        camera: GroundCamera,
        health: Health | None,
    ) -> NDArray[np.uint8]:
        """Draw an output.

        Args:
            output: What is predicted.
            frame: The camera frame that it was predicted from, or else the newest one before it;
                None where there is none.
            camera: How it sees the road.
            health: The newest status; None before the first.

        Returns:
            uint8 (540, 960, 3), RGB.
        """
        if self._first_ns is None or output.stamp_ns < self._first_ns:
            self._first_ns = output.stamp_ns
        trajectory = output.trajectory
        reach_m = _NO_REACH_M if trajectory is None else reach_for(extent(trajectory.modes[0]))
        moment = Moment(
            time_s=(output.stamp_ns - self._first_ns) / 1e9,
            image=None if frame is None else decoded(frame),
            image_age_s=0.0 if frame is None else (output.stamp_ns - frame.stamp_ns) / 1e9,
            output=output,
            told=NOTHING_TOLD,
            truth_path=None,
            reach_m=reach_m,
        )
        strip = NodeStrip(latencies_s=output.latencies_s, view=camera.note)
        if health is not None:
            strip.level, strip.reason = health.level.label, health.reason
            strip.backend = health.engine.backend.name
        return Overlay(self._title, camera, strip).draw(moment)


def to_image(pixels: NDArray[np.uint8], stamp_ns: int, frame_id: str) -> Image:
    """Write a picture, uint8 (height, width, 3), RGB."""
    image = Image(
        header=to_header(stamp_ns, frame_id),
        height=HEIGHT,
        width=WIDTH,
        encoding='rgb8',
        step=3 * WIDTH,
    )
    # Given to the constructor, the bytes would be checked one by one.
    image.data = array.array('B', pixels.tobytes())
    return image
