# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages that hold the truth of the road."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.bags import BagWriter
from mm_fusion.bags.raw import RawBag
from support import recordings
from support.drives import START_NS, write_circle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

T = recordings.TYPES
COEFFICIENT = 0.5


def road_state(
    stamp_ns: int = recordings.STAMP_NS,
    *,
    friction: int = 0,
    material: int = 0,
    unevenness: int = 0,
    siren: bool = False,
    surface_observed: bool = True,
    siren_observed: bool = True,
) -> Any:
    """Make a road state with all probability on one class."""
    sizes = {'friction': 6, 'material': 5, 'unevenness': 3}
    indices = {'friction': friction, 'material': material, 'unevenness': unevenness}
    fields: dict[str, Any] = dict(indices)
    for name, size in sizes.items():
        certain = (np.arange(size) == indices[name]).astype(np.float32)
        fields[f'{name}_probabilities'] = certain
        fields[f'{name}_probabilities_unfiltered'] = certain
    return T['mm_fusion_msgs/msg/RoadState'](
        header=recordings.header(stamp_ns, 'base_link'),
        **fields,
        friction_coefficient_mean=COEFFICIENT,
        friction_coefficient_stddev=0.0,
        siren=siren,
        siren_probability=float(siren),
        siren_probability_unfiltered=float(siren),
        surface_observed=surface_observed,
        siren_observed=siren_observed,
        modalities=[],
    )


def pose_array(places: Sequence[tuple[float, float]], stamp_ns: int = recordings.STAMP_NS) -> Any:
    return T['geometry_msgs/msg/PoseArray'](
        header=recordings.header(stamp_ns, 'base_link'),
        poses=[recordings.pose(x, y) for x, y in places],
    )


def write_told(path: Path) -> Path:
    """Write the circle with truth: dry for 8 s, then wet; a siren from 2 to 4 s, 60 m away."""
    circle = write_circle(path.with_name(f'{path.name}_source'))
    with RawBag(circle) as raw, BagWriter(path) as bag:
        for topic, log_ns, data in raw.messages(raw.types):
            bag.write(topic, raw.deserialized(topic, data), log_ns)
        for tick in range(240):
            stamp_ns = START_NS + tick * 50_000_000
            siren = 40 <= tick < 80
            state = road_state(stamp_ns, friction=0 if tick < 160 else 1, siren=siren)
            bag.write('/ground_truth/road_state', state, stamp_ns)
            places = pose_array([(60.0, 0.0)] if siren else [], stamp_ns)
            bag.write('/ground_truth/siren', places, stamp_ns)
    return path
