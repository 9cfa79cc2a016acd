# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.drawing.ground_camera import NO_OPTIONS, ground_camera
from mm_fusion.drawing.overlay import VIEW_HEIGHT, VIEW_WIDTH
from mm_fusion.drawing.palette import BAD, GOOD, WARN
from mm_fusion.ros.debug_image import DebugImage, to_image
from mm_fusion.ros.health import Level
from mm_fusion.types.sensors import RawImage
from support.views import STAMP_NS, output, road, two_paths

if TYPE_CHECKING:
    from mm_fusion.types.predictions import FusionOutput
    from mm_fusion.types.sensors import ImageSample

pytestmark = pytest.mark.ros

CAMERA = ground_camera(NO_OPTIONS, None, '', None, '')
GREY = RawImage(STAMP_NS, STAMP_NS, 'lens', 'rgb8', np.full((90, 160, 3), 90, np.uint8))


def health(level: Level, reason: str = '') -> Any:
    engine = SimpleNamespace(backend=SimpleNamespace(name='onnxruntime-cpu'))
    return SimpleNamespace(level=level, reason=reason, engine=engine)


def drawn(shown: FusionOutput, frame: ImageSample | None = GREY, status: Any = None) -> Any:
    return DebugImage('mm_fusion').draw(shown, frame, CAMERA, status).astype(int)


def test_the_path_lies_on_the_road_of_the_camera_frame() -> None:
    without = drawn(output(road()))[:VIEW_HEIGHT, :VIEW_WIDTH]
    with_path = drawn(output(road(), two_paths()))[:VIEW_HEIGHT, :VIEW_WIDTH]

    assert (without[100, 352] == 90).all()
    changed = np.abs(with_path - without).max(axis=2) > 8
    assert changed[260:380, 352].all(), 'straight ahead, below the horizon'
    assert not changed[60:190].any(), 'the sky'
    ahead = with_path[330, 352]
    assert ahead[2] > ahead[0] + 40, 'the ribbon is blue'


def test_what_is_said_of_the_road_and_the_sensors_stands_beside_it() -> None:
    panel = np.s_[:, VIEW_WIDTH + 2 :]
    assert (drawn(output(road()))[panel] != drawn(output())[panel]).any()


@pytest.mark.parametrize(
    ('level', 'tone'),
    [(Level.FULL, GOOD), (Level.REDUCED, WARN), (Level.MOTION_ONLY, WARN), (Level.NONE, BAD)],
)
def test_the_level_has_its_colour(level: Level, tone: tuple[int, int, int]) -> None:
    picture = drawn(output(road()), status=health(level, 'camera silent for 1.5 s'))
    assert (picture[VIEW_HEIGHT:, :40] == tone).all(axis=2).any()


def test_the_parts_of_the_latency_are_drawn_in_their_proportion() -> None:
    picture = drawn(output(road()), status=health(Level.FULL))
    bar = picture[478, 16:544]
    first = (bar == bar[0]).all(axis=1).sum()
    assert first == pytest.approx(528 * 20 / 24, abs=2)


def test_without_a_camera_frame_there_is_still_a_picture() -> None:
    picture = drawn(output(road(), two_paths()), frame=None)
    assert picture.shape == (540, 960, 3)
    assert len(np.unique(picture[150:250, 250:450].reshape(-1, 3), axis=0)) > 2, 'no camera'


def test_the_message_holds_the_pixels() -> None:
    pixels = DebugImage('mm_fusion').draw(output(road()), GREY, CAMERA, None)
    image = to_image(pixels, STAMP_NS, 'lens')
    assert (image.header.frame_id, image.header.stamp.nanosec) == ('lens', 250_000_000)
    assert (image.width, image.height, image.encoding, image.step) == (960, 540, 'rgb8', 2880)
    assert np.array_equal(np.frombuffer(image.data, np.uint8).reshape(540, 960, 3), pixels)
