# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From a camera frame to the image that the network takes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mm_fusion.errors import SampleError
from mm_fusion.types.sensors import CompressedImage, DropReason, ImageSample

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_PIXELS = 64_000_000
"""A frame that claims more is refused before anything is allocated for it."""

_TO_RGB = {
    'bgr8': cv2.COLOR_BGR2RGB,
    'rgba8': cv2.COLOR_RGBA2RGB,
    'bgra8': cv2.COLOR_BGRA2RGB,
    'mono8': cv2.COLOR_GRAY2RGB,
}

_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}
"""Factors by which libjpeg shrinks while it decodes, largest first."""
_REDUCED_MARGIN = 1.5
"""Each side of a frame that is decoded at a reduced size is this much longer than the network's.

With less, little is left for area interpolation to average. At 848x480 for 224x224 (a side of
240 after halving) 6 of 105 real frames changed their friction class; with this margin, none did
that is larger (see docs/hot_path.md).
"""

_LEAST_SHRUNK, _MOST_SHRUNK = 1.5, 4.5
"""Sides in units of the network's between which the double of its size is taken on the way.

Above, interpolation to the double would skip many pixels; below, there is little to gain.
"""

# Start-of-frame markers of JPEG: C0 to CF less DHT (C4), JPG (C8) and DAC (CC).
_JPEG_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Markers without a length: TEM, and RST0 to EOI.
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xDA)})


def network_image(sample: ImageSample, height: int, width: int) -> NDArray[np.uint8]:
    """Decode a frame and scale the whole of it to the size of the network.

    The aspect ratio is not kept: the photographs of the training set are whole scenes squeezed
    in the same way. Pixels are averaged by area, or nearly so (``_averaged``). The colour is
    converted after scaling, where there are fewer pixels. A JPEG much larger than that is decoded
    at a half, a quarter or an eighth of its size; other frames are halved as often first.

    Args:
        sample: Raw or compressed frame.
        height: Rows wanted.
        width: Columns wanted.

    Returns:
        uint8 (height, width, 3), RGB, contiguous.

    Raises:
        SampleError: The payload cannot be decoded, or claims more than ``MAX_PIXELS``.
    """
    encoding: str
    if isinstance(sample, CompressedImage):
        pixels, encoding = decode(sample, wanted=(height, width)), 'bgr8'
    else:
        pixels, encoding = sample.pixels, sample.encoding
    scaled = _averaged(_halved(pixels, height, width), height, width)
    if encoding == 'rgb8':
        return np.ascontiguousarray(scaled, dtype=np.uint8)
    return np.asarray(cv2.cvtColor(scaled, _TO_RGB[encoding]), dtype=np.uint8)


def _halved(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Average blocks of 2 by 2, as often as what is left has sides of even length and is large.

    OpenCV does that ten times as fast as any other scaling by area, in which a pixel may count
    for two.
    """
    while True:
        rows, columns = pixels.shape[:2]
        room = min(rows / height, columns / width) / _REDUCED_MARGIN
        if room < 2 or rows % 2 or columns % 2:
            return pixels
        half = cv2.resize(pixels, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
        pixels = np.asarray(half, dtype=np.uint8)


def _averaged(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Scale by area; in a range of sizes by way of twice the size wanted, at a third of the cost.

    There bilinear interpolation reads every pixel (up to four times the size wanted, and nearly
    every one beyond), and blocks of 2 by 2 are then averaged, for which OpenCV has a fast way: a
    trapezoid in the place of the box, half a grey level off in the mean (docs/hot_path.md).
    """
    ratios = pixels.shape[0] / height, pixels.shape[1] / width
    if min(ratios) >= 1.0 and _LEAST_SHRUNK <= max(ratios) <= _MOST_SHRUNK:
        double = (2 * width, 2 * height)
        pixels = np.asarray(cv2.resize(pixels, double, interpolation=cv2.INTER_LINEAR), np.uint8)
    scaled = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, dtype=np.uint8)


def decode(sample: CompressedImage, *, wanted: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG frame.

    Args:
        sample: The frame.
        wanted: Height and width that it is scaled to next: a JPEG may then be decoded at a
            reduced size that is still larger. None decodes in full.

    Returns:
        uint8 (height, width, 3), BGR.

    Raises:
        SampleError: The payload cannot be decoded, or claims more than ``MAX_PIXELS``.
    """
    size = encoded_size(sample)
    if size is None or size[0] * size[1] > MAX_PIXELS:
        found = 'no size in its header' if size is None else f'{size[0]} x {size[1]} pixels'
        raise SampleError(
            DropReason.MALFORMED,
            f'{sample.encoding} frame of {sample.payload.size} bytes: found {found}, '
            f'expected 1 to {MAX_PIXELS} pixels',
        )
    try:
        pixels = cv2.imdecode(sample.payload, _read_mode(sample, size, wanted))
    except cv2.error as error:
        raise SampleError(
            DropReason.MALFORMED, f'{sample.encoding} frame cannot be decoded: {error.err}'
        ) from error
    if pixels is None:
        raise SampleError(
            DropReason.MALFORMED,
            f'{sample.encoding} frame of {sample.payload.size} bytes cannot be decoded',
        )
    return np.asarray(pixels, dtype=np.uint8)


def _read_mode(
    sample: CompressedImage, size: tuple[int, int], wanted: tuple[int, int] | None
) -> int:
    if wanted is not None and sample.encoding == 'jpeg':
        room = min(size[0] / wanted[0], size[1] / wanted[1]) / _REDUCED_MARGIN
        for factor, mode in _REDUCED.items():
            if factor <= room:
                return mode
    return cv2.IMREAD_COLOR


def encoded_size(sample: CompressedImage) -> tuple[int, int] | None:
    """Read height and width from the header of a JPEG or PNG payload, without decoding it.

    Returns:
        (height, width), both positive; None where the header does not say.
    """
    payload = sample.payload.data
    size = _png_size(payload) if sample.encoding == 'png' else _jpeg_size(payload)
    return size if size is not None and min(size) > 0 else None


def _png_size(payload: memoryview) -> tuple[int, int] | None:
    if len(payload) < 24 or bytes(payload[12:16]) != b'IHDR':
        return None
    width, height = struct.unpack('>II', payload[16:24])
    return height, width


def _jpeg_size(payload: memoryview) -> tuple[int, int] | None:
    position = 2
    while position + 9 <= len(payload):
        if payload[position] != 0xFF:
            return None
        marker = payload[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _JPEG_BARE:
            position += 2
        elif marker in _JPEG_SOF:
            height, width = struct.unpack('>HH', payload[position + 5 : position + 9])
            return height, width
        else:
            (length,) = struct.unpack('>H', payload[position + 2 : position + 4])
            position += 2 + length
    return None
