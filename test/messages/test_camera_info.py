# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mm_fusion.errors import SampleError
from mm_fusion.messages import CameraIntrinsics, camera_model_from_info
from mm_fusion.types.sensors import DropReason
from support.recordings import STAMP_NS, camera_info, header, number

if TYPE_CHECKING:
    from collections.abc import Callable

    Received = Callable[[Any], Any]


def carla_of_degrees_for_radians(width: int, fov_deg: float) -> float:
    """Give the focal length of CARLA's native interface before its correction."""
    return width / (2.0 * math.tan(fov_deg) * math.pi / 360.0)


def test_a_good_matrix_is_kept(received: Received) -> None:
    msg = received(camera_info(640, 360, 420.0, centre=(310.5, 185.0)))

    assert camera_model_from_info(msg, 90.0) == CameraIntrinsics(
        STAMP_NS, 'camera', 640, 360, 420.0, 420.0, 310.5, 185.0
    )


def test_the_older_name_of_the_matrix_is_read() -> None:
    matrix = [400.0, 0, 320, 0, 300.0, 240, 0, 0, 1]
    msg = SimpleNamespace(header=header(), width=640, height=480, K=matrix)

    found = camera_model_from_info(msg)

    assert (found.fx_px, found.fy_px) == (400.0, 300.0)


@pytest.mark.parametrize(
    ('msg', 'named'),
    [
        (camera_info(800, 600, carla_of_degrees_for_radians(800, 90.0)), 'positive'),
        (camera_info(1616, 1240, carla_of_degrees_for_radians(1616, 60.0)), 'field of view'),
        (camera_info(640, 480, 1e-9), 'field of view'),
        (camera_info(640, 480, 0.0), 'positive'),
        (camera_info(640, 480, math.nan), 'finite'),
        (camera_info(640, 480, 277.0, centre=(160.0, 120.0)), 'middle of 640 x 480'),
        (camera_info(640, 480, 400.0, centre=(320.0, 479.0)), 'middle of 640 x 480'),
        (camera_info(640, 480, 400.0, centre=(160.0, 240.0)), 'middle of 640 x 480'),
    ],
)
def test_a_matrix_that_cannot_be_true_is_replaced_or_refused(
    received: Received, msg: Any, named: str
) -> None:
    found = camera_model_from_info(received(msg), 90.0)

    assert found.fx_px == pytest.approx(msg.width / 2)
    assert (found.fy_px, found.cx_px, found.cy_px) == (
        found.fx_px,
        (msg.width - 1) / 2,
        (msg.height - 1) / 2,
    )
    assert found.horizontal_fov_deg == pytest.approx(90.0)
    assert named in found.problem
    assert 'taken from a field of view of 90 deg' in found.problem

    with pytest.raises(SampleError, match=r'set camera\.horizontal_fov_deg') as caught:
        camera_model_from_info(received(msg))
    assert caught.value.reason is DropReason.MALFORMED


@given(width=st.integers(16, 8000), fov_deg=st.floats(10.1, 169.9), shift=st.floats(-0.16, 0.16))
def test_every_plausible_camera_is_kept(width: int, fov_deg: float, shift: float) -> None:
    focal_px = width / 2 / math.tan(math.radians(fov_deg) / 2)
    msg = camera_info(width, width, focal_px, centre=(width * (0.5 + shift) - 0.5, width / 2))
    left, right = (math.atan((0.5 + sign * shift) * width / focal_px) for sign in (1, -1))
    assume(10 <= math.degrees(left + right) <= 170)

    found = camera_model_from_info(msg)

    assert found.problem == ''
    assert found.horizontal_fov_deg == pytest.approx(math.degrees(left + right))


@pytest.mark.parametrize(
    ('msg', 'reason'),
    [
        (camera_info(0, 360, 400.0), DropReason.MALFORMED),
        (camera_info(640, 360, 400.0, stamp_ns=0), DropReason.ZERO_STAMP),
        (SimpleNamespace(header=header(), width=64, height=48, k=np.ones(8)),
         DropReason.MALFORMED),
        (number(1.0), DropReason.UNSUPPORTED),
    ],
)  # fmt: skip
def test_what_is_no_camera_info_is_refused_by_its_reason(msg: Any, reason: DropReason) -> None:
    with pytest.raises(SampleError) as caught:
        camera_model_from_info(msg, 90.0)
    assert caught.value.reason is reason
