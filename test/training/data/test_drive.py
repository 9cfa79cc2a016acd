# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.labels import UNLABELLED
from mm_fusion.training.data.cache import Entry, EntryWriter
from mm_fusion.training.data.drive import Drive
from mm_fusion.training.data.sample import CLASS_TASKS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

STEPS_S = 0.5 * np.arange(1, 13)


def way(speed_mps: float, yaw_rate_rps: float, askew_rad: float = 0.0) -> NDArray[np.float32]:
    """A way (12, 3) at constant speed and yaw rate; headings are off to the left by ``askew``."""
    turned = yaw_rate_rps * STEPS_S
    chord = speed_mps * STEPS_S * np.sinc(0.5 * turned / np.pi)
    course = 0.5 * turned - askew_rad
    return np.column_stack([chord * np.cos(course), chord * np.sin(course), turned]).astype(
        np.float32
    )


def drive_of(folder: Path, futures: list[NDArray[np.float32]]) -> Drive:
    """A recording of motion alone that was driven like this, with roll-outs straight on."""
    count = len(futures)
    absent = np.full(count, -1, np.int64)
    folder.mkdir()
    with EntryWriter(folder) as writer:
        writer.column('stamps_ns', np.arange(count) * 500_000_000)
        writer.column('times_s', np.arange(count) * 0.5)
        writer.column('image_row', absent)
        writer.column('audio_row', absent)
        writer.column('motion', np.zeros((count, 40, 3), np.float32))
        writer.column('age_s', np.zeros((count, 3), np.float32))
        writer.column('rollout', np.stack([way(10.0, 0.0)] * count))
        writer.column('future', np.stack(futures))
        for task in CLASS_TASKS:
            writer.column(task, np.full(count, UNLABELLED, np.int64))
        writer.column('friction_coefficient', np.full(count, np.nan, np.float32))
        writer.about = {'duration_s': 0.5 * count, 'topics': {}, 'road_truth': False}
    return Drive(folder, Entry(folder), None)


@pytest.mark.parametrize('askew', [0.03, -0.02, 0.0])
def test_what_was_driven_lies_ahead_however_the_truth_is_mounted(
    tmp_path: Path, askew: float
) -> None:
    unknown = np.full((12, 3), np.nan, np.float32)
    straight = [way(10.0, 0.001 * (-1) ** i, askew) for i in range(30)]
    bends = [way(10.0, 0.3, askew)] * 20 + [way(2.0, 0.0, askew + 0.4)] * 20
    drive = drive_of(tmp_path / 'drive', [*straight, *bends, unknown])
    assert drive.travel_rad == pytest.approx(-askew, abs=1e-5)

    recorded, aligned = (drive.sample(0, along_travel=along) for along in (False, True))
    assert recorded.targets.trajectory is not None
    assert aligned.targets.trajectory is not None
    ahead = way(10.0, 0.001)
    assert aligned.targets.trajectory == pytest.approx((ahead - way(10.0, 0.0))[:, :2], abs=2e-3)
    aside = (way(10.0, 0.001, askew) - way(10.0, 0.0))[:, 1]
    assert recorded.targets.trajectory[:, 1] == pytest.approx(aside, abs=2e-3)

    turning = drive.sample(30, along_travel=True).targets.trajectory
    assert turning == pytest.approx((way(10.0, 0.3) - way(10.0, 0.0))[:, :2], abs=2e-3)
    assert drive.sample(70, along_travel=True).targets.trajectory is None


def test_of_a_few_straight_metres_nothing_is_told(tmp_path: Path) -> None:
    drive = drive_of(tmp_path / 'drive', [way(10.0, 0.0, 0.03)] * 19 + [way(10.0, 0.2)] * 50)
    assert drive.travel_rad == 0.0
