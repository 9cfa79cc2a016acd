# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera frames: ``sensor_msgs/Image`` and ``sensor_msgs/CompressedImage``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mm_fusion.errors import SampleError
from mm_fusion.messages.fields import guarded, header_of, octets, unsupported, whole
from mm_fusion.types.sensors import RAW_CHANNELS, CompressedImage, DropReason, RawImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.types.sensors import ImageSample

_MAX_SIDE = 65_535
_JPEG_START = b'\xff\xd8\xff'
_JPEG_END = b'\xff\xd9'
_JPEG_START_OF_SCAN = 0xDA
_PNG_START = b'\x89PNG\r\n\x1a\n'
_PNG_END = b'IEND\xaeB`\x82'


@guarded
def image_sample(msg: Any, received_ns: int) -> ImageSample:
    """Read a camera frame without copying its pixels.

    Args:
        msg: ``sensor_msgs/Image`` (rgb8, bgr8, rgba8, bgra8 or mono8, any row stride), or
            ``sensor_msgs/CompressedImage`` (JPEG or PNG, told from the payload's first bytes).
        received_ns: Time of arrival.

    Returns:
        Pixels or payload as a read-only view into the message.

    Raises:
        SampleError: ZERO_STAMP; UNSUPPORTED for another encoding or codec; MALFORMED where the
            payload is cut short or contradicts the size, stride or encoding.
    """
    if hasattr(msg, 'encoding') and hasattr(msg, 'step'):
        return _raw_image(msg, received_ns)
    if hasattr(msg, 'format') and hasattr(msg, 'data'):
        return _compressed_image(msg, received_ns)
    raise unsupported(msg, 'sensor_msgs/Image or sensor_msgs/CompressedImage')


def _raw_image(msg: Any, received_ns: int) -> RawImage:
    stamp_ns, frame_id = header_of(msg)
    encoding = msg.encoding
    if encoding not in RAW_CHANNELS:
        raise SampleError(
            DropReason.UNSUPPORTED,
            f'image: found the encoding {encoding!r}, expected one of {", ".join(RAW_CHANNELS)}',
        )
    channels = RAW_CHANNELS[encoding]
    height = whole('image height', msg.height, 1, _MAX_SIDE)
    width = whole('image width', msg.width, 1, _MAX_SIDE)
    row = width * channels
    step = whole(f'step of a row of {width} {encoding} pixels', msg.step, row, 2**32 - 1)
    data = octets('image data', msg.data)
    if data.size != height * step:
        raise SampleError(
            DropReason.MALFORMED,
            f'image: found {data.size} bytes, expected {height} rows of {step} bytes',
        )
    pixels = data.reshape(height, step)[:, :row].reshape(height, width, channels)
    return RawImage(stamp_ns, received_ns, frame_id, encoding, pixels)


def _compressed_image(msg: Any, received_ns: int) -> CompressedImage:
    stamp_ns, frame_id = header_of(msg)
    payload = octets('compressed image data', msg.data)
    head = payload[:8].tobytes()
    if head.startswith(_JPEG_START):
        if not _jpeg_is_whole(payload):
            raise _truncated('JPEG', payload, 'no end-of-image marker')
        return CompressedImage(stamp_ns, received_ns, frame_id, 'jpeg', payload)
    if head == _PNG_START:
        if _PNG_END not in payload[-64:].tobytes() and _PNG_END not in payload.tobytes():
            raise _truncated('PNG', payload, 'no IEND chunk')
        return CompressedImage(stamp_ns, received_ns, frame_id, 'png', payload)
    raise SampleError(
        DropReason.UNSUPPORTED,
        f'compressed image of format {msg.format!r}: found the first bytes {head.hex(" ")}, '
        'expected a JPEG or PNG',
    )


def _truncated(codec: str, payload: NDArray[np.uint8], missing: str) -> SampleError:
    return SampleError(
        DropReason.MALFORMED, f'{codec} of {payload.size} bytes is cut short: {missing}'
    )


def _jpeg_is_whole(payload: NDArray[np.uint8]) -> bool:
    """Say whether an end-of-image marker follows the start of the scan.

    Decoders fill a frame that was cut short with grey and report no error, so it must be caught
    here. Cameras pad frames behind the marker, and a thumbnail within the header segments has an
    end-of-image marker of its own; entropy-coded data cannot contain one.
    """
    if payload[-2:].tobytes() == _JPEG_END:
        return True
    data = payload.tobytes()
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte before the marker
            position += 1
            continue
        position += 2 + int.from_bytes(data[position + 2 : position + 4], 'big')
        if marker == _JPEG_START_OF_SCAN:
            return data.find(_JPEG_END, position) >= 0
    return False
