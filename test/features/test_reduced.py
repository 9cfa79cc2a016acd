# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the shipped bundle makes of photographs that are decoded or scaled at a reduced size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mm_fusion.evaluation.labelled import Judge
from mm_fusion.features.images import decode, network_image
from mm_fusion.labels import read_photograph
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import Settings
from mm_fusion.types.sensors import CompressedImage, RawImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.types.sensors import ImageSample

pytestmark = pytest.mark.realdata

COUNT = 480
TASKS = ('friction', 'material', 'unevenness')
ALLOWED_SHARE = 0.01


def as_sent(pixels: NDArray[np.uint8], encoding: str) -> ImageSample:
    if encoding == 'bgr8':
        return RawImage(1, 1, 'camera', 'bgr8', pixels)
    payload = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return CompressedImage(1, 1, 'camera', 'jpeg', payload.ravel())


@pytest.mark.parametrize('encoding', ['jpeg', 'bgr8'])
def test_predictions_are_those_of_the_whole_photograph(encoding: str) -> None:
    folder = Path(os.environ['MM_FUSION_REAL_DATA'], 'roads', 'images')
    paths = sorted(path for path in folder.rglob('*') if path.is_file())
    bundle = Bundle.load('base')
    judge = Judge(bundle, create_backend(bundle, Settings().inference))
    changed = 0
    for path in paths[:: len(paths) // COUNT][:COUNT]:
        # As a camera of 1280x720 would have sent it.
        photograph = decode(read_photograph(path))
        enlarged = cv2.resize(photograph, (1280, 720), interpolation=cv2.INTER_CUBIC)
        pixels = np.asarray(enlarged, np.uint8)
        sample = as_sent(pixels, encoding)
        if isinstance(sample, CompressedImage):
            pixels = decode(sample)
        scaled = cv2.resize(pixels, (224, 224), interpolation=cv2.INTER_AREA)
        whole = np.ascontiguousarray(scaled[:, :, ::-1], np.uint8)
        reduced = network_image(sample, 224, 224)
        assert not np.array_equal(whole, reduced), 'nothing was reduced'
        one = judge.posterior(whole[np.newaxis], None)
        other = judge.posterior(reduced[np.newaxis], None)
        changed += sum(getattr(one, t).argmax() != getattr(other, t).argmax() for t in TASKS)
    assert changed <= ALLOWED_SHARE * COUNT * len(TASKS)
