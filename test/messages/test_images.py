# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from mm_fusion.errors import SampleError
from mm_fusion.messages import image_sample
from mm_fusion.types.sensors import RAW_CHANNELS, CompressedImage, DropReason, RawImage
from support.recordings import RECEIVED_NS, STAMP_NS, compressed, encoded, image, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Received = Callable[[Any], Any]


def picture(channels: int) -> NDArray[np.uint8]:
    return np.arange(4 * 5 * channels, dtype=np.uint8).reshape(4, 5, channels)


def refusal(msg: Any) -> SampleError:
    with pytest.raises(SampleError) as caught:
        image_sample(msg, RECEIVED_NS)
    return caught.value


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize(('encoding', 'channels'), RAW_CHANNELS.items())
def test_raw_pixels_are_read_past_the_padding_without_a_copy(
    received: Received, encoding: str, channels: int, padding: int
) -> None:
    msg = received(image(picture(channels), encoding, padding=padding))

    sample = image_sample(msg, RECEIVED_NS)

    assert isinstance(sample, RawImage)
    assert (sample.stamp_ns, sample.received_ns) == (STAMP_NS, RECEIVED_NS)
    assert (sample.encoding, sample.frame_id) == (encoding, 'sensor')
    np.testing.assert_array_equal(sample.pixels, picture(channels))
    assert np.shares_memory(sample.pixels, np.frombuffer(msg.data, np.uint8))
    assert not sample.pixels.flags.writeable


@pytest.mark.parametrize('wrap', [bytes, bytearray, memoryview])
def test_raw_pixels_are_read_from_any_buffer(wrap: Callable[[bytes], Any]) -> None:
    msg = image(picture(3), 'rgb8')
    msg.data = wrap(msg.data.tobytes())

    sample = image_sample(msg, RECEIVED_NS)

    assert isinstance(sample, RawImage)
    np.testing.assert_array_equal(sample.pixels, picture(3))
    assert np.shares_memory(sample.pixels, np.frombuffer(msg.data, np.uint8))


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('step', 14),  # shorter than a row
        ('step', 16),  # longer than the data has room for
        ('step', 2**32 - 1),
        ('height', 3),
        ('height', 0),
        ('width', 0),
        ('width', 6),
        ('height', 2**32 - 1),
    ],
)
def test_a_size_or_stride_that_contradicts_the_data_is_malformed(
    received: Received, field: str, value: int
) -> None:
    msg = received(image(picture(3), 'rgb8'))
    setattr(msg, field, value)

    assert refusal(msg).reason is DropReason.MALFORMED


def test_a_declared_stride_without_the_padding_is_malformed() -> None:
    msg = image(picture(3), 'rgb8', padding=1)
    msg.step = 15

    error = refusal(msg)

    assert error.reason is DropReason.MALFORMED
    assert str(error) == 'image: found 64 bytes, expected 4 rows of 15 bytes'


@pytest.mark.parametrize('encoding', ['yuv422', '16UC1', 'bayer_rggb8', '8UC3', ''])
def test_an_unknown_encoding_is_unsupported_and_named(received: Received, encoding: str) -> None:
    error = refusal(received(image(picture(3), encoding)))

    assert error.reason is DropReason.UNSUPPORTED
    assert f'found the encoding {encoding!r}' in str(error)


@pytest.mark.parametrize(('suffix', 'codec'), [('.jpg', 'jpeg'), ('.png', 'png')])
@pytest.mark.parametrize('image_format', ['rgb8; jpeg compressed bgr8', 'png', ''])
def test_the_codec_is_told_from_the_payload_and_not_from_the_format(
    received: Received, suffix: str, codec: str, image_format: str
) -> None:
    payload = encoded(suffix)
    msg = received(compressed(payload, image_format))

    sample = image_sample(msg, RECEIVED_NS)

    assert isinstance(sample, CompressedImage)
    assert sample.encoding == codec
    assert (sample.stamp_ns, sample.received_ns) == (STAMP_NS, RECEIVED_NS)
    assert sample.payload.tobytes() == payload
    assert np.shares_memory(sample.payload, np.frombuffer(msg.data, np.uint8))


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('lost', [1, 2, 100, 0.5, 0.9])
def test_a_payload_that_is_cut_short_is_malformed(
    received: Received, suffix: str, lost: float
) -> None:
    payload = encoded(suffix)
    keep = int(len(payload) * (1 - lost)) if lost < 1 else len(payload) - int(lost)

    error = refusal(received(compressed(payload[:keep])))

    assert error.reason is DropReason.MALFORMED
    assert 'cut short' in str(error)


@pytest.mark.parametrize('padding', [b'\0' * 700, b'\xff' * 3, b'stale bytes of an older frame'])
@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_bytes_behind_a_whole_payload_are_allowed(suffix: str, padding: bytes) -> None:
    sample = image_sample(compressed(encoded(suffix) + padding), RECEIVED_NS)

    assert isinstance(sample, CompressedImage)


def with_thumbnail(payload: bytes) -> bytes:
    segment = b'Exif\0\0' + encoded('.jpg', 8, 8)
    return (
        payload[:2] + b'\xff\xe1' + (len(segment) + 2).to_bytes(2, 'big') + segment + payload[2:]
    )


def test_the_end_of_a_thumbnail_does_not_hide_that_the_jpeg_is_cut_short() -> None:
    whole = with_thumbnail(encoded('.jpg'))
    decoded = cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (24, 32, 3)

    assert isinstance(image_sample(compressed(whole + b'\0'), RECEIVED_NS), CompressedImage)
    assert refusal(compressed(whole[:-20])).reason is DropReason.MALFORMED


def test_a_progressive_jpeg_is_whole_only_with_its_end() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    payload = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()

    assert isinstance(image_sample(compressed(payload + b'\0'), RECEIVED_NS), CompressedImage)
    assert refusal(compressed(payload[:-2])).reason is DropReason.MALFORMED


def test_another_codec_is_unsupported_and_the_format_field_is_told() -> None:
    error = refusal(compressed(b'RIFF\x10\0\0\0WEBPVP8 ', 'bgr8; webp compressed bgr8'))

    assert error.reason is DropReason.UNSUPPORTED
    assert 'webp' in str(error)
    assert '52 49 46 46' in str(error)


@pytest.mark.parametrize('msg', [image(picture(1), 'mono8'), compressed(encoded())])
def test_an_empty_payload_is_malformed(msg: Any) -> None:
    data, msg.data = msg.data, np.zeros(0, np.uint8)
    try:
        assert refusal(msg).reason is DropReason.MALFORMED
    finally:
        msg.data = data


def test_a_stamp_of_zero_is_told_apart(received: Received) -> None:
    for msg in (image(picture(1), 'mono8', stamp_ns=0), compressed(encoded(), stamp_ns=0)):
        assert refusal(received(msg)).reason is DropReason.ZERO_STAMP


def test_another_type_of_message_is_unsupported() -> None:
    error = refusal(number(1.0))

    assert error.reason is DropReason.UNSUPPORTED
    assert 'type Float32' in str(error)
