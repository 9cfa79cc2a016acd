# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The panels beside the camera: road state, sensors, and the path from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mm_fusion.drawing.canvas import Canvas, blend, subpixels
from mm_fusion.drawing.palette import (
    BAD,
    BLUE,
    FRICTION_COLOURS,
    GOOD,
    INK,
    LINE,
    MATERIAL_COLOURS,
    MUTED,
    UNEVENNESS_COLOURS,
    WARN,
    Colour,
    colour,
)
from mm_fusion.metrics.trajectory import confidence_ellipse
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.types.predictions import FusionOutput, RoadState, TrajectoryMode
    from mm_fusion.types.snapshot import ModalityReport

TASKS = {
    'friction': (FRICTION_CLASSES, tuple(map(colour, FRICTION_COLOURS))),
    'material': (MATERIAL_CLASSES, tuple(map(colour, MATERIAL_COLOURS))),
    'unevenness': (UNEVENNESS_CLASSES, tuple(map(colour, UNEVENNESS_COLOURS))),
}
_STATES = {
    ModalityState.PRESENT: (GOOD, ''),
    ModalityState.STALE: (WARN, 'stale'),
    ModalityState.NEVER_SEEN: (LINE, 'never seen'),
}
_ELLIPSE_TIMES_S = (1.0, 2.0, 3.0, 6.0)
_REACHES_M = (15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0)


@dataclass(frozen=True, slots=True)
class Told:
    """What is true at one time; None where it is not known.

    Attributes:
        classes: Index of the true class, by task.
        friction_coefficient: Under the vehicle.
        siren: Whether one can be heard.
        siren_distance_m: To the nearest siren that is on.
    """

    classes: dict[str, int | None]
    friction_coefficient: float | None = None
    siren: bool | None = None
    siren_distance_m: float | None = None


NOTHING_TOLD = Told(dict.fromkeys(TASKS))
"""Where there is no truth, as on a vehicle."""


def draw_sidebar(
    canvas: Canvas, left: float, right: float, time_s: float, output: FusionOutput, told: Told
) -> None:
    """Draw everything that was said, from the top to the bottom."""
    canvas.text(left, 36, f'{time_s:.1f} s', size=15, tone=MUTED)
    speed = '–' if output.trajectory is None else f'{output.trajectory.motion.speed_mps * 3.6:.0f}'
    unit = canvas.text(right, 36, 'km/h', size=12, tone=MUTED, anchor='right')
    canvas.text(right - unit - 5, 36, speed, size=24, bold=True, anchor='right')
    y = 56.0
    for task in TASKS:
        _draw_task(canvas, left, right, y, task, output.road, told.classes[task])
        y += 66
    _draw_coefficient(canvas, left, right, y, output.road, told.friction_coefficient)
    _draw_siren(canvas, left, right, y + 58, output.road, told)
    y += 116
    canvas.fill(left, y, right - left, 1, LINE)
    canvas.text(left, y + 20, 'sensors', size=11, tone=MUTED)
    canvas.text(right, y + 20, 'weight in the road state', size=11, tone=MUTED, anchor='right')
    for modality, report in output.modalities.items():
        y += 24
        weight = output.weights.get(modality, 0.0) if output.road is not None else 0.0
        _draw_sensor(canvas, left, right, y + 18, modality.value, report, weight)


def _title(canvas: Canvas, left: float, right: float, y: float, name: str, truth: str) -> None:
    canvas.text(left, y + 11, name, size=11, tone=MUTED)
    if truth:
        canvas.text(right, y + 11, f'truth: {truth}', size=11, tone=MUTED, anchor='right')


def _draw_task(
    canvas: Canvas,
    left: float,
    right: float,
    y: float,
    task: str,
    road: RoadState | None,
    truth: int | None,
) -> None:
    names, colours = TASKS[task]
    _title(canvas, left, right, y, task, '' if truth is None else names[truth].replace('_', ' '))
    if road is None:
        canvas.text(left, y + 33, '–', size=18, tone=MUTED)
        return
    posterior = getattr(road.filtered, task)
    best = int(posterior.argmax())
    tone = INK if road.surface_observed else MUTED
    width = canvas.text(left, y + 33, names[best].replace('_', ' '), size=18, tone=tone, bold=True)
    if truth is not None:
        _mark(canvas, left + width + 12, y + 27, right=best == truth)
    canvas.text(right, y + 33, f'{float(posterior[best]):.0%}', size=14, tone=tone, anchor='right')
    _stacked(canvas, left, y + 41, right - left, posterior, colours)
    if truth is not None:
        canvas.fill(left, y + 50, right - left, 3, colours[truth])


def _mark(canvas: Canvas, x: float, y: float, *, right: bool) -> None:
    """Tick what agrees with the truth, cross what does not."""
    if right:
        canvas.line(np.array([[x - 5, y], [x - 1.5, y + 4], [x + 5, y - 4.5]]), GOOD, 2)
    else:
        canvas.line(np.array([[x - 4, y - 4], [x + 4, y + 4]]), BAD, 2)
        canvas.line(np.array([[x - 4, y + 4], [x + 4, y - 4]]), BAD, 2)


def _stacked(
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    shares: NDArray[np.float32],
    colours: Sequence[Colour],
) -> None:
    edges = x + width * np.concatenate(([0.0], np.cumsum(shares)))
    for begin, end, tone in zip(edges[:-1], edges[1:], colours, strict=True):
        canvas.fill(begin, y, end - begin, 8, tone)


def _draw_coefficient(
    canvas: Canvas,
    left: float,
    right: float,
    y: float,
    road: RoadState | None,
    truth: float | None,
) -> None:
    """Draw a scale from 0 to 1 with the mean, the deviation, and the truth as a tick."""
    told = '' if truth is None else f'{truth:.2f}'
    _title(canvas, left, right, y, 'friction coefficient', told)
    scale = right - left
    canvas.pill(left, y + 37, scale, 6, LINE)
    if road is not None:
        mean, deviation = road.friction_coefficient_mean, road.friction_coefficient_std
        width = canvas.text(left, y + 31, f'{mean:.2f}', size=15, bold=True)
        canvas.text(left + width + 6, y + 31, f'± {deviation:.2f}', size=12, tone=MUTED)
        low, high = (min(max(mean + sign * deviation, 0.0), 1.0) for sign in (-1, 1))
        canvas.pill(left + low * scale, y + 37, (high - low) * scale, 6, BLUE)
        canvas.dot(left + min(mean, 1.0) * scale, y + 40, 4.5, INK)
    if truth is not None:
        canvas.fill(left + min(truth, 1.0) * scale - 1, y + 33, 2, 14, WARN)


def _draw_siren(
    canvas: Canvas, left: float, right: float, y: float, road: RoadState | None, told: Told
) -> None:
    truth = '' if told.siren is None else 'none'
    if told.siren:
        distance = told.siren_distance_m
        truth = 'siren' if distance is None else f'siren, {distance:.0f} m'
    _title(canvas, left, right, y, 'siren', truth)
    canvas.pill(left, y + 37, right - left, 6, LINE)
    if road is None:
        return
    probability = road.filtered.siren
    heard = 'siren' if road.siren else 'quiet'
    tone = BAD if road.siren else INK
    width = canvas.text(left, y + 31, heard, size=15, tone=tone, bold=True)
    if told.siren is not None:
        _mark(canvas, left + width + 12, y + 26, right=road.siren == told.siren)
    canvas.text(right, y + 31, f'{probability:.0%}', size=12, anchor='right')
    if probability > 0.02:
        canvas.pill(left, y + 37, (right - left) * probability, 6, tone if road.siren else MUTED)


def _draw_sensor(
    canvas: Canvas,
    left: float,
    right: float,
    y: float,
    name: str,
    report: ModalityReport,
    weight: float,
) -> None:
    tone, text = _STATES[report.state]
    canvas.dot(left + 4, y + 8, 4, tone)
    canvas.text(left + 15, y + 12, name, size=12)
    if text:
        canvas.text(right, y + 12, text, size=12, tone=WARN if text == 'stale' else MUTED,
                    anchor='right')  # fmt: skip
        return
    canvas.fill(left + 112, y + 5, right - left - 112, 6, LINE)
    if weight > 0.005:
        canvas.fill(left + 112, y + 5, (right - left - 112) * weight, 6, GOOD)


def extent(mode: TrajectoryMode) -> float:
    """Measure how far a path reaches, the 90 % ellipse at its end included, metres."""
    end = mode.positions[-1] + confidence_ellipse(mode.covariances[-1])
    return float(max(np.abs(mode.positions).max(), np.abs(end).max()))


def reach_for(extent_m: float) -> float:
    """Choose how far the map reaches, metres."""
    return next((reach for reach in _REACHES_M if reach >= extent_m), _REACHES_M[-1])


def draw_path_map(
    canvas: Canvas,
    box: tuple[int, int, int, int],
    mode: TrajectoryMode | None,
    truth: NDArray[np.float64] | None,
    reach_m: float,
) -> None:
    """Draw the path from above, ahead being up.

    Args:
        canvas: To draw on.
        box: Left, top, width and height in pixels.
        mode: The path; None draws the vehicle alone.
        truth: float64 (n, 2), where the vehicle went, in ``base_link``.
        reach_m: Distance at the top of the map.
    """
    x, y, width, height = box
    area = canvas.pixels[y : y + height, x : x + width]
    own = Canvas(area)
    scale = (height - 22) / reach_m
    foot = np.array([width / 2, height - 8.0])

    def placed(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(foot + points[:, ::-1] * (-scale, -scale))

    for share in (0.25, 0.5, 0.75, 1.0):
        own.fill(0, foot[1] - reach_m * share * scale, width, 1, LINE, 0.55)
    own.text(2, foot[1] - reach_m * scale - 3, f'{reach_m:.0f} m', size=10, tone=MUTED)
    if mode is not None:
        mask = np.zeros(area.shape[:2], np.uint8)
        for time_s in _ELLIPSE_TIMES_S:
            step = int(np.abs(mode.times_s - time_s).argmin())
            ring = confidence_ellipse(mode.covariances[step]) + mode.positions[step]
            cv2.fillConvexPoly(mask, subpixels(placed(ring)), 90, cv2.LINE_AA, 4)
        blend(area, BLUE, mask)
        own.line(placed(np.vstack(((0.0, 0.0), mode.positions))), BLUE, 2)
    if truth is not None:
        for column, row in placed(truth):
            own.dot(column, row, 1.5, INK)
    own.polygon(np.array([[0.0, -4.0], [4.0, 6.0], [-4.0, 6.0]]) + foot, INK)
