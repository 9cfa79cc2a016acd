# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Inputs of the network for one snapshot, as numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NETWORK_MODALITIES = ('camera', 'microphone', 'motion')
"""Order of the modalities in ``presence``, ``age_s`` and the network's weights."""

MOTION_COLUMNS = ('speed_mps', 'yaw_rate_rps', 'acceleration_mps2')
"""Columns of the motion history, oldest row first, the last row at the stamp."""

MOTION_STEP_S = 0.1
"""Time between two rows of the motion history, seconds."""

MODES = 6
"""Hypotheses of the ego path that a trajectory head gives."""

STEPS = 12
"""Steps of each hypothesis."""

STEP_S = 0.5
"""Time between two steps, seconds; the first step is one ``STEP_S`` after the stamp."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureBatch:
    """Inputs of the network for one snapshot.

    Attributes:
        image: uint8 (1, height, width, 3), RGB, at the size the image encoder asks for; None
            where there is no frame.
        audio: float32 (1, n), PCM in [-1, 1] at the rate the audio encoder asks for; None where
            there is no sound.
        motion: float32 (1, steps, 3), columns ``MOTION_COLUMNS``; None where no motion is known.
        presence: float32 (1, 3), 1 where the modality is there, in ``NETWORK_MODALITIES`` order.
        age_s: float32 (1, 3), age of its newest measurement at the stamp, seconds; 0 if absent.
    """

    image: NDArray[np.uint8] | None
    audio: NDArray[np.float32] | None
    motion: NDArray[np.float32] | None
    presence: NDArray[np.float32]
    age_s: NDArray[np.float32]
