# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.evaluation.scoring import PredictedPath, SampleGrid, predicted_path, score_drive
from mm_fusion.geometry.reference import ReferencePath
from mm_fusion.metrics.trajectory import STEPS_S
from mm_fusion.types.predictions import EgoMotion, TrajectoryMode, TrajectoryPrediction
from mm_fusion.types.sensors import VelocitySample

SECOND_NS = 1_000_000_000


def straight(speed: float, duration_s: int = 20) -> tuple[ReferencePath, list[VelocitySample]]:
    times = np.linspace(0.0, duration_s, duration_s * 10 + 1)
    stamps = np.rint(times * 1e9).astype(np.int64)
    path = ReferencePath(
        stamps_ns=stamps,
        positions=np.column_stack((times * speed, np.zeros_like(times))),
        headings=np.zeros_like(times),
        speeds=np.full_like(times, speed),
    )
    return path, [VelocitySample(int(s), int(s), speed, 0.0, 0.0) for s in stamps]


def ahead(second: float, speed: float, modes: int = 1) -> PredictedPath:
    path = np.column_stack((STEPS_S * speed, np.zeros(12)))
    return PredictedPath(
        stamp_ns=round(second * SECOND_NS),
        positions=np.stack([path] * modes),
        covariances=np.broadcast_to(np.eye(2), (12, 2, 2)),
    )


@pytest.mark.parametrize(('speed', 'count'), [(0.9, 0), (1.1, 1)])
def test_only_what_moves_is_scored(speed: float, count: int) -> None:
    truth, velocities = straight(speed)
    scores, drive = score_drive([ahead(5, speed)], truth, velocities, 0)
    assert scores['mm_fusion']['all'].count == count
    assert (drive is not None) is bool(count)


@pytest.mark.parametrize(
    ('second', 'count'), [(1.9, 0), (2.0, 1), (14.0, 1), (14.1, 0), (-3.0, 0), (30.0, 0)]
)
def test_the_truth_covers_two_seconds_before_and_six_after(second: float, count: int) -> None:
    truth, velocities = straight(5.0)
    scores, _ = score_drive([ahead(second, 5.0)], truth, velocities, 0)
    assert scores['cv']['all'].count == count


def test_all_predictors_are_scored_on_the_same_samples() -> None:
    truth, velocities = straight(5.0)
    silent = [sample for sample in velocities if sample.stamp_ns < 4 * SECOND_NS]
    scores, _ = score_drive([ahead(3, 5.0), ahead(10, 5.0)], truth, silent, 0)
    assert {scores[model]['all'].count for model in scores} == {1}


def test_predictions_of_different_numbers_of_modes_go_together() -> None:
    truth, velocities = straight(5.0)
    predictions = [ahead(3, 5.0), ahead(4, 6.0, modes=3), ahead(5, 5.0)]
    scores, drive = score_drive(predictions, truth, velocities, SECOND_NS)
    own = scores['mm_fusion']['all']
    assert own.count == 3
    assert own.ade_m is not None
    assert own.ade_m[-1] == pytest.approx(3.25 / 3)  # 1 m/s too fast in one of three
    assert drive is not None
    assert drive.moments['Worst'].time_s == 3.0
    assert drive.moments['Worst'].ade_m == pytest.approx(3.25)
    assert drive.moments['Typical'].ade_m == pytest.approx(0.0, abs=1e-9)
    assert drive.places[:, 0] == pytest.approx([15.0, 20.0, 25.0])


def test_the_grid_takes_the_first_output_of_each_half_second() -> None:
    grid = SampleGrid()
    taken = [time_ms for time_ms in range(0, 2000, 130) if grid.takes(time_ms * 1_000_000)]
    assert taken == [0, 520, 1040, 1560]


def test_steps_are_found_among_finer_ones() -> None:
    times = np.linspace(0.25, 7.0, 28, dtype=np.float64)
    positions = np.column_stack((times, np.zeros(28)))
    covariances = np.broadcast_to(np.eye(2), (28, 2, 2))
    mode = TrajectoryMode(1.0, times, positions, np.zeros(28), covariances)
    prediction = TrajectoryPrediction((mode,), 'ego_filter', EgoMotion(1.0, 0.0, 0.0))
    assert predicted_path(0, prediction).positions[0, :, 0] == pytest.approx(STEPS_S)
