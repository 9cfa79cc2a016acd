# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.bags import BagWriter
from mm_fusion.drawing.ground_camera import CameraOptions
from mm_fusion.evaluation.camera import recorded_camera
from mm_fusion.settings import CameraSettings
from mm_fusion.simulation.camera import PinholeCamera
from support import recordings

if TYPE_CHECKING:
    from pathlib import Path

T = recordings.TYPES
CAMERA = PinholeCamera(640, 360, 410.0, forward_m=1.6, up_m=1.4, pitch_down_rad=0.1)
GROUND = np.array([[8.0, 0.0], [20.0, -3.0], [40.0, 2.0]])
IMAGE = '/front/image/compressed'


def camera_info(camera: PinholeCamera = CAMERA, frame_id: str = 'camera_optical') -> Any:
    return T['sensor_msgs/msg/CameraInfo'](
        header=recordings.header(frame_id=frame_id),
        height=camera.height,
        width=camera.width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=camera.intrinsics.ravel(),
        r=np.eye(3).ravel(),
        p=np.zeros(12),
        binning_x=0,
        binning_y=0,
        roi=T['sensor_msgs/msg/RegionOfInterest'](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        ),
    )


def transform(
    parent: str, child: str, place: tuple[float, float, float], roll: float, yaw: float
) -> Any:
    """Turn about x by roll, then about z by yaw."""
    half_roll, half_yaw = roll / 2, yaw / 2
    return T['geometry_msgs/msg/TransformStamped'](
        header=recordings.header(frame_id=parent),
        child_frame_id=child,
        transform=T['geometry_msgs/msg/Transform'](
            translation=T['geometry_msgs/msg/Vector3'](*place),
            rotation=T['geometry_msgs/msg/Quaternion'](
                x=math.sin(half_roll) * math.cos(half_yaw),
                y=math.sin(half_roll) * math.sin(half_yaw),
                z=math.cos(half_roll) * math.sin(half_yaw),
                w=math.cos(half_roll) * math.cos(half_yaw),
            ),
        ),
    )


def mounting(camera: PinholeCamera = CAMERA) -> list[Any]:
    """Mount the camera through a second frame, turned to the left, as vehicles do."""
    turn = math.pi / 2
    return [
        transform('base_link', 'roof', (camera.forward_m - 0.5, 0.0, 1.0), 0.0, turn),
        transform(
            'roof', 'camera_optical', (0.0, -0.5, camera.up_m - 1.0),
            -turn - camera.pitch_down_rad, -2 * turn,
        ),
    ]  # fmt: skip


def write(path: Path, info: Any = None, transforms: list[Any] | None = None) -> Path:
    with BagWriter(path) as bag:
        bag.write(IMAGE, recordings.compressed(recordings.encoded()), recordings.STAMP_NS)
        if info is not None:
            bag.write('/front/camera_info', info, recordings.STAMP_NS)
            bag.write('/rear/camera_info', camera_info(frame_id='rear'), recordings.STAMP_NS)
        if transforms is not None:
            message = T['tf2_msgs/msg/TFMessage'](transforms=transforms)
            bag.write('/tf_static', message, recordings.STAMP_NS)
    return path


def expected(camera: PinholeCamera = CAMERA, scale: float = 1.0) -> Any:
    """Place of the ground in an image of another size, from its corner, not its first pixel."""
    pixels, _ = camera.project(np.column_stack([GROUND, np.zeros(len(GROUND))]))
    return pytest.approx((pixels + 0.5) * scale, abs=1e-6)


@pytest.mark.parametrize('scale', [1.0, 1.5])
def test_the_ground_is_seen_where_the_camera_of_the_recording_sees_it(
    tmp_path: Path, scale: float
) -> None:
    view = recorded_camera(write(tmp_path / 'bag', camera_info(), mounting()), IMAGE)

    assert view.project(GROUND, round(640 * scale), round(360 * scale)) == expected(scale=scale)
    assert view.note == (
        'height 1.4 m (/tf_static), pitch 5.7° (/tf_static), field of view 75.9° '
        '(/front/camera_info)'
    )


def test_what_the_user_says_goes_before_the_recording(tmp_path: Path) -> None:
    path = write(tmp_path / 'bag', camera_info(), mounting())

    view = recorded_camera(path, IMAGE, CameraOptions(pitch_deg=2.0))

    other = PinholeCamera(640, 360, 410.0, 1.6, 1.4, math.radians(2.0))
    assert view.project(GROUND, 640, 360) == expected(other)
    assert 'pitch 2° (given)' in view.note
    wide = recorded_camera(path, IMAGE, CameraOptions(2.0, 90.0, 0.0))
    assert wide.project(np.array([[1.6 + 10.0, 10.0]]), 200, 100) == pytest.approx(
        np.array([[0.0, 70.0]])
    )


def test_what_is_not_recorded_is_assumed(tmp_path: Path) -> None:
    nothing = recorded_camera(write(tmp_path / 'bag'), IMAGE)
    assert nothing.note == (
        'height 1.5 m (assumed), pitch 0° (assumed), field of view 90° (assumed)'
    )
    # Focal length is half the width: 10 m ahead, 1.5 m down is 0.15 of it below the middle.
    ground = np.array([[10.0, 0.0], [10.0, 10.0], [1e6, 0.0], [-5.0, 0.0]])
    assert nothing.project(ground, 200, 100) == pytest.approx(
        np.array([[100, 65], [0, 65], [100, 50], [np.nan, np.nan]]), abs=1e-3, nan_ok=True
    )

    assert recorded_camera(tmp_path / 'bag', None).note == nothing.note


@pytest.mark.parametrize(
    'transforms',
    [
        [transform('roof', 'camera_optical', (0.0, 0.0, 1.0), 0.0, 0.0)],
        [transform('base_link', 'camera_optical', (0.0, 0.0, 1.0), 0.0, 0.0)],
        [transform('camera_optical', 'camera_optical', (0.0, 0.0, 1.0), 0.0, 0.0)],
    ],
    ids=['not to base_link', 'looks up', 'ring'],
)
def test_a_mounting_that_cannot_be_is_assumed(tmp_path: Path, transforms: list[Any]) -> None:
    view = recorded_camera(write(tmp_path / 'bag', camera_info(), transforms), IMAGE)

    assert 'height 1.5 m (assumed)' in view.note
    assert 'field of view 75.9° (/front/camera_info)' in view.note


def test_intrinsics_that_cannot_be_true_are_assumed(tmp_path: Path) -> None:
    wrong = PinholeCamera(640, 360, 3.0)
    view = recorded_camera(write(tmp_path / 'bag', camera_info(wrong), mounting()), IMAGE)

    assert 'field of view 90° (assumed)' in view.note


def test_intrinsics_that_cannot_be_true_are_replaced_by_the_settings(tmp_path: Path) -> None:
    path = write(tmp_path / 'bag', camera_info(PinholeCamera(640, 360, 3.0)), mounting())
    view = recorded_camera(path, IMAGE, settings=CameraSettings(horizontal_fov_deg=60.0))

    assert view.focal[0] == pytest.approx(0.5 / math.tan(math.radians(30.0)))
    assert 'field of view 60° (settings, since /front/camera_info cannot be true)' in view.note
