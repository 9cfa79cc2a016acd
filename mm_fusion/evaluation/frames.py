# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Choose a few frames of a recording, and draw the path that was predicted from each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.drawing.frame import decoded
from mm_fusion.evaluation.projection import sample_frame
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES

if TYPE_CHECKING:
    from mm_fusion.drawing.ground_camera import GroundCamera
    from mm_fusion.evaluation.records import SampleFrame
    from mm_fusion.types.predictions import FusionOutput
    from mm_fusion.types.sensors import ImageSample


class FramePicker:
    """Pick evenly spaced frames; each is kept until the output of its stamp comes.

    Args:
        count: Number of frames wanted; 0 picks none.
        start_ns: Log time of the first message of the recording.
        duration_s: Length of the recording.
        camera: How the camera sees the ground.

    Attributes:
        frames: Those drawn so far.
    """

    def __init__(self, count: int, start_ns: int, duration_s: float, camera: GroundCamera) -> None:
        self.frames: list[SampleFrame] = []
        self._first_ns: int | None = None
        self._camera = camera
        self._due_ns = [
            start_ns + int(duration_s * 1e9 * (index + 0.5) / count) for index in range(count)
        ]
        self._waiting: dict[int, ImageSample] = {}

    def offer(self, image: ImageSample) -> None:
        """Keep the frame if one is due."""
        if not self._due_ns or image.received_ns < self._due_ns[0]:
            return
        while self._due_ns and image.received_ns >= self._due_ns[0]:
            self._due_ns.pop(0)
        self._waiting[image.stamp_ns] = image

    def draw(self, output: FusionOutput) -> None:
        """Draw the path of an output into its frame, if that was kept."""
        if self._first_ns is None:
            self._first_ns = output.stamp_ns
        image = self._waiting.pop(output.stamp_ns, None)
        if image is None:
            return
        pixels = decoded(image)
        if pixels is None:
            return  # the pipeline has counted it
        time_s = (output.stamp_ns - self._first_ns) / 1e9
        mode = None if output.trajectory is None else output.trajectory.modes[0]
        frame = sample_frame(pixels[:, :, ::-1], mode, self._camera, time_s, _caption(output))
        self.frames.append(frame)


def _caption(output: FusionOutput) -> str:
    """Say what the pipeline made of the frame."""
    parts = []
    if output.road is not None and output.road.surface_observed:
        posterior = output.road.filtered
        for names, values in (
            (MATERIAL_CLASSES, posterior.material),
            (FRICTION_CLASSES, posterior.friction),
        ):
            best = int(values.argmax())
            parts.append(f'{names[best].replace("_", " ")} {float(values[best]):.0%}')
    if output.road is not None and output.road.siren_observed:
        parts.append(f'siren {output.road.filtered.siren:.0%}')
    if output.trajectory is not None:
        parts.append(f'{output.trajectory.motion.speed_mps:.1f} m/s')
    return ', '.join(parts)
