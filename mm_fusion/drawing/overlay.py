# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One picture of what is predicted: the camera with the path, and what is said beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from mm_fusion.drawing.canvas import Canvas, blend, subpixels, text_width
from mm_fusion.drawing.palette import BAD, BLUE, CARD, INK, LINE, MUTED, PAGE, WARN
from mm_fusion.drawing.panels import draw_path_map, draw_sidebar
from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.drawing.ground_camera import GroundCamera
    from mm_fusion.drawing.panels import Told
    from mm_fusion.types.predictions import FusionOutput, TrajectoryMode

WIDTH, HEIGHT = 960, 540
VIEW_WIDTH, VIEW_HEIGHT = 704, 396
_PATH_WIDTH_M = 1.6
_NINETY = 1.645
"""Half-width of the interval that holds 90 % of a Gaussian, in standard deviations."""

_WIDEST_M = 6.0


class Strip(Protocol):
    """What stands under the camera, left of the map."""

    def draw(self, canvas: Canvas, time_s: float) -> None:
        """Draw it as it is at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What one picture shows.

    Attributes:
        time_s: Since the first output.
        image: uint8 (h, w, 3), the newest camera frame, RGB; None before the first.
        image_age_s: Time since it was taken.
        output: The newest output.
        told: What is true at its stamp.
        truth_path: float64 (12, 2), where the vehicle went in the 6 s after the stamp, in
            ``base_link``; None where it is not known.
        reach_m: Distance at the top of the map.
    """

    time_s: float
    image: NDArray[np.uint8] | None
    image_age_s: float
    output: FusionOutput
    told: Told
    truth_path: NDArray[np.float64] | None
    reach_m: float


class Overlay:
    """Draw the pictures of one drive.

    Args:
        title: Shown in the corner.
        camera: How the camera sees the road.
        strip: Draws what stands under the camera.
    """

    def __init__(self, title: str, camera: GroundCamera, strip: Strip) -> None:
        self._camera = camera
        self._strip = strip
        self._base = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        self._base[:] = PAGE
        canvas = Canvas(self._base)
        canvas.fill(VIEW_WIDTH, 0, WIDTH - VIEW_WIDTH, HEIGHT, CARD)
        canvas.fill(VIEW_WIDTH, 0, 1, HEIGHT, LINE)
        canvas.fill(0, VIEW_HEIGHT, VIEW_WIDTH, 1, LINE)
        canvas.text(WIDTH - 16, HEIGHT - 12, title, size=11, tone=MUTED, anchor='right')

    def draw(self, moment: Moment) -> NDArray[np.uint8]:
        """Draw one picture: uint8 (540, 960, 3), RGB."""
        pixels = self._base.copy()
        canvas = Canvas(pixels)
        self._draw_view(pixels[:VIEW_HEIGHT, :VIEW_WIDTH], moment)
        draw_sidebar(
            canvas, VIEW_WIDTH + 18, WIDTH - 18, moment.time_s, moment.output, moment.told
        )
        self._strip.draw(canvas, moment.time_s)
        mode = None if moment.output.trajectory is None else moment.output.trajectory.modes[0]
        draw_path_map(canvas, (558, VIEW_HEIGHT + 8, 138, 130), mode, moment.truth_path,
                      moment.reach_m)  # fmt: skip
        return pixels

    def _draw_view(self, view: NDArray[np.uint8], moment: Moment) -> None:
        canvas = Canvas(view)
        if moment.image is None:
            canvas.text(
                VIEW_WIDTH / 2, VIEW_HEIGHT / 2, 'no camera', size=18, tone=MUTED, anchor='middle'
            )
        else:
            self._draw_image(view, moment.image, moment)
            if _sees(moment):
                self._draw_legend(canvas, moment)
        self._draw_notices(canvas, moment)

    def _draw_legend(self, canvas: Canvas, moment: Moment) -> None:
        """Say what is drawn on the road."""
        y = VIEW_HEIGHT - 13.0
        width = 132 if moment.truth_path is None else 190
        canvas.fill(10, y - 17, width, 24, PAGE, 0.6)
        canvas.fill(18, y - 8, 14, 6, BLUE)
        x = 38 + canvas.text(38, y, 'predicted, 90 %', size=11)
        if moment.truth_path is not None:
            canvas.dot(x + 10, y - 4, 3, INK)
            canvas.text(x + 18, y, 'driven', size=11)

    def _draw_image(
        self, view: NDArray[np.uint8], image: NDArray[np.uint8], moment: Moment
    ) -> None:
        """Fit the camera frame into the view, grey where it is old, with the path where not."""
        scale = min(VIEW_WIDTH / image.shape[1], VIEW_HEIGHT / image.shape[0])
        width, height = round(image.shape[1] * scale), round(image.shape[0] * scale)
        left, top = (VIEW_WIDTH - width) // 2, (VIEW_HEIGHT - height) // 2
        area = view[top : top + height, left : left + width]
        cv2.resize(image, (width, height), dst=area, interpolation=cv2.INTER_LINEAR)
        if not _sees(moment):
            grey = cv2.cvtColor(area, cv2.COLOR_RGB2GRAY).astype(np.float32) * 0.45 + 14
            area[:] = grey[:, :, None].astype(np.uint8)
        elif moment.output.trajectory is not None:
            draw_path(area, moment.output.trajectory.modes[0], self._camera, moment.truth_path)

    def _draw_notices(self, canvas: Canvas, moment: Moment) -> None:
        """Name each sensor that does not speak, and the siren."""
        notices = []
        for modality, report in moment.output.modalities.items():
            if report.state is ModalityState.STALE:
                age_s = (
                    moment.image_age_s
                    if modality is Modality.CAMERA
                    else (report.age_ns or 0) / 1e9
                )
                notices.append((f'{modality.value}: stale for {age_s:.1f} s', WARN))
        road = moment.output.road
        if road is not None and road.siren:
            notices.append(('siren', BAD))
        x = 14.0
        for content, tone in notices:
            width = text_width(content, size=13, bold=True) + 24
            canvas.pill(x, 12, width, 26, tone)
            canvas.text(x + 12, 30, content, size=13, tone=PAGE, bold=True)
            x += width + 8


def _sees(moment: Moment) -> bool:
    return moment.output.modalities[Modality.CAMERA].state is ModalityState.PRESENT


def draw_path(
    area: NDArray[np.uint8],
    mode: TrajectoryMode,
    camera: GroundCamera,
    truth: NDArray[np.float64] | None,
) -> None:
    """Draw a path as a ribbon on the road, within the interval that is to hold 90 %.

    Args:
        area: uint8 (h, w, 3), the camera frame, RGB; drawn on in place.
        mode: The path.
        camera: How the ground is seen.
        truth: float64 (n, 2), where the vehicle went, in ``base_link``; None draws nothing.
    """
    height, width = area.shape[:2]
    centre, across, deviation = dense_path(mode)
    for half, strength in (
        (_PATH_WIDTH_M / 2 + np.minimum(_NINETY * deviation, _WIDEST_M), 60),
        (np.full(len(centre), _PATH_WIDTH_M / 2), 88),
    ):
        sides = [
            camera.project(centre + sign * across * half[:, None], width, height)
            for sign in (1.0, -1.0)
        ]
        seen = np.isfinite(sides).all(axis=(0, 2))
        left, right = (side[seen] for side in sides)
        fade = np.linspace(1.0, 0.3, len(centre))[seen]
        mask = np.zeros((height, width), np.uint8)
        for index in range(len(left) - 2, -1, -1):  # the near parts over the far ones
            corners = np.vstack((left[index : index + 2], right[index : index + 2][::-1]))
            cv2.fillConvexPoly(mask, subpixels(corners), strength * fade[index], cv2.LINE_AA, 4)
        blend(area, BLUE, mask)
    canvas = Canvas(area)
    for side in (left, right):
        canvas.line(side, BLUE, 1)
    if truth is not None:
        for x, y in camera.project(truth, width, height):
            if np.isfinite((x, y)).all() and 0 <= x < width and 0 <= y < height:
                canvas.dot(x, y, 3.4, PAGE)
                canvas.dot(x, y, 2.4, INK)


def dense_path(
    mode: TrajectoryMode,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sample a path densely, from the vehicle on.

    Returns:
        Centre (n, 2), unit vector to the left (n, 2), and deviation across the path (n,), metres.
    """
    times = np.concatenate(([0.0], mode.times_s))
    dense = np.linspace(0.0, times[-1], 8 * times.size)
    heading = np.concatenate(([0.0], mode.headings))
    left = np.stack([-np.sin(heading), np.cos(heading)], axis=1)
    variance = np.einsum('ni,nij,nj->n', left[1:], mode.covariances, left[1:])
    deviation = np.sqrt(np.concatenate(([0.0], np.maximum(variance, 0.0))))
    position = np.vstack(((0.0, 0.0), mode.positions))
    turned = np.interp(dense, times, heading)
    return (
        np.stack([np.interp(dense, times, position[:, axis]) for axis in (0, 1)], axis=1),
        np.stack([-np.sin(turned), np.cos(turned)], axis=1),
        np.interp(dense, times, deviation),
    )
