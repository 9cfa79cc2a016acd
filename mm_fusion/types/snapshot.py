# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The snapshot: everything the sensors say about one instant, as ``alignment`` emits it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.types.sensors import (
        DropReason,
        ImageSample,
        Modality,
        PositionSample,
        VelocitySample,
    )


class ModalityState(enum.IntEnum):
    """Whether a sensor speaks; the values are those of ``mm_fusion_msgs/ModalityStatus``."""

    PRESENT = 0
    STALE = 1
    NEVER_SEEN = 2


@dataclass(frozen=True, slots=True)
class ModalityReport:
    """What is known of one sensor at the stamp of a snapshot.

    Attributes:
        state: Present, silent now, or never seen since the start or the last clock reset.
        age_ns: Stamp of the snapshot less the newest measurement that it covers (0 where the
            sensor covers the stamp); None where there is none.
        rate_hz: Mean rate over the recent past; 0 before the second sample.
        received: Samples taken in since the start, the dropped ones included.
        drops: Samples dropped since the start, by reason.
        cause: Why what it says is not used, where it speaks and is not present.
        quality: How well the camera sees, from 0 to 1; None where no frame was judged.
    """

    state: ModalityState
    age_ns: int | None
    rate_hz: float
    received: int
    drops: Mapping[DropReason, int]
    cause: DropReason | None = None
    quality: float | None = None

    @property
    def dropped(self) -> int:
        """Number of all dropped samples."""
        return sum(self.drops.values())


@dataclass(frozen=True, slots=True, eq=False)
class AudioWindow:
    """Sound up to the stamp of the snapshot.

    Attributes:
        start_ns: Time of the first sample.
        sample_rate_hz: Samples a second, as recorded.
        samples: float32 (n,) in [-1, 1], zeros where sound is missing.
        covered: Share of the window that was really heard, in (0, 1].
    """

    start_ns: int
    sample_rate_hz: int
    samples: NDArray[np.float32]
    covered: float


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything the sensors say about one instant.

    Attributes:
        stamp_ns: The instant.
        emitted_ns: When it was emitted, by the clock of the receiver.
        trigger: What opened it: a camera frame, or the timer where there is no camera.
        completed: True where every live modality covered the stamp; False where the deadline
            decided.
        image: The frame that opened it.
        audio: Sound up to the stamp, where the microphone is present.
        velocity: The velocity interpolated at the stamp (held from the newest sample where the
            deadline decided), where the sensor is present.
        velocities: Samples of the recent past with stamp <= ``stamp_ns``, in order of stamp.
        positions: Positions of the recent past with stamp <= ``stamp_ns``, in order of stamp.
        modalities: One report for each modality.
        epoch: Number of clock resets so far; a consumer with memory starts anew when it changes.
    """

    stamp_ns: int
    emitted_ns: int
    trigger: Literal['camera', 'timer']
    completed: bool
    image: ImageSample | None
    audio: AudioWindow | None
    velocity: VelocitySample | None
    velocities: tuple[VelocitySample, ...]
    positions: tuple[PositionSample, ...]
    modalities: Mapping[Modality, ModalityReport]
    epoch: int
