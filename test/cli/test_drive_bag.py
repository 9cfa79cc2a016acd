# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A made drive becomes a recording that the package reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.bags import read_bag
from mm_fusion.bags.raw import RawBag
from mm_fusion.cli.drive_bag import CAMERA_INFO, STATIC_TRANSFORMS, write_drive
from mm_fusion.errors import BagError
from mm_fusion.simulation.short_drive import ShortDrive
from mm_fusion.types.sensors import AudioChunk, CompressedImage, GnssFix, VelocitySample

if TYPE_CHECKING:
    from pathlib import Path

DRIVE = ShortDrive(seed=2, duration_s=1.0)


@pytest.fixture(scope='module')
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('drives') / 'drive'
    write_drive(DRIVE, folder)
    return folder


def test_the_recording_reads_as_the_samples_it_was_made_from(path: Path) -> None:
    with read_bag(path) as bag:
        assert bag.topics.odometry == '/ground_truth/odometry'
        found = [event.content for event in bag.events()]
    made = list(DRIVE.samples())

    for kind in (CompressedImage, AudioChunk, GnssFix, VelocitySample):
        for a, b in zip(
            (item for item in made if isinstance(item, kind)),
            (item for item in found if isinstance(item, kind)),
            strict=True,
        ):
            assert (a.stamp_ns, a.received_ns) == (b.stamp_ns, b.received_ns)
            assert essence(a) == pytest.approx(essence(b), abs=1e-6)
    assert Counter(type(item).__name__ for item in found)['OdometryPose'] == 50


def essence(sample: Any) -> Any:
    if isinstance(sample, CompressedImage):
        return sample.payload
    if isinstance(sample, AudioChunk):
        return sample.samples
    if isinstance(sample, GnssFix):
        return [sample.latitude_deg, sample.longitude_deg, sample.altitude_m]
    return [sample.speed_mps, sample.yaw_rate_rps]


def test_the_camera_is_described(path: Path) -> None:
    with RawBag(path) as bag:
        messages = {topic: data for topic, _, data in bag.messages(bag.types)}
        info: Any = bag.deserialized(CAMERA_INFO, messages[CAMERA_INFO])
        mounting: Any = bag.deserialized(STATIC_TRANSFORMS, messages[STATIC_TRANSFORMS])

    assert info.k.reshape(3, 3).tolist() == DRIVE.camera.intrinsics.tolist()
    assert (info.width, info.height) == (640, 360)
    transform = mounting.transforms[0].transform
    x, y, z, w = (getattr(transform.rotation, axis) for axis in 'xyzw')
    ahead = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
    # The optical z axis in base_link is the third row of the rotation into the optical frame.
    assert ahead == pytest.approx(DRIVE.camera.rotation[2].tolist())


def test_the_same_seed_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / 'drive'
    write_drive(DRIVE, again)

    for name in ('drive.mcap', 'metadata.yaml'):
        assert (again / name).read_bytes() == (path / name).read_bytes()


def test_progress_counts_the_frames(tmp_path: Path) -> None:
    seen: list[int] = []

    write_drive(ShortDrive(duration_s=0.5), tmp_path / 'drive', seen.append)

    assert seen == list(np.arange(5) + 1)


def test_an_existing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='exists already'):
        write_drive(DRIVE, tmp_path)
