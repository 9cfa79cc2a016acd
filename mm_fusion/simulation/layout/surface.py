# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What lies on the road, from the stretches of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.simulation.roads import SurfaceProfile
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.simulation.scenario import SurfaceStretch

_STEP_M = 0.5


def surface_profile(
    stretches: Sequence[SurfaceStretch], start_m: float, end_m: float
) -> SurfaceProfile:
    """Make the profile of the main road.

    A stretch begins at ``from_m``, where the share of the one before begins to fall, linearly over
    ``blend_m``. The first one also lies on the road behind the start.

    Args:
        stretches: In order of ``from_m``.
        start_m: Where the road begins, m.
        end_m: Where it ends, m.
    """
    count = int((end_m - start_m) / _STEP_M) + 2
    arcs = start_m + _STEP_M * np.arange(count, dtype=np.float64)
    weights = [np.ones_like(arcs)]
    for stretch in stretches[1:]:
        rise = np.clip((arcs - stretch.from_m) / max(stretch.blend_m, 1e-6), 0.0, 1.0)
        weights = [weight * (1 - rise) for weight in weights] + [rise]

    def shares(classes: Sequence[str], chosen: Sequence[str]) -> NDArray[np.float32]:
        table = np.zeros((len(arcs), len(classes)))
        for weight, name in zip(weights, chosen, strict=True):
            table[:, classes.index(name)] += weight
        return table.astype(np.float32)

    return SurfaceProfile(
        arcs,
        shares(FRICTION_CLASSES, [stretch.friction for stretch in stretches]),
        shares(MATERIAL_CLASSES, [stretch.material for stretch in stretches]),
        shares(UNEVENNESS_CLASSES, [stretch.unevenness for stretch in stretches]),
    )
