# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A short drive through a town, as the sensors of a vehicle would record it.

Twenty seconds with a bend, a turn of 90 degrees and braking; on a dry, then a wet, then a
snow-covered road; a vehicle with a siren comes the other way. The same seed gives the same
samples.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from mm_fusion.geometry.enu import LocalFrame
from mm_fusion.simulation import scenery
from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.course import Course, DrivenCourse, EgoTruth, SpeedProfile
from mm_fusion.simulation.ground import GroundMap, Weather
from mm_fusion.simulation.renderer import Renderer
from mm_fusion.simulation.sound import Siren, drive_sound
from mm_fusion.types.sensors import AudioChunk, CompressedImage, GnssFix, VelocitySample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FULL_DURATION_S = 20.0
START_NS = 1_767_225_600_000_000_000
"""Stamp of the first sample: 2026-01-01T00:00:00Z."""
ORIGIN = (51.5, 7.5, 100.0)
"""Latitude (deg), longitude (deg) and height (m) of the map frame."""

CAMERA_FRAME = 'camera_optical'
MICROPHONE_FRAME = 'microphone'
GNSS_FRAME = 'gnss'

SAMPLE_RATE_HZ = 16_000
_CHUNK_SAMPLES = 320
_CAMERA_PERIOD_NS = 100_000_000
_GNSS_PERIOD_NS = 200_000_000
_VELOCITY_PERIOD_NS = 20_000_000
_TRUTH_PERIOD_NS = 20_000_000

# Between measurement and arrival.
_CAMERA_DELAY_NS = 25_000_000
_MICROPHONE_DELAY_NS = 4_000_000
_GNSS_DELAY_NS = 70_000_000
_VELOCITY_DELAY_NS = 2_000_000

SPEED_STD_MPS = 0.05
YAW_RATE_STD_RPS = 0.004
GNSS_WHITE_STD_M = 0.4
GNSS_DRIFT_STD_M = 0.9
GNSS_VARIANCE_M2 = GNSS_WHITE_STD_M**2 + GNSS_DRIFT_STD_M**2
_GNSS_DRIFT_TIME_S = 30.0
_JPEG_QUALITY = 88

_SPEEDS = SpeedProfile(
    ((0, 8.0), (3.5, 12.5), (6, 12.5), (9.5, 5.6), (13, 5.6), (16.5, 11.5), (18, 11.5), (20, 4.0))
)
_CURVATURE = (
    (28, 0.0), (36, -0.012), (56, -0.012), (64, 0.0),
    (84, 0.0), (92, 0.055), (112.5, 0.055), (120.5, 0.0),
    (138, 0.0), (146, -0.01), (160, -0.01), (168, 0.0),
)  # fmt: skip
_WEATHER = Weather(wet_from_m=66.0, snow_from_m=122.0)
_SIREN = Siren(arc_m=232.0, speed_mps=15.0, left_m=3.5, on_s=5.0, off_s=14.0)


@dataclass(frozen=True, slots=True)
class TruthSample:
    """The true motion at an instant.

    Attributes:
        stamp_ns: The instant.
        received_ns: The same.
        truth: In the map frame, its origin at ``ORIGIN``.
    """

    stamp_ns: int
    received_ns: int
    truth: EgoTruth


DriveSample: TypeAlias = CompressedImage | AudioChunk | GnssFix | VelocitySample | TruthSample


@dataclass(frozen=True, slots=True)
class ShortDrive:
    """A made drive.

    Attributes:
        seed: Of the scenery and of all noise.
        duration_s: Its first seconds are taken; the whole lasts ``FULL_DURATION_S``.
    """

    seed: int = 0
    duration_s: float = FULL_DURATION_S
    camera: PinholeCamera = field(default_factory=PinholeCamera)

    def __post_init__(self) -> None:
        """Check the duration."""
        if not 0.5 <= self.duration_s <= FULL_DURATION_S:
            raise ValueError(
                f'drive of {self.duration_s:g} s: expected 0.5 to {FULL_DURATION_S:g} s'
            )

    @property
    def driven(self) -> DrivenCourse:
        """The course, and how it is driven."""
        return DrivenCourse(Course(_CURVATURE, -30.0, 275.0, 0.35), _SPEEDS)

    @property
    def frames(self) -> int:
        """Number of camera frames."""
        return len(self._stamps(_CAMERA_PERIOD_NS))

    def samples(self) -> Iterator[DriveSample]:
        """Give everything that the sensors record, in order of arrival."""
        driven = self.driven
        seeds = np.random.SeedSequence(self.seed).spawn(5)
        streams: tuple[Iterator[DriveSample], ...] = (
            self._images(driven, seeds[0], seeds[1]),
            self._sounds(driven, seeds[2]),
            self._fixes(driven, seeds[3]),
            self._velocities(driven, seeds[4]),
            self._truths(driven),
        )
        yield from heapq.merge(*streams, key=lambda sample: sample.received_ns)

    def _stamps(self, period_ns: int) -> range:
        return range(START_NS, START_NS + round(self.duration_s * 1e9), period_ns)

    def _images(
        self,
        driven: DrivenCourse,
        ground_seed: np.random.SeedSequence,
        scene_seed: np.random.SeedSequence,
    ) -> Iterator[CompressedImage]:
        ground = GroundMap(driven.course, _WEATHER, ground_seed)
        renderer = Renderer(ground, self.camera, scene_seed)
        for stamp in self._stamps(_CAMERA_PERIOD_NS):
            time = (stamp - START_NS) * 1e-9
            arc = float(_SIREN.arc_at(np.array(time)))
            flash = _SIREN.on_s <= time < _SIREN.off_s and int(time * 4) % 2 == 0
            others: tuple[scenery.Quad, ...] = ()
            if driven.course.start_m < arc < driven.course.end_m:
                others = scenery.ambulance(driven.course, arc, _SIREN.left_m, flash)
            frame = renderer.frame(driven.truth_at(time), others)
            _, payload = cv2.imencode('.jpg', frame, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
            yield CompressedImage(
                stamp, stamp + _CAMERA_DELAY_NS, CAMERA_FRAME, 'jpeg', payload.reshape(-1)
            )

    def _sounds(self, driven: DrivenCourse, seed: np.random.SeedSequence) -> Iterator[AudioChunk]:
        rng = np.random.default_rng(seed)
        heard = drive_sound(driven, _WEATHER, _SIREN, self.duration_s, SAMPLE_RATE_HZ, rng)
        sound = (np.rint(heard * 32767) / 32768).astype(np.float32)
        length_ns = _CHUNK_SAMPLES * 1_000_000_000 // SAMPLE_RATE_HZ
        for i in range(len(sound) // _CHUNK_SAMPLES):
            stamp = START_NS + i * length_ns
            chunk = sound[i * _CHUNK_SAMPLES : (i + 1) * _CHUNK_SAMPLES]
            arrival = stamp + length_ns + _MICROPHONE_DELAY_NS
            yield AudioChunk(stamp, arrival, MICROPHONE_FRAME, SAMPLE_RATE_HZ, chunk)

    def _fixes(self, driven: DrivenCourse, seed: np.random.SeedSequence) -> Iterator[GnssFix]:
        rng = np.random.default_rng(seed)
        frame = LocalFrame(*ORIGIN)
        keep = np.exp(-_GNSS_PERIOD_NS * 1e-9 / _GNSS_DRIFT_TIME_S)
        drift: NDArray[np.float64] = GNSS_DRIFT_STD_M * rng.standard_normal(3)
        for stamp in self._stamps(_GNSS_PERIOD_NS):
            truth = driven.truth_at((stamp - START_NS) * 1e-9)
            step = GNSS_DRIFT_STD_M * np.sqrt(1 - keep**2)
            drift = keep * drift + step * rng.standard_normal(3)
            error = drift + GNSS_WHITE_STD_M * rng.standard_normal(3)
            place = np.array([truth.x_m, truth.y_m, 0.0]) + error
            latitude, longitude, altitude = frame.to_geodetic(place)
            yield GnssFix(
                stamp, stamp + _GNSS_DELAY_NS, GNSS_FRAME,
                float(latitude), float(longitude), float(altitude), GNSS_VARIANCE_M2 * np.eye(2),
            )  # fmt: skip

    def _velocities(
        self, driven: DrivenCourse, seed: np.random.SeedSequence
    ) -> Iterator[VelocitySample]:
        rng = np.random.default_rng(seed)
        for stamp in self._stamps(_VELOCITY_PERIOD_NS):
            truth = driven.truth_at((stamp - START_NS) * 1e-9)
            speed = truth.speed_mps + SPEED_STD_MPS * float(rng.standard_normal())
            yaw_rate = truth.yaw_rate_rps + YAW_RATE_STD_RPS * float(rng.standard_normal())
            yield VelocitySample(
                stamp, stamp + _VELOCITY_DELAY_NS, speed, 0.0, yaw_rate,
                SPEED_STD_MPS**2, YAW_RATE_STD_RPS**2,
            )  # fmt: skip

    def _truths(self, driven: DrivenCourse) -> Iterator[TruthSample]:
        for stamp in self._stamps(_TRUTH_PERIOD_NS):
            yield TruthSample(stamp, stamp, driven.truth_at((stamp - START_NS) * 1e-9))
