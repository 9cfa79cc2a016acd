# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The camera projects as REP-103 and the pinhole model say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.camera import PinholeCamera

LEVEL = PinholeCamera(pitch_down_rad=0.0)


def test_the_axis_meets_the_centre_of_the_image() -> None:
    pixels, depths = LEVEL.project(np.array([[LEVEL.forward_m + 10, 0.0, LEVEL.up_m]]))

    assert pixels[0] == pytest.approx([319.5, 179.5])
    assert depths[0] == pytest.approx(10.0)


def test_left_is_left_and_up_is_up() -> None:
    ahead = LEVEL.forward_m + 10
    points = np.array([[ahead, 1.0, LEVEL.up_m], [ahead, 0.0, LEVEL.up_m + 1]])

    pixels, _ = LEVEL.project(points)

    assert pixels[0] == pytest.approx([319.5 - LEVEL.focal_px / 10, 179.5])
    assert pixels[1] == pytest.approx([319.5, 179.5 - LEVEL.focal_px / 10])


def test_the_rotation_is_one() -> None:
    rotation = PinholeCamera().rotation

    assert rotation @ rotation.T == pytest.approx(np.eye(3))
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_the_ground_vanishes_at_the_horizon() -> None:
    camera = PinholeCamera()

    pixels, _ = camera.project(np.array([[1e7, 0.0, 0.0]]))

    assert pixels[0, 1] == pytest.approx(camera.horizon_row, abs=1e-3)


@given(st.floats(3.0, 200.0), st.floats(-20.0, 20.0))
def test_the_homography_of_the_ground_agrees_with_the_projection(x: float, y: float) -> None:
    camera = PinholeCamera()

    pixels, _ = camera.project(np.array([[x, y, 0.0]]))
    u, v, w = camera.ground_homography() @ np.array([x, y, 1.0])

    assert pixels[0] == pytest.approx([u / w, v / w], abs=1e-6)
