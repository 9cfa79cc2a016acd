# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How much of its scene an image shows: cheap statistics against covered, dark and bright ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 112
"""A larger image is judged at this size: what a compression adds to a flat one is averaged out."""

DETAIL = (0.6, 2.5)
"""Mean gradient, grey levels a pixel: nothing can be seen below the first, and enough from the
second on. A covered or fogged lens leaves none."""

CONTRAST = (3.0, 12.0)
"""Standard deviation of the grey levels: the same."""

DARKNESS = (6.0, 30.0)
"""Grey level that the brightest twentieth of the pixels exceeds: the same. Lamps at night do."""

CLIPPED = (0.98, 0.6)
"""Share of pixels that are all white or all black: the same, the other way round."""

_BLACK, _WHITE = 4, 250


def image_quality(image: NDArray[np.uint8]) -> float:
    """Judge an image, as the worst of detail, contrast, brightness and exposure.

    Args:
        image: uint8 (height, width, 3), RGB, of the size that the network takes.

    Returns:
        From 0, where nothing can be seen, to 1. Each statistic counts in proportion between its
        two bounds, chosen on photographs of roads and on images made dark, bright and covered.
    """
    small = image
    if min(image.shape[:2]) > SIDE:
        small = np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    across = cv2.mean(cv2.absdiff(grey[:, 1:], grey[:, :-1]))[0]
    down = cv2.mean(cv2.absdiff(grey[1:], grey[:-1]))[0]
    _, deviation = cv2.meanStdDev(grey)
    shares = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256])) / grey.size
    clipped = float(shares[_BLACK] + 1.0 - shares[_WHITE - 1])
    return min(
        _between((across + down) / 2, *DETAIL),
        _between(float(deviation[0, 0]), *CONTRAST),
        _between(float(np.searchsorted(shares, 0.95)), *DARKNESS),
        _between(clipped, *CLIPPED),
    )


def _between(value: float, none: float, enough: float) -> float:
    return min(1.0, max(0.0, (value - none) / (enough - none)))
