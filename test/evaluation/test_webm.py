# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import features

from mm_fusion.errors import MmFusionError
from mm_fusion.evaluation import webm
from mm_fusion.evaluation.webm import WebmWriter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CLUSTER = bytes.fromhex('1F43B675')


def frame(index: int) -> NDArray[np.uint8]:
    """Make a green picture with a red bar that moves to the right."""
    picture = np.zeros((48, 96, 3), np.uint8)
    picture[:, :, 1] = 60
    picture[:, index : index + 20] = (200, 30, 30)
    return picture


def write(path: Path, frames: int, rate_hz: float = 15.0) -> Path:
    with WebmWriter(path, 96, 48, rate_hz) as video:
        for index in range(frames):
            video.add(frame(index))
    return path


@pytest.mark.parametrize('frames', [1, 5, 40, 45])
def test_every_frame_comes_back_at_its_time(tmp_path: Path, frames: int) -> None:
    capture = cv2.VideoCapture(str(write(tmp_path / 'video.webm', frames)))

    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == frames
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(15.0, rel=0.01)
    for index in range(frames):
        found, pixels = capture.read()
        assert found
        assert capture.get(cv2.CAP_PROP_POS_MSEC) == pytest.approx(index * 1000 / 15, abs=1)
        assert np.abs(pixels[:, :, ::-1].astype(int) - frame(index)).mean() < 12
    assert not capture.read()[0]


def test_a_frame_is_found_by_its_time(tmp_path: Path) -> None:
    capture = cv2.VideoCapture(str(write(tmp_path / 'video.webm', 60)))

    capture.set(cv2.CAP_PROP_POS_MSEC, 50 * 1000 / 15)
    _, pixels = capture.read()

    assert np.abs(pixels[:, :, ::-1].astype(int) - frame(50)).mean() < 12


def test_the_index_names_the_clusters(tmp_path: Path) -> None:
    data = write(tmp_path / 'video.webm', 45).read_bytes()
    segment = data.index(bytes.fromhex('18538067')) + 12
    clusters = [match.start() for match in re.finditer(re.escape(CLUSTER), data)]
    index = data[data.rindex(bytes.fromhex('1C53BB6B')) :]

    assert len(clusters) == 2
    for place in clusters:
        number = place - segment
        octets = number.to_bytes((number.bit_length() + 7) // 8, 'big')
        assert bytes([0xF1, 0x80 | len(octets)]) + octets in index


def test_no_frame_makes_no_video(tmp_path: Path) -> None:
    with (
        pytest.raises(MmFusionError, match='expected frames, found none'),
        WebmWriter(tmp_path / 'video.webm', 96, 48, 10.0),
    ):
        pass


def test_what_cannot_be_encoded_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, 'check', lambda name: False)

    assert not webm.can_write()
    with pytest.raises(MmFusionError, match='expected a Pillow with AVIF'):
        WebmWriter(tmp_path / 'video.webm', 96, 48, 10.0)
