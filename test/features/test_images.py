# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
from typing import TYPE_CHECKING, get_args

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.errors import SampleError
from mm_fusion.features.images import MAX_PIXELS, decode, encoded_size, network_image
from mm_fusion.types.sensors import (
    RAW_CHANNELS,
    CompressedImage,
    DropReason,
    RawEncoding,
    RawImage,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

RED_OVER_BLUE = np.zeros((40, 60, 3), np.uint8)
RED_OVER_BLUE[:20, :, 0] = 200
RED_OVER_BLUE[20:, :, 2] = 100


def raw(encoding: RawEncoding, pixels: NDArray[np.uint8]) -> RawImage:
    return RawImage(1, 1, 'camera', encoding, pixels)


def compressed(codec: str, rgb: NDArray[np.uint8]) -> CompressedImage:
    ok, payload = cv2.imencode('.jpg' if codec == 'jpeg' else '.png', rgb[:, :, ::-1])
    assert ok
    return CompressedImage(1, 1, 'camera', 'jpeg' if codec == 'jpeg' else 'png', payload)


def in_encoding(rgb: NDArray[np.uint8], encoding: RawEncoding) -> NDArray[np.uint8]:
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    encoded: dict[RawEncoding, NDArray[np.uint8]] = {
        'rgb8': rgb,
        'bgr8': rgb[:, :, ::-1],
        'rgba8': np.concatenate([rgb, alpha], axis=2),
        'bgra8': np.concatenate([rgb[:, :, ::-1], alpha], axis=2),
        'mono8': rgb[:, :, :1],
    }
    return encoded[encoding]


@pytest.mark.parametrize('encoding', get_args(RawEncoding))
def test_every_raw_encoding_gives_the_same_rgb(encoding: RawEncoding) -> None:
    image = network_image(raw(encoding, in_encoding(RED_OVER_BLUE, encoding)), 4, 6)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    if encoding == 'mono8':
        assert (image[:2] == 200).all()
        assert (image[2:] == 0).all()
    else:
        assert (image[:2] == [200, 0, 0]).all()
        assert (image[2:] == [0, 0, 100]).all()


@pytest.mark.parametrize('codec', ['jpeg', 'png'])
def test_compressed_frames_give_rgb(codec: str) -> None:
    image = network_image(compressed(codec, RED_OVER_BLUE), 4, 6).astype(int)
    assert abs(image[0] - [200, 0, 0]).max() <= 6
    assert abs(image[3] - [0, 0, 100]).max() <= 6


def test_scaling_averages_areas() -> None:
    checkers = np.indices((8, 8)).sum(axis=0)[..., np.newaxis].astype(np.uint8) % 2 * 200
    assert (network_image(raw('mono8', checkers), 2, 2) == 100).all()


@pytest.mark.parametrize('size', [(360, 640), (480, 848), (540, 960), (480, 640)])
def test_scaling_by_way_of_the_double_is_nearly_by_area(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (*size, 3), np.uint8)
    # As sharp as frames are, and with every pixel of its own.
    pixels = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.8), np.uint8)
    found = network_image(raw('rgb8', pixels), 224, 224).astype(int)
    by_area = cv2.resize(pixels, (224, 224), interpolation=cv2.INTER_AREA).astype(int)
    assert 0.0 < np.abs(found - by_area).mean() < 3.0
    assert (
        np.abs(found - by_area).mean()
        < 0.3
        * np.abs(cv2.resize(pixels, (224, 224), interpolation=cv2.INTER_LINEAR) - by_area).mean()
    )
    if max(size[0], size[1]) > 4 * 224:
        return
    # No pixel is left out, as plain interpolation leaves out most of them.
    for row, column in ((0, 0), (size[0] // 2 + 1, size[1] // 3 + 1), (size[0] - 1, size[1] - 1)):
        spot = np.zeros((*size, 3), np.uint8)
        spot[row, column] = 255
        assert network_image(raw('rgb8', spot), 224, 224).any()


@pytest.mark.parametrize('size', [(250, 250), (224, 1400), (200, 500)])
def test_other_frames_are_scaled_by_area(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    found = network_image(raw('rgb8', pixels), 224, 224)
    by_area = cv2.resize(pixels, (224, 224), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(found, by_area)


@pytest.mark.parametrize('encoding', ['bgr8', 'mono8'])
def test_a_large_frame_that_is_halved_first_looks_the_same(encoding: RawEncoding) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (45, 60, 3), np.uint8)
    smooth = np.asarray(cv2.resize(noise, (1920, 1080), interpolation=cv2.INTER_CUBIC), np.uint8)
    frame = in_encoding(smooth, encoding)
    found = network_image(raw(encoding, frame), 224, 224).astype(int)
    whole = cv2.resize(frame, (224, 224), interpolation=cv2.INTER_AREA)
    expected = whole[..., np.newaxis] if encoding == 'mono8' else whole[..., ::-1]
    assert abs(found - expected).max() <= 4
    assert abs(found - expected).mean() < 0.5


@pytest.mark.parametrize(
    ('size', 'sizes'),
    [
        ((1080, 1920), [(540, 960), (448, 448), (224, 224)]),
        ((1344, 1344), [(672, 672), (336, 336), (448, 448), (224, 224)]),
        ((670, 1280), [(224, 224)]),
        ((1081, 1920), [(224, 224)]),
        ((480, 848), [(448, 448), (224, 224)]),
        ((250, 250), [(224, 224)]),
    ],
)
def test_frames_are_halved_while_much_remains_and_sides_are_even(
    size: tuple[int, int], sizes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    resize = cv2.resize

    def watched(image: NDArray[np.uint8], wanted: tuple[int, int], interpolation: int) -> object:
        assert interpolation == (cv2.INTER_LINEAR if wanted == (448, 448) else cv2.INTER_AREA)
        seen.append(wanted[::-1])
        return resize(image, wanted, interpolation=interpolation)

    monkeypatch.setattr('cv2.resize', watched)
    network_image(raw('bgr8', np.zeros((*size, 3), np.uint8)), 224, 224)
    assert seen == sizes


def test_a_read_only_view_with_padded_rows_is_read_in_place() -> None:
    padded = np.zeros((40, 64 * 3), np.uint8)
    view = np.lib.stride_tricks.as_strided(padded, (40, 60, 3), (64 * 3, 3, 1))
    view[:] = RED_OVER_BLUE
    view.setflags(write=False)
    assert (network_image(raw('rgb8', view), 4, 6)[0] == [200, 0, 0]).all()


def photograph(height: int, width: int) -> NDArray[np.uint8]:
    """Make a picture with structure of every size down to some pixels."""
    random = np.random.default_rng(0)
    layers = [
        cv2.resize(random.uniform(-40, 40, (height // cell, width // cell, 3)), (width, height))
        for cell in (4, 16, 64)
    ]
    return np.asarray(np.clip(np.sum(layers, axis=0) + 128, 0, 255), np.uint8)


@pytest.mark.parametrize(
    ('height', 'width', 'decoded'),
    [
        (1080, 1920, (540, 960)),  # half of it is still 2.4 times the network's
        (2160, 3840, (540, 960)),
        (720, 1280, (360, 640)),
        (480, 848, (480, 848)),  # half of it would be 240 rows for 224
        (224, 224, (224, 224)),
        (1081, 1919, (541, 960)),
    ],
)
def test_a_jpeg_is_decoded_no_larger_than_needed(
    height: int, width: int, decoded: tuple[int, int]
) -> None:
    sample = compressed('jpeg', np.zeros((height, width, 3), np.uint8))
    assert decode(sample, wanted=(224, 224)).shape[:2] == decoded
    assert decode(sample).shape[:2] == (height, width), 'reports show the whole frame'


def test_a_png_is_decoded_in_full() -> None:
    sample = compressed('png', np.zeros((900, 900, 3), np.uint8))
    assert decode(sample, wanted=(224, 224)).shape == (900, 900, 3)


@pytest.mark.parametrize('size', [(720, 1280), (1080, 1920)])
def test_a_reduced_jpeg_looks_like_the_whole_one_scaled_down(size: tuple[int, int]) -> None:
    sample = compressed('jpeg', photograph(*size))
    whole = cv2.resize(decode(sample), (224, 224), interpolation=cv2.INTER_AREA)
    apart = np.abs(network_image(sample, 224, 224).astype(int) - whole[:, :, ::-1])
    assert apart.mean() < 1.0
    assert np.percentile(apart, 99) <= 6


@pytest.mark.parametrize('codec', ['jpeg', 'png'])
@given(height=st.integers(1, 300), width=st.integers(1, 300))
def test_size_is_read_without_decoding(codec: str, height: int, width: int) -> None:
    sample = compressed(codec, np.zeros((height, width, 3), np.uint8))
    assert encoded_size(sample) == (height, width)


def test_a_frame_that_claims_to_be_huge_is_refused_before_decoding() -> None:
    payload = compressed('png', RED_OVER_BLUE).payload.copy()
    payload[16:24] = np.frombuffer(struct.pack('>II', 60_000, 60_000), np.uint8)
    with pytest.raises(SampleError, match=f'60000 x 60000 pixels, expected 1 to {MAX_PIXELS}'):
        decode(CompressedImage(1, 1, 'camera', 'png', payload))


@pytest.mark.parametrize('codec', ['jpeg', 'png'])
@given(data=st.data())
def test_altered_bytes_decode_or_are_refused(codec: str, data: st.DataObject) -> None:
    sample = compressed(codec, RED_OVER_BLUE)
    payload = sample.payload.copy()
    for _ in range(data.draw(st.integers(1, 20))):
        payload[data.draw(st.integers(0, payload.size - 1))] = data.draw(st.integers(0, 255))
    payload = payload[: data.draw(st.integers(0, payload.size))]
    altered = CompressedImage(1, 1, 'camera', sample.encoding, payload)
    try:
        outcome: object = network_image(altered, 4, 6).shape
    except SampleError as error:
        outcome = error.reason
    assert outcome in ((4, 6, 3), DropReason.MALFORMED)


def test_pixels_that_do_not_fit_the_encoding_are_refused() -> None:
    for encoding, channels in RAW_CHANNELS.items():
        with pytest.raises(SampleError, match=encoding):
            raw(encoding, np.zeros((4, 4, channels + 1), np.uint8))
