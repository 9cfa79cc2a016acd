# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What must hold of every output, whatever the sensors do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mm_fusion.types.predictions import FusionOutput, RoadState

_FARTHEST_M = 1000.0


def out_of_bounds(output: FusionOutput) -> Iterator[str]:
    """Name what of an output is not finite or cannot be."""
    if output.road is not None:
        yield from _road_problems(output.road)
    if output.trajectory is not None:
        for mode in output.trajectory.modes:
            if not np.isfinite(mode.positions).all() or abs(mode.positions).max() > _FARTHEST_M:
                yield 'path out of bounds'
            if not (np.linalg.eigvalsh(mode.covariances) > 0).all():
                yield 'covariance is none'
    if not all(math.isfinite(weight) for weight in output.weights.values()):
        yield 'weight is not finite'


def _road_problems(road: RoadState) -> Iterator[str]:
    for state in (road.filtered, road.unfiltered):
        for name in ('friction', 'material', 'unevenness'):
            shares = np.asarray(getattr(state, name))
            if not (np.isfinite(shares).all() and abs(shares.sum() - 1) < 1e-3):
                yield f'{name} is no distribution'
        if not 0.0 <= state.siren <= 1.0:
            yield 'siren is no probability'
    if not 0.0 <= road.friction_coefficient_mean <= 1.5:
        yield 'friction coefficient out of bounds'
