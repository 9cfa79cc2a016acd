# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sensor samples: what ``messages`` makes of a ROS message, and ``alignment`` takes in.

Each sample has two times in nanoseconds: ``stamp_ns``, when it was measured, by its header; and
``received_ns``, when it arrived, by the clock of the receiver (ROS time in a node, the log time
in a bag). A message without a header is stamped on arrival, so that both are equal.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from mm_fusion.errors import SampleError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Modality(str, enum.Enum):
    """The four inputs of the package."""

    CAMERA = 'camera'
    MICROPHONE = 'microphone'
    GNSS = 'gnss'
    VELOCITY = 'velocity'


class DropReason(str, enum.Enum):
    """Why a sample was counted and not used."""

    LATE = 'late'
    """Its snapshot, or everything it could serve, had been emitted before it came."""
    DUPLICATE = 'duplicate'
    """A sample with the same stamp is held already."""
    OUT_OF_ORDER = 'out_of_order'
    """Older than the reordering window of its history."""
    CLOCK_JUMP = 'clock_jump'
    """Held when time jumped backward, and discarded with everything else."""
    FUTURE = 'future'
    """Its stamp lies further ahead of its arrival than clocks may differ."""
    ZERO_STAMP = 'zero_stamp'
    """Its header carries no time."""
    OVERFLOW = 'overflow'
    """A bounded store was full."""
    OUTLIER = 'outlier'
    """Further from the ego state than the filter's gate allows."""
    SUPERSEDED = 'superseded'
    """A newer snapshot was ready before this one could be inferred."""
    NOT_FINITE = 'not_finite'
    """A number in it is NaN or infinite."""
    NO_FIX = 'no_fix'
    """The GNSS receiver says that it has no position."""
    MALFORMED = 'malformed'
    """Its payload contradicts its own description, or cannot be decoded."""
    FROZEN = 'frozen'
    """Its sensor hangs: the same content comes again and again under fresh stamps."""
    LOW_QUALITY = 'low_quality'
    """The image shows too little: a covered lens, darkness, a wrong exposure."""
    GAPS = 'gaps'
    """Too little of the sound is there: chunks are missing, or shorter than their rate says."""
    UNSUPPORTED = 'unsupported'
    """Its encoding or format is not one that the package reads."""


RawEncoding: TypeAlias = Literal['rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8']
RAW_CHANNELS: dict[RawEncoding, int] = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1}


@dataclass(frozen=True, slots=True, eq=False)
class RawImage:
    """An uncompressed camera frame.

    Attributes:
        stamp_ns: Time of exposure.
        received_ns: Time of arrival.
        frame_id: Optical frame of the camera.
        encoding: Order of the channels.
        pixels: uint8 (height, width, channels); may be a strided, read-only view into the message.
    """

    stamp_ns: int
    received_ns: int
    frame_id: str
    encoding: RawEncoding
    pixels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Check that the pixels fit the encoding."""
        channels = RAW_CHANNELS[self.encoding]
        if self.pixels.ndim != 3 or self.pixels.shape[2] != channels or self.pixels.size == 0:
            raise SampleError(
                DropReason.MALFORMED,
                f'{self.encoding} image: found shape {self.pixels.shape}, '
                f'expected (height, width, {channels})',
            )


@dataclass(frozen=True, slots=True, eq=False)
class CompressedImage:
    """A JPEG or PNG camera frame, still encoded: it is decoded only if a snapshot uses it.

    Attributes:
        stamp_ns: Time of exposure.
        received_ns: Time of arrival.
        frame_id: Optical frame of the camera.
        encoding: Codec, told from the leading bytes of the payload.
        payload: uint8 (n,); may be a read-only view into the message.
    """

    stamp_ns: int
    received_ns: int
    frame_id: str
    encoding: Literal['jpeg', 'png']
    payload: NDArray[np.uint8]


ImageSample: TypeAlias = RawImage | CompressedImage


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """A run of consecutive sound samples.

    Attributes:
        stamp_ns: Time of the first sample.
        received_ns: Time of arrival.
        frame_id: Frame of the microphone.
        sample_rate_hz: Samples a second.
        samples: float32 (n,) in [-1, 1]; several channels are averaged by the adapter.
    """

    stamp_ns: int
    received_ns: int
    frame_id: str
    sample_rate_hz: int
    samples: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class GnssFix:
    """A position on the globe.

    Attributes:
        stamp_ns: Time of validity.
        received_ns: Time of arrival.
        frame_id: Frame of the antenna.
        latitude_deg: WGS-84 latitude.
        longitude_deg: WGS-84 longitude.
        altitude_m: Height over the ellipsoid; NaN where the receiver gives none.
        covariance: float64 (2, 2), east-north, m²; None where the message leaves it unset.
    """

    stamp_ns: int
    received_ns: int
    frame_id: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    covariance: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True, eq=False)
class LocalPosition:
    """A position that is metric already, as simulators give it.

    Attributes:
        stamp_ns: Time of validity.
        received_ns: Time of arrival.
        frame_id: The fixed frame of the coordinates.
        east_m: x in that frame.
        north_m: y in that frame.
        covariance: float64 (2, 2), x-y, m²; None where the message leaves it unset.
    """

    stamp_ns: int
    received_ns: int
    frame_id: str
    east_m: float
    north_m: float
    covariance: NDArray[np.float64] | None


PositionSample: TypeAlias = GnssFix | LocalPosition


@dataclass(frozen=True, slots=True)
class VelocitySample:
    """Speed and yaw rate of the vehicle in ``base_link``.

    Attributes:
        stamp_ns: Time of validity.
        received_ns: Time of arrival.
        speed_mps: Along x of ``base_link``, m/s; negative when reversing.
        lateral_mps: Along y of ``base_link``, m/s; 0 where the message has none.
        yaw_rate_rps: About z, rad/s; None where the message type has no such field.
        speed_variance: (m/s)²; None where the message leaves it unset.
        yaw_rate_variance: (rad/s)²; None where the message leaves it unset.
    """

    stamp_ns: int
    received_ns: int
    speed_mps: float
    lateral_mps: float = 0.0
    yaw_rate_rps: float | None = None
    speed_variance: float | None = None
    yaw_rate_variance: float | None = None


Sample: TypeAlias = (
    RawImage | CompressedImage | AudioChunk | GnssFix | LocalPosition | VelocitySample
)


def modality_of(sample: Sample) -> Modality:
    """Name the modality that a sample belongs to."""
    if isinstance(sample, RawImage | CompressedImage):
        return Modality.CAMERA
    if isinstance(sample, AudioChunk):
        return Modality.MICROPHONE
    if isinstance(sample, VelocitySample):
        return Modality.VELOCITY
    return Modality.GNSS
