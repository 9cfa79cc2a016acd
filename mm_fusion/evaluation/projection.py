# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Draw a predicted path into the camera frame that it was predicted from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mm_fusion.evaluation.records import SampleFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.drawing.ground_camera import GroundCamera
    from mm_fusion.types.predictions import TrajectoryMode

FRAME_WIDTH = 640
PATH_WIDTH_M = 1.0
_PATH_BGR = (235, 125, 50)


def draw_frame(
    image: NDArray[np.uint8], mode: TrajectoryMode | None, camera: GroundCamera
) -> NDArray[np.uint8]:
    """Draw a path as a ribbon on the road.

    Args:
        image: uint8 (height, width, 3), BGR.
        mode: The path; None leaves the frame as it is.
        camera: How the ground is seen.

    Returns:
        uint8 (h, w, 3), BGR, at most ``FRAME_WIDTH`` wide.
    """
    scale = min(1.0, FRAME_WIDTH / image.shape[1])
    size = (round(image.shape[1] * scale), max(1, round(image.shape[0] * scale)))
    frame: Any = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if mode is None:
        return np.asarray(frame, np.uint8)
    height, width = frame.shape[:2]
    sides = [camera.project(edge, width, height) for edge in _edges(mode, PATH_WIDTH_M)]
    left, right = (side[np.isfinite(sides).all(axis=(0, 2))] for side in sides)
    overlay = frame.copy()
    # One quadrilateral at a time: a path that doubles back is no simple polygon.
    for index in range(len(left) - 1):
        corners = np.vstack((left[index : index + 2], right[index : index + 2][::-1]))
        cv2.fillConvexPoly(overlay, _pixels(corners), _PATH_BGR, cv2.LINE_AA)
    frame = cv2.addWeighted(overlay, 0.45, frame, 0.55, 0)
    for side in (left, right):
        cv2.polylines(
            frame,
            [_pixels(side)],
            isClosed=False,
            color=_PATH_BGR,
            thickness=2,
            lineType=cv2.LINE_AA,
        )
    return np.asarray(frame, np.uint8)


def _edges(
    mode: TrajectoryMode, width_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sample both edges of the ribbon densely, from the vehicle on."""
    times = np.concatenate(([0.0], mode.times_s))
    dense = np.linspace(0.0, times[-1], 20 * times.size)
    position = np.vstack(((0.0, 0.0), mode.positions))
    heading = np.interp(dense, times, np.concatenate(([0.0], mode.headings)))
    centre = np.stack([np.interp(dense, times, position[:, axis]) for axis in (0, 1)], axis=1)
    across = np.stack([-np.sin(heading), np.cos(heading)], axis=1) * width_m / 2
    return centre + across, centre - across


def _pixels(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.clip(np.rint(points), -30_000, 30_000).astype(np.int32)


def sample_frame(
    image: NDArray[np.uint8],
    mode: TrajectoryMode | None,
    camera: GroundCamera,
    time_s: float,
    caption: str,
) -> SampleFrame:
    """Draw a path into a frame and encode it as JPEG."""
    drawn = draw_frame(image, mode, camera)
    encoded = cv2.imencode('.jpg', drawn, [cv2.IMWRITE_JPEG_QUALITY, 82])[1]
    height, width = drawn.shape[:2]
    return SampleFrame(
        time_s=time_s, jpeg=encoded.tobytes(), width=width, height=height, caption=caption
    )
