# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The camera projects as REP-103 and the pinhole model say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.camera import PinholeCamera
from mm_fusion.simulation.scenario import CameraSettings

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


@given(st.integers(64, 2000), st.floats(20.0, 130.0))
def test_the_angle_of_view_spans_the_image(width: int, degrees: float) -> None:
    settings = CameraSettings(width=width, horizontal_fov_deg=degrees, pitch_down_deg=0.0)
    camera = PinholeCamera.from_settings(settings)
    edge = np.tan(np.radians(degrees) / 2)
    points = np.array([[1.0, edge, 0.0], [1.0, -edge, 0.0]]) + camera.position

    pixels, _ = camera.project(points)

    assert pixels[:, 0] == pytest.approx([-0.5, width - 0.5], abs=1e-6)


def test_the_camera_is_mounted_as_the_settings_say() -> None:
    settings = CameraSettings(forward_m=2.0, up_m=1.2, pitch_down_deg=10.0)
    camera = PinholeCamera.from_settings(settings)
    axis = camera.position + (np.cos(np.radians(10)), 0.0, -np.sin(np.radians(10)))

    pixels, depths = camera.project(axis[None])

    assert camera.position.tolist() == [2.0, 0.0, 1.2]
    assert pixels[0] == pytest.approx([(settings.width - 1) / 2, (settings.height - 1) / 2])
    assert depths[0] == pytest.approx(1.0)
