# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The Intelligent Driver Model: Treiber, Hennecke, Helbing, Physical Review E 62, 1805 (2000)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXPONENT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Driving:
    """How each driver drives; arrays (n,).

    Attributes:
        headway_s: Time gap to the leader.
        acceleration: Most that is comfortable, m/s².
        braking: The same, positive.
        gap_m: Distance kept at a standstill.
    """

    headway_s: NDArray[np.float64]
    acceleration: NDArray[np.float64]
    braking: NDArray[np.float64]
    gap_m: NDArray[np.float64]


def free(
    driving: Driving, speed: NDArray[np.float64], desired: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the acceleration (n,) on an empty road.

    Above the desired speed it is no stronger than comfortable braking.
    """
    ratio = speed / np.maximum(desired, 0.1)
    return np.asarray(np.maximum(driving.acceleration * (1 - ratio**_EXPONENT), -driving.braking))


def interaction(
    driving: Driving,
    speed: NDArray[np.float64],
    gap: NDArray[np.float64],
    closing: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Give what a leader adds to the acceleration (n,): never positive.

    Args:
        driving: The drivers.
        speed: Their speeds, m/s.
        gap: Distance from bumper to bumper, m; infinite where there is no leader.
        closing: Own speed less that of the leader, m/s.
    """
    root = 2 * np.sqrt(driving.acceleration * driving.braking)
    wanted = driving.gap_m + np.maximum(speed * driving.headway_s + speed * closing / root, 0.0)
    return np.asarray(-driving.acceleration * (wanted / np.maximum(gap, 0.1)) ** 2)
