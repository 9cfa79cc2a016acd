# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Text and shapes on pixels."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mm_fusion.drawing.palette import INK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.drawing.palette import Colour

Anchor: TypeAlias = Literal['left', 'middle', 'right']

_SUBPIXEL_BITS = 4
_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


class Canvas:
    """Pixels to draw on.

    Args:
        pixels: uint8 (height, width, 3), RGB; drawn on in place.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def fill(
        self, x: float, y: float, width: float, height: float, tone: Colour, alpha: float = 1.0
    ) -> None:
        """Fill a rectangle."""
        left, top = max(round(x), 0), max(round(y), 0)
        part = self.pixels[top : max(round(y + height), 0), left : max(round(x + width), 0)]
        part[:] = _mixed(part, tone, alpha) if alpha < 1 else tone

    def pill(
        self, x: float, y: float, width: float, height: float, tone: Colour, radius: float = 99.0
    ) -> None:
        """Fill a rectangle with round corners."""
        radius = min(radius, height / 2, width / 2)
        if radius < 1:
            self.fill(x, y, width, height, tone)
            return
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        points = []
        for index, (corner_x, corner_y) in enumerate(corners):
            centre = (
                corner_x + (radius if index in (0, 3) else -radius),
                corner_y + (radius if index in (0, 1) else -radius),
            )
            angles = np.radians(np.linspace(180, 270, 9) + 90 * index)
            points.append(np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + centre)
        self.polygon(np.vstack(points) - 0.5, tone)

    def polygon(self, points: NDArray[np.float64], tone: Colour) -> None:
        """Fill a convex polygon, float64 (n, 2)."""
        cv2.fillConvexPoly(self.pixels, subpixels(points), tone, cv2.LINE_AA, _SUBPIXEL_BITS)

    def line(self, points: NDArray[np.float64], tone: Colour, width: int = 1) -> None:
        """Draw a line through points, float64 (n, 2)."""
        cv2.polylines(
            self.pixels, [subpixels(points)], isClosed=False, color=tone, thickness=width,
            lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS,
        )  # fmt: skip

    def dot(self, x: float, y: float, radius: float, tone: Colour) -> None:
        """Fill a circle."""
        self.polygon(_CIRCLE * radius + (x, y), tone)  # a small circle of cv2 is a diamond

    def text(
        self,
        x: float,
        y: float,
        content: str,
        *,
        size: int = 13,
        tone: Colour = INK,
        bold: bool = False,
        anchor: Anchor = 'left',
    ) -> float:
        """Write on a baseline; return the width."""
        if not content:
            return 0.0
        mask, ascent = _mask(content, size, bold)
        height, width = mask.shape[:2]
        left = round(x) - {'left': 0, 'middle': width // 2, 'right': width}[anchor]
        top = round(y) - ascent
        x0, y0 = max(left, 0), max(top, 0)
        part = self.pixels[y0 : max(top + height, 0), x0 : max(left + width, 0)]
        rows, columns = part.shape[:2]
        cut = mask[y0 - top : y0 - top + rows, x0 - left : x0 - left + columns]
        part[:] = _mixed(part, tone, cut)
        return float(width)


def text_width(content: str, *, size: int, bold: bool = False) -> float:
    """Measure a text, pixels."""
    return float(_mask(content, size, bold)[0].shape[1])


def subpixels(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Give points in the fixed-point numbers that the drawing functions take."""
    return np.asarray(np.rint(np.clip(points, -9e3, 9e3) * 2**_SUBPIXEL_BITS), np.int32)


def blend(pixels: NDArray[np.uint8], tone: Colour, mask: NDArray[np.uint8]) -> None:
    """Lay a colour over pixels (h, w, 3), as opaque as a mask (h, w) says, of 255."""
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows):
        span = slice(rows[0], rows[-1] + 1)
        pixels[span] = _mixed(pixels[span], tone, mask[span, :, None].astype(np.float32) / 255)


def _mixed(
    pixels: NDArray[np.uint8], tone: Colour, alpha: float | NDArray[np.floating[Any]]
) -> NDArray[np.uint8]:
    below = pixels.astype(np.float32)
    return np.asarray(below + (np.array(tone, np.float32) - below) * alpha + 0.5, np.uint8)


@functools.lru_cache(maxsize=4096)
def _mask(content: str, size: int, bold: bool) -> tuple[NDArray[np.float64], int]:
    """Render a text: its coverage, float64 (h, w, 1) in [0, 1], and the row of its baseline."""
    font = _font(size, bold)
    ascent, descent = font.getmetrics()
    width = max(round(font.getlength(content)), 1)
    image = Image.new('L', (width + 2, ascent + descent), 0)
    ImageDraw.Draw(image).text((0, ascent), content, fill=255, font=font, anchor='ls')
    return np.asarray(image)[:, :, None] / 255.0, ascent


@functools.lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """Load the font that matplotlib brings along."""
    folder = Path(matplotlib.get_data_path(), 'fonts', 'ttf')
    return ImageFont.truetype(folder / f'DejaVuSans{"-Bold" if bold else ""}.ttf', size)
