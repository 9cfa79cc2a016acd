# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The made drive is consistent in itself, repeatable, and looks where it should."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from mm_fusion.geometry.enu import LocalFrame
from mm_fusion.simulation import short_drive
from mm_fusion.simulation.ground import CENTRE_LINE_M, ROAD_EDGES_M, GroundMap
from mm_fusion.simulation.renderer import Renderer
from mm_fusion.simulation.short_drive import DriveSample, ShortDrive, TruthSample
from mm_fusion.types.sensors import AudioChunk, CompressedImage, GnssFix, VelocitySample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.simulation.course import EgoTruth


@pytest.fixture(scope='module')
def samples() -> list[DriveSample]:
    return list(ShortDrive(seed=5, duration_s=4.0).samples())


def of(samples: list[DriveSample], kind: type) -> list[Any]:
    return [sample for sample in samples if isinstance(sample, kind)]


def test_samples_arrive_in_order_and_after_they_were_measured(samples: list[DriveSample]) -> None:
    assert all(a.received_ns <= b.received_ns for a, b in itertools.pairwise(samples))
    assert all(sample.received_ns >= sample.stamp_ns for sample in samples)


@pytest.mark.parametrize(
    ('kind', 'count'),
    [(CompressedImage, 40), (AudioChunk, 200), (GnssFix, 20), (VelocitySample, 200)],
)
def test_each_sensor_keeps_its_rate(samples: list[DriveSample], kind: type, count: int) -> None:
    stamps = np.array([sample.stamp_ns for sample in of(samples, kind)])

    assert len(stamps) == count
    assert np.ptp(np.diff(stamps)) == 0


def test_the_truth_is_the_integral_of_the_measured_velocity(samples: list[DriveSample]) -> None:
    truths = {sample.stamp_ns: sample.truth for sample in of(samples, TruthSample)}
    velocities = of(samples, VelocitySample)
    first = truths[velocities[0].stamp_ns]
    x, y, heading = first.x_m, first.y_m, first.heading_rad

    for a, b in itertools.pairwise(velocities):
        step = (b.stamp_ns - a.stamp_ns) / 1e9
        turn = step * (a.yaw_rate_rps + b.yaw_rate_rps) / 2
        way = step * (a.speed_mps + b.speed_mps) / 2
        x += way * math.cos(heading + turn / 2)
        y += way * math.sin(heading + turn / 2)
        heading += turn

    last = truths[velocities[-1].stamp_ns]
    # Random walks of the stated noise over 200 steps of 20 ms, at 5 deviations.
    root = math.sqrt(len(velocities)) * 0.02
    assert math.hypot(x - last.x_m, y - last.y_m) < 5 * short_drive.SPEED_STD_MPS * root + 0.05
    assert abs(heading - last.heading_rad) < 5 * short_drive.YAW_RATE_STD_RPS * root


def test_the_velocity_has_the_stated_noise(samples: list[DriveSample]) -> None:
    truths = {sample.stamp_ns: sample.truth for sample in of(samples, TruthSample)}
    errors = [s.speed_mps - truths[s.stamp_ns].speed_mps for s in of(samples, VelocitySample)]

    assert np.std(errors) == pytest.approx(short_drive.SPEED_STD_MPS, rel=0.25)


def test_fixes_lie_where_the_truth_is(samples: list[DriveSample]) -> None:
    truths = {sample.stamp_ns: sample.truth for sample in of(samples, TruthSample)}
    frame = LocalFrame(*short_drive.ORIGIN)

    for fix in of(samples, GnssFix):
        truth = truths[fix.stamp_ns]
        east, north, _ = frame.to_local(fix.latitude_deg, fix.longitude_deg, fix.altitude_m)
        error = math.hypot(east - truth.x_m, north - truth.y_m)
        assert 0 < error < 5 * math.sqrt(fix.covariance[0, 0])


def test_the_same_seed_gives_the_same_samples_and_another_does_not() -> None:
    def images(seed: int) -> list[bytes]:
        drive = ShortDrive(seed, duration_s=0.5)
        return [s.payload.tobytes() for s in of(list(drive.samples()), CompressedImage)]

    assert images(1) == images(1)
    assert images(1) != images(2)


def test_the_marks_of_the_road_are_where_the_camera_model_says(
    samples: list[DriveSample],
) -> None:
    drive = ShortDrive(seed=5, duration_s=4.0)
    course = drive.driven.course
    found = 0
    for sample in of(samples, CompressedImage)[:20]:
        frame = np.asarray(cv2.imdecode(sample.payload, cv2.IMREAD_GRAYSCALE), np.uint8)
        time = (sample.stamp_ns - short_drive.START_NS) / 1e9
        truth = drive.driven.truth_at(time)
        # The edge mark, its middle 0.25 m inside the edge, and the bare lane beside it.
        arcs = truth.arc_m + np.arange(7.0, 13.0, 0.5)
        mark = seen(drive, frame, truth, course.beside(arcs, np.full(12, ROAD_EDGES_M[0] + 0.25)))
        lane = seen(drive, frame, truth, course.beside(arcs, np.full(12, CENTRE_LINE_M - 0.9)))
        found += float(np.median(mark)) > float(np.median(lane)) + 60
    assert found == 20


def seen(
    drive: ShortDrive,
    frame: NDArray[np.uint8],
    truth: EgoTruth,
    places: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Give the brightness of the frame at places (n, 2) of the map."""
    sin, cos = math.sin(truth.heading_rad), math.cos(truth.heading_rad)
    away = places - [truth.x_m, truth.y_m]
    ground = np.stack([away @ [cos, sin], away @ [-sin, cos], np.zeros(len(away))], axis=1)
    pixels, _ = drive.camera.project(ground)
    columns, rows = np.rint(pixels).astype(int).T
    return np.asarray(frame[rows, columns])


def test_the_road_gets_dark_and_then_white() -> None:
    drive = ShortDrive(seed=0)
    ground_seed, scene_seed, *_ = np.random.SeedSequence(0).spawn(5)
    ground = GroundMap(drive.driven.course, short_drive._WEATHER, ground_seed)
    renderer = Renderer(ground, drive.camera, scene_seed)

    dry, wet, snow = (
        float(np.median(renderer.frame(drive.driven.truth_at(time), ())[260:]))
        for time in (2.0, 10.5, 18.0)
    )

    assert wet < 0.9 * dry
    assert snow > 1.6 * dry


@pytest.mark.parametrize('duration_s', [0.0, 20.5, math.nan])
def test_a_duration_out_of_bounds_is_refused(duration_s: float) -> None:
    with pytest.raises(ValueError, match=r'expected 0\.5 to 20 s'):
        ShortDrive(duration_s=duration_s)
