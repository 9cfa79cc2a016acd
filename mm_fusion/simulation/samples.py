# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the sensors of a simulated drive deliver, and the truth that goes with it.

A position is a ``GnssFix`` and a velocity a ``VelocitySample`` of :mod:`mm_fusion.types.sensors`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.types.sensors import GnssFix, VelocitySample

CAMERA_FRAME = 'camera_optical_frame'
MICROPHONE_FRAME = 'microphone'
GNSS_FRAME = 'gnss_antenna'

PATH_STEP_S = 0.5
PATH_STEPS = 12


@dataclass(frozen=True, slots=True, eq=False)
class CameraFrame:
    """A rendered frame.

    Attributes:
        stamp_ns: Middle of the exposure, by the camera's clock.
        received_ns: Time of arrival.
        pixels: uint8 (height, width, 3), RGB.
        classes: uint8 (height, width), indices into ``PIXEL_CLASSES``; None unless asked for.
    """

    stamp_ns: int
    received_ns: int
    pixels: NDArray[np.uint8]
    classes: NDArray[np.uint8] | None = None


PIXEL_CLASSES = (
    'sky',
    'terrain',
    'road',
    'mark',
    'kerb',
    'pavement',
    'building',
    'vegetation',
    'pole',
    'vehicle',
    'ego_vehicle',
)


@dataclass(frozen=True, slots=True, eq=False)
class SoundBlock:
    """A run of consecutive sound samples.

    Attributes:
        stamp_ns: Time of the first sample, by the microphone's clock.
        received_ns: Time of arrival.
        sample_rate_hz: Samples a second.
        samples: int16 (n, channels); the left microphone is channel 0.
    """

    stamp_ns: int
    received_ns: int
    sample_rate_hz: int
    samples: NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class DriveTruth:
    """Everything that is true at one time.

    Attributes:
        stamp_ns: Time.
        received_ns: The same.
        motion: float64 (7,), of the ego vehicle, columns as in ``world.Motion``.
        friction: Index of the friction class of the road ahead.
        material: Index of its material.
        unevenness: Index of its unevenness.
        friction_coefficient: Under the vehicle.
        siren: Whether a siren can be heard at the vehicle.
        siren_places: float64 (n, 2), vehicles whose siren is on, in base_link, nearest first.
        path: float64 (12, 3), x, y and heading in base_link, every 0.5 s after the stamp; None
            where the drive ends before.
    """

    stamp_ns: int
    received_ns: int
    motion: NDArray[np.float64]
    friction: int
    material: int
    unevenness: int
    friction_coefficient: float
    siren: bool
    siren_places: NDArray[np.float64]
    path: NDArray[np.float64] | None

    @property
    def siren_distance_m(self) -> float | None:
        """Distance of the nearest siren that is on; None where none is."""
        if not len(self.siren_places):
            return None
        return math.hypot(*self.siren_places[0])

    @property
    def siren_bearing_rad(self) -> float | None:
        """Direction of the same, counter-clockwise from ahead; None where none is."""
        if not len(self.siren_places):
            return None
        x_m, y_m = self.siren_places[0]
        return math.atan2(y_m, x_m)


SensorSample: TypeAlias = 'CameraFrame | SoundBlock | GnssFix | VelocitySample'
FaultKind: TypeAlias = Literal[
    'dies', 'freezes', 'stuck', 'delays', 'duplicates', 'corrupts', 'clock_jumps'
]


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """A sample on its way to the receiver, in order of arrival.

    Attributes:
        sensor: One of ``scenario.SENSORS``.
        sample: Its stamps and its time of arrival are those after faults.
        corrupt: Its message is to be damaged: a truncated payload, or numbers that are not finite.
    """

    sensor: str
    sample: SensorSample
    corrupt: bool = False
