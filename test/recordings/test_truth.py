# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.messages import OdometryPose
from mm_fusion.recordings import TruthRecorder
from mm_fusion.settings import EgoFilterSettings
from mm_fusion.types.sensors import LocalPosition, VelocitySample

SETTINGS = EgoFilterSettings()


def position(second: int, covariance: list[list[float]]) -> LocalPosition:
    stamp_ns = second * 1_000_000_000
    return LocalPosition(stamp_ns, stamp_ns, 'map', 5.0 * second, 0.0, np.array(covariance))


def velocity(second: int) -> VelocitySample:
    return VelocitySample(second * 1_000_000_000, second * 1_000_000_000, 5.0, 0.0, 0.0)


def test_poses_are_ordered_and_the_first_of_each_stamp_counts() -> None:
    truth = TruthRecorder(odometry=True)
    for second, x in ((2, 20.0), (1, 10.0), (2, 99.0)):
        truth.add_truth(OdometryPose(second * 1_000_000_000, x, 0.0, 0.0, 10.0, 0.0))
    found = truth.path(SETTINGS)
    assert found is not None
    source, path = found
    assert source == 'odometry'
    assert path.positions[:, 0].tolist() == [10.0, 20.0]


@pytest.mark.parametrize('along_travel', [True, False])
def test_headings_askew_are_told_and_turned_where_that_is_wanted(*, along_travel: bool) -> None:
    truth = TruthRecorder(odometry=True, along_travel=along_travel)
    assert truth.askew_rad() == 0.0
    for step in range(30):
        truth.add_truth(OdometryPose(step * 100_000_000, step * 1.0, 0.0, 0.02, 10.0, 0.0))
    assert truth.askew_rad() == pytest.approx(0.02)
    found = truth.path(SETTINGS)
    assert found is not None
    assert found[1].headings == pytest.approx(0.0 if along_travel else 0.02)


def test_what_the_smoother_would_refuse_is_left_out_and_counted() -> None:
    truth = TruthRecorder(odometry=False)
    for second in range(20):
        impossible = second == 7
        truth.add_sample(position(second, [[1, 2], [2, 1]] if impossible else [[1, 0], [0, 1]]))
        truth.add_sample(velocity(second))
    found = truth.path(SETTINGS)
    assert found is not None
    source, path = found
    assert source == 'smoothed recording'
    assert truth.unusable == 1
    assert path.positions[-1, 0] - path.positions[0, 0] == pytest.approx(95.0, abs=1.0)


@pytest.mark.parametrize('odometry', [True, False])
def test_nothing_to_make_a_path_of(*, odometry: bool) -> None:
    truth = TruthRecorder(odometry=odometry)
    truth.add_sample(velocity(1))
    assert truth.path(SETTINGS) is None
