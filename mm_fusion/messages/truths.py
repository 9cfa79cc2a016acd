# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth of the road state and of sirens, as recordings of simulators hold it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.messages.fields import finite, guarded, header_of, unsupported, whole
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROAD_STATE_TYPE = 'mm_fusion_msgs/msg/RoadState'
SIREN_TYPE = 'geometry_msgs/msg/PoseArray'

UNKNOWN = -1
"""Stands for a class that the truth does not tell."""

_MAX_COORDINATE_M = 1e9


@dataclass(frozen=True, slots=True)
class RoadTruth:
    """The true state of the road at one time.

    Attributes:
        stamp_ns: Time of validity.
        friction: Index of the friction class, or ``UNKNOWN``.
        material: Index of the material, or ``UNKNOWN``.
        unevenness: Index of the unevenness, or ``UNKNOWN``.
        friction_coefficient: Under the vehicle; NaN where it is not known.
        siren: Whether a siren can be heard; None where it is not known.
    """

    stamp_ns: int
    friction: int
    material: int
    unevenness: int
    friction_coefficient: float
    siren: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class SirenTruth:
    """Where the vehicles are whose siren is on.

    Attributes:
        stamp_ns: Time of validity.
        places: float64 (n, 2), in ``base_link``, metres.
    """

    stamp_ns: int
    places: NDArray[np.float64]

    @property
    def distance_m(self) -> float:
        """Distance of the nearest; NaN where there is none."""
        if not len(self.places):
            return float('nan')
        return float(np.linalg.norm(self.places, axis=1).min())


@guarded
def road_truth(msg: Any) -> RoadTruth:
    """Read the truth from ``mm_fusion_msgs/RoadState``.

    What the message calls unobserved is unknown.

    Raises:
        SampleError: ZERO_STAMP; MALFORMED where an index is no class.
    """
    if not (hasattr(msg, 'friction') and hasattr(msg, 'surface_observed')):
        raise unsupported(msg, 'mm_fusion_msgs/RoadState')
    stamp_ns, _ = header_of(msg)
    classes = {
        'friction': FRICTION_CLASSES,
        'material': MATERIAL_CLASSES,
        'unevenness': UNEVENNESS_CLASSES,
    }
    known = bool(msg.surface_observed)
    indices = {
        name: whole(name, getattr(msg, name), 0, len(labels) - 1) if known else UNKNOWN
        for name, labels in classes.items()
    }
    coefficient = float(msg.friction_coefficient_mean)
    return RoadTruth(
        stamp_ns,
        **indices,
        friction_coefficient=coefficient if known and math.isfinite(coefficient) else math.nan,
        siren=bool(msg.siren) if msg.siren_observed else None,
    )


@guarded
def siren_truth(msg: Any) -> SirenTruth:
    """Read the places of sirens from ``geometry_msgs/PoseArray`` in ``base_link``.

    Raises:
        SampleError: ZERO_STAMP; NOT_FINITE or MALFORMED for a place that is none.
    """
    if not hasattr(msg, 'poses'):
        raise unsupported(msg, SIREN_TYPE)
    stamp_ns, _ = header_of(msg)
    places = [
        [
            finite(f'position {axis}', getattr(pose.position, axis), _MAX_COORDINATE_M)
            for axis in 'xy'
        ]
        for pose in msg.poses
    ]
    return SirenTruth(stamp_ns, np.array(places, np.float64).reshape(-1, 2))
