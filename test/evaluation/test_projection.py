# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mm_fusion.evaluation.camera import recorded_camera
from mm_fusion.evaluation.projection import FRAME_WIDTH, draw_frame
from mm_fusion.types.predictions import TrajectoryMode

LEVEL = recorded_camera(Path(), None)


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


def test_a_path_ahead_changes_the_road_and_not_the_sky() -> None:
    image = np.full((480, 848, 3), 90, np.uint8)
    drawn = draw_frame(image, mode([(5.0, 0.0), (10.0, 0.0)]), LEVEL)
    assert drawn.shape == (362, FRAME_WIDTH, 3)
    assert (drawn[:170] == 90).all()
    assert (drawn[200:, 300:340] != 90).any()


@pytest.mark.parametrize('positions', [[(-5.0, 0.0)], [(0.0, 0.0)], [(1e9, -1e9), (3.0, 0.0)]])
def test_paths_that_are_hard_to_draw_do_no_harm(positions: list[tuple[float, float]]) -> None:
    image = np.zeros((10, 20, 3), np.uint8)
    assert draw_frame(image, mode(positions), LEVEL).shape == (10, 20, 3)


def test_no_path_leaves_the_frame() -> None:
    image = np.full((10, 20, 3), 7, np.uint8)
    assert (draw_frame(image, None, LEVEL) == 7).all()
