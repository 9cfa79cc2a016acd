# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.evaluation.projection import FRAME_WIDTH, CameraModel, draw_frame
from mm_fusion.types.predictions import TrajectoryMode


def mode(positions: list[tuple[float, float]]) -> TrajectoryMode:
    points = np.array(positions)
    n = len(points)
    return TrajectoryMode(
        1.0,
        np.linspace(1.0, n, n, dtype=np.float64),
        points,
        np.zeros(n),
        np.broadcast_to(np.eye(2), (n, 2, 2)),
    )


def test_a_level_camera_of_ninety_degrees() -> None:
    camera = CameraModel(height_m=1.5, horizontal_fov_deg=90.0, pitch_deg=0.0)
    # Focal length is half the width: 10 m ahead, 1.5 m down is 0.15 of it below the middle.
    ground = np.array([[10.0, 0.0], [10.0, 10.0], [1e6, 0.0]])
    seen = camera.project(ground, 200, 100)
    assert seen == pytest.approx(np.array([[100, 65], [0, 65], [100, 50]]), abs=1e-3)


def test_a_camera_that_looks_down_sees_the_ground_it_points_at_in_the_middle() -> None:
    camera = CameraModel(height_m=2.0, pitch_deg=45.0)
    assert camera.project(np.array([[2.0, 0.0]]), 200, 100) == pytest.approx(
        np.array([[100.0, 50.0]])
    )


def test_what_is_behind_has_no_place() -> None:
    assert np.isnan(CameraModel().project(np.array([[-5.0, 0.0]]), 200, 100)).all()


def test_a_path_ahead_changes_the_road_and_not_the_sky() -> None:
    image = np.full((480, 848, 3), 90, np.uint8)
    drawn = draw_frame(image, mode([(5.0, 0.0), (10.0, 0.0)]), CameraModel())
    assert drawn.shape == (362, FRAME_WIDTH, 3)
    assert (drawn[:170] == 90).all()
    assert (drawn[200:, 300:340] != 90).any()


@pytest.mark.parametrize('positions', [[(-5.0, 0.0)], [(0.0, 0.0)], [(1e9, -1e9), (3.0, 0.0)]])
def test_paths_that_are_hard_to_draw_do_no_harm(positions: list[tuple[float, float]]) -> None:
    image = np.zeros((10, 20, 3), np.uint8)
    assert draw_frame(image, mode(positions), CameraModel()).shape == (10, 20, 3)


def test_no_path_leaves_the_frame() -> None:
    image = np.full((10, 20, 3), 7, np.uint8)
    assert (draw_frame(image, None, CameraModel()) == 7).all()
