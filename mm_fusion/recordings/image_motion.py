# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How fast the image moves sideward: what a camera sees of the vehicle's yaw rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mm_fusion.types.sensors import CompressedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.types.sensors import ImageSample

_WIDTH = 160
"""Frames are made this small: it is their motion as a whole that counts."""

_LONGEST_S = 0.5
"""Two frames further apart show different things."""

_MIN_RESPONSE = 0.05
"""Below this the phase correlation has found nothing."""


class ImageMotion:
    """Measure the shift from each frame to the next by phase correlation.

    Kuglin and Hines, 1975, "The phase correlation image alignment method". A turn to the left
    moves the image to the right.
    """

    def __init__(self) -> None:
        self._before: tuple[int, NDArray[np.float32]] | None = None
        self._window: NDArray[Any] | None = None
        self._rows: list[tuple[int, int, float]] = []

    def add(self, sample: ImageSample) -> None:
        """Take the next frame; one that cannot be decoded is passed over."""
        picture = _small(sample)
        if picture is None:
            return
        before, self._before = self._before, (sample.stamp_ns, picture)
        if before is None or before[1].shape != picture.shape:
            self._window = cv2.createHanningWindow(picture.shape[::-1], cv2.CV_32F)
            return
        if not 0 < sample.stamp_ns - before[0] <= _LONGEST_S * 1e9:
            return
        (right, _), response = cv2.phaseCorrelate(before[1], picture, self._window)
        if response >= _MIN_RESPONSE:
            seconds = (sample.stamp_ns - before[0]) / 1e9
            share = right / picture.shape[1]
            self._rows.append((before[0], sample.stamp_ns, share / seconds))

    def shifts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Give begin and end (n,), ns, and the motion to the right (n,), widths a second."""
        begins, ends, speeds = zip(*self._rows) if self._rows else ((), (), ())
        return np.array(begins, np.int64), np.array(ends, np.int64), np.array(speeds, np.float64)


def _small(sample: ImageSample) -> NDArray[np.float32] | None:
    if isinstance(sample, CompressedImage):
        try:
            grey = cv2.imdecode(sample.payload, cv2.IMREAD_REDUCED_GRAYSCALE_2)
        except cv2.error:
            return None
        if grey is None:
            return None
    else:
        grey = sample.pixels.mean(axis=2).astype(np.uint8)
    height = max(2, round(grey.shape[0] * _WIDTH / grey.shape[1]))
    small = cv2.resize(grey, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)
