# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from mm_fusion.recordings.image_motion import ImageMotion
from mm_fusion.types.sensors import CompressedImage, RawImage

MS = 1_000_000
WIDTH = 320
SCENE = np.asarray(
    cv2.GaussianBlur(
        np.random.default_rng(3).integers(0, 256, (180, 800, 3), np.uint8), (0, 0), 4.0
    ),
    np.uint8,
)


def view(index: int, stamp_ns: int, *, jpeg: bool = False) -> RawImage | CompressedImage:
    """Look at the scene, further to the left with each frame: the image moves right by 8 px."""
    pixels = np.ascontiguousarray(SCENE[:, 400 - 8 * index : 400 - 8 * index + WIDTH])
    if not jpeg:
        return RawImage(stamp_ns, stamp_ns, 'camera', 'rgb8', pixels)
    payload = cv2.imencode('.jpg', pixels)[1].ravel()
    return CompressedImage(stamp_ns, stamp_ns, 'camera', 'jpeg', payload)


@pytest.mark.parametrize('jpeg', [False, True])
def test_the_shift_to_the_right_is_measured_in_widths_a_second(jpeg: bool) -> None:
    motion = ImageMotion()
    for index in range(6):
        motion.add(view(index, index * 100 * MS, jpeg=jpeg))
    begins_ns, ends_ns, speeds = motion.shifts()
    assert begins_ns.tolist() == [index * 100 * MS for index in range(5)]
    assert (ends_ns - begins_ns == 100 * MS).all()
    np.testing.assert_allclose(speeds, 8 / WIDTH / 0.1, rtol=0.1)


def test_frames_far_apart_and_frames_that_cannot_be_decoded_are_passed_over() -> None:
    motion = ImageMotion()
    motion.add(view(0, 0))
    motion.add(view(1, 900 * MS))
    broken = np.frombuffer(b'\xff\xd8\xff\x00garbage', np.uint8)
    motion.add(CompressedImage(950 * MS, 950 * MS, 'camera', 'jpeg', broken))
    motion.add(view(2, 1000 * MS))
    begins_ns, ends_ns, _ = motion.shifts()
    assert begins_ns.tolist() == [900 * MS]
    assert ends_ns.tolist() == [1000 * MS]


def test_without_frames_there_is_nothing() -> None:
    assert [part.size for part in ImageMotion().shifts()] == [0, 0, 0]
