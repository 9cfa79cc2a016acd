# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Predictions as ``visualization_msgs/MarkerArray``: every mode, its uncertainty, the road state.

The frame is that of the predictions (``base_link``: x ahead, y left, z up, metres, on the ground;
REP-103 and REP-105), the stamp theirs. Each marker is replaced by its successor, told by namespace
and id (the number of the mode), and ends by itself when there is none.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from mm_fusion.drawing.palette import BAD, BLUE, FRICTION_COLOURS, INK, colour
from mm_fusion.metrics.trajectory import confidence_ellipse
from mm_fusion.ros.conversions import to_header
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mm_fusion.drawing.palette import Colour
    from mm_fusion.types.predictions import FusionOutput, RoadState, TrajectoryMode

LIFETIME_S = 1
"""Longer than the time between two predictions, at the slowest rate that is of use."""

ELLIPSE_TIMES_S = (1.0, 2.0, 3.0, 6.0)
_PATH_WIDTH_M = 0.25
_RING_WIDTH_M = 0.08
_STEP_SIZE_M = 0.45
_TEXT_SIZE_M = 0.9
_TEXT_HEIGHT_M = 3.0
_FAINTEST = 0.15
"""Opacity of a mode that is very unlikely."""


def to_markers(output: FusionOutput, frame_id: str) -> MarkerArray | None:
    """Write what there is in an output, or None where there is nothing.

    Namespaces: ``path``, a line for each mode, the more opaque the likelier; ``steps``, its
    points; ``uncertainty``, the 90 % ellipses at 1, 2, 3 and 6 s; ``road_state``, a text in the
    colour of the friction class; ``siren``, a text while one is heard.
    """
    made = functools.partial(_marker, header=to_header(output.stamp_ns, frame_id))
    markers = []
    if output.trajectory is not None:
        for number, mode in enumerate(output.trajectory.modes):
            markers += _mode(mode, number, made)
    if output.road is not None:
        markers += _road(output.road, made)
    return MarkerArray(markers=markers) if markers else None


def _marker(
    namespace: str, number: int, kind: int, tone: Colour, opacity: float, **fields: object
) -> Marker:
    red, green, blue = (channel / 255 for channel in tone)
    return Marker(
        ns=namespace,
        id=number,
        type=kind,
        action=Marker.ADD,
        color=ColorRGBA(r=red, g=green, b=blue, a=opacity),
        lifetime=Duration(sec=LIFETIME_S),
        **fields,
    )


def _mode(mode: TrajectoryMode, number: int, made: Callable[..., Marker]) -> list[Marker]:
    opacity = _FAINTEST + (1 - _FAINTEST) * mode.probability
    rings = [
        confidence_ellipse(mode.covariances[step]) + mode.positions[step]
        for step in sorted({int(np.abs(mode.times_s - time_s).argmin()) for time_s in
                            ELLIPSE_TIMES_S})
    ]  # fmt: skip
    return [
        made(
            'path', number, Marker.LINE_STRIP, BLUE, opacity,
            scale=Vector3(x=_PATH_WIDTH_M),
            points=_points(np.vstack(((0.0, 0.0), mode.positions))),
        ),
        made(
            'steps', number, Marker.SPHERE_LIST, INK, opacity,
            scale=Vector3(x=_STEP_SIZE_M, y=_STEP_SIZE_M, z=_STEP_SIZE_M),
            points=_points(mode.positions),
        ),
        made(
            'uncertainty', number, Marker.LINE_LIST, BLUE, 0.6 * opacity,
            scale=Vector3(x=_RING_WIDTH_M),
            points=_points(np.vstack([_segments(ring) for ring in rings])),
        ),
    ]  # fmt: skip


def _segments(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the start and the end of each side of an outline that ends where it begins."""
    return np.stack([ring[:-1], ring[1:]], axis=1).reshape(-1, 2)


def _points(positions: NDArray[np.float64]) -> list[Point]:
    return [Point(x=x, y=y) for x, y in positions.tolist()]


def _road(road: RoadState, made: Callable[..., Marker]) -> list[Marker]:
    friction = int(road.filtered.friction.argmax())
    words = [
        FRICTION_CLASSES[friction],
        MATERIAL_CLASSES[int(road.filtered.material.argmax())],
        UNEVENNESS_CLASSES[int(road.filtered.unevenness.argmax())],
    ]
    coefficient = f'{road.friction_coefficient_mean:.2f} ± {road.friction_coefficient_std:.2f}'
    seen = '' if road.surface_observed else '\n(not observed)'
    text = f'{", ".join(words).replace("_", " ")}\nfriction {coefficient}{seen}'
    opacity = 1.0 if road.surface_observed else 0.5
    tone = colour(FRICTION_COLOURS[friction])
    markers = [_text('road_state', text, tone, opacity, _TEXT_HEIGHT_M, made)]
    if road.siren:
        content = f'siren {road.filtered.siren:.0%}'
        markers.append(_text('siren', content, BAD, 1.0, _TEXT_HEIGHT_M + 2.5, made))
    return markers


def _text(
    namespace: str,
    content: str,
    tone: Colour,
    opacity: float,
    height_m: float,
    made: Callable[..., Marker],
) -> Marker:
    return made(
        namespace, 0, Marker.TEXT_VIEW_FACING, tone, opacity,
        text=content,
        scale=Vector3(z=_TEXT_SIZE_M),
        pose=Pose(position=Point(z=height_m)),
    )  # fmt: skip
