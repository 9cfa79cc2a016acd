# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Statistics of labelled images, for comparing rendered frames with photographs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mm_fusion.labels import SURFACE_CLASSES, read_road_labels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLUMNS = ('luminance', 'contrast', 'road', 'saturation', 'gradient', 'slope')
"""Mean and deviation of the luma; mean of the luma of the lower third's middle; mean saturation
(HSV); mean gradient of the luma per pixel; slope of the power spectrum over spatial frequency,
in log-log. Lumas and saturation in [0, 1]."""

_PIXELS = 250


def statistics_of(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Give the statistics of a BGR image's middle square, float64 (6,)."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = cv2.resize(
        image[top : top + side, left : left + side],
        (_PIXELS, _PIXELS),
        interpolation=cv2.INTER_AREA,
    )
    luma = np.asarray(cv2.cvtColor(square, cv2.COLOR_BGR2GRAY), np.float64) / 255
    saturation = np.asarray(cv2.cvtColor(square, cv2.COLOR_BGR2HSV))[..., 1].mean() / 255
    rise = np.hypot(np.diff(luma, axis=0)[:, 1:], np.diff(luma, axis=1)[1:])
    third = _PIXELS // 3
    road = luma[-third:, third:-third].mean()
    return np.array([luma.mean(), luma.std(), road, saturation, rise.mean(), _slope(luma)])


def read_statistics(folder: Path) -> tuple[list[tuple[str, ...]], NDArray[np.float64]]:
    """Give the labels of the images of a folder, and their statistics, float64 (n, 6)."""
    labels = read_road_labels(folder)
    names: list[tuple[str, ...]] = []
    rows = []
    for index, file in enumerate(labels.files):
        image = cv2.imread(str(folder / file))
        if image is None:
            continue
        chosen = {task: int(labels.targets[task][index]) for task in SURFACE_CLASSES}
        names.append(tuple(SURFACE_CLASSES[task][at] for task, at in chosen.items() if at >= 0))
        rows.append(statistics_of(np.asarray(image, np.uint8)))
    return names, np.array(rows)


def _slope(luma: NDArray[np.float64]) -> float:
    window = np.hanning(_PIXELS)
    power = np.abs(np.fft.rfft2((luma - luma.mean()) * np.outer(window, window))) ** 2
    rows = np.fft.fftfreq(_PIXELS)[:, None]
    frequency = np.hypot(rows, np.fft.rfftfreq(_PIXELS)[None])
    bands = np.geomspace(0.02, 0.4, 13)
    middle = np.sqrt(bands[:-1] * bands[1:])
    mean = [
        power[(frequency >= low) & (frequency < high)].mean()
        for low, high in itertools.pairwise(bands)
    ]
    return float(np.polyfit(np.log(middle), np.log(np.array(mean) + 1e-12), 1)[0])
