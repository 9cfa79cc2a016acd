# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import array
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import SampleError
from mm_fusion.messages import AudioAdapter
from mm_fusion.settings import AudioSettings
from mm_fusion.types.sensors import DropReason
from support.recordings import (
    RECEIVED_NS,
    STAMP_NS,
    audio_info,
    mgonzs13_audio,
    number,
    own_audio,
    ros_drivers_audio,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Received = Callable[[Any], Any]

PCM16 = np.array([0, 16384, -32768, 32767], np.int16)
PCM16_SCALED = np.array([0.0, 0.5, -1.0, 32767 / 32768], np.float32)


def adapter(**settings: Any) -> AudioAdapter:
    return AudioAdapter(AudioSettings(**settings))


def refusal(msg: Any, audio: AudioAdapter | None = None) -> SampleError:
    with pytest.raises(SampleError) as caught:
        (adapter() if audio is None else audio).chunk(msg, RECEIVED_NS)
    return caught.value


@pytest.mark.parametrize(
    ('sample_format', 'dtype', 'values', 'scaled'),
    [
        ('S8', '|i1', [0, 64, -128], [0.0, 0.5, -1.0]),
        ('U8', '|u1', [128, 192, 0], [0.0, 0.5, -1.0]),
        ('S16LE', '<i2', [0, 16384, -32768], [0.0, 0.5, -1.0]),
        ('S16BE', '>i2', [0, 16384, -32768], [0.0, 0.5, -1.0]),
        ('S32LE', '<i4', [0, 2**30, -(2**31)], [0.0, 0.5, -1.0]),
        ('S32BE', '>i4', [0, 2**30, -(2**31)], [0.0, 0.5, -1.0]),
        ('F32LE', '<f4', [0.0, 0.5, -1.0], [0.0, 0.5, -1.0]),
        ('F32BE', '>f4', [0.0, 0.5, -1.0], [0.0, 0.5, -1.0]),
    ],
)
def test_every_sample_format_is_scaled_to_one(
    received: Received, sample_format: str, dtype: str, values: list[float], scaled: list[float]
) -> None:
    data = np.array(values, dtype).tobytes()

    chunk = adapter().chunk(received(own_audio(data, sample_format=sample_format)), RECEIVED_NS)

    assert chunk.samples.dtype == np.dtype(np.float32)
    assert chunk.samples.dtype.isnative
    np.testing.assert_array_equal(chunk.samples, scaled)
    assert (chunk.stamp_ns, chunk.received_ns) == (STAMP_NS, RECEIVED_NS)
    assert (chunk.sample_rate_hz, chunk.frame_id) == (16_000, 'sensor')


@pytest.mark.parametrize(
    ('field', 'code', 'values', 'scaled'),
    [
        ('float32_data', 1, np.array([0.5, -1.0], np.float32), [0.5, -1.0]),
        ('int32_data', 2, np.array([2**30, -(2**31)], np.int32), [0.5, -1.0]),
        ('int16_data', 8, np.array([16384, -32768], np.int16), [0.5, -1.0]),
        ('int8_data', 16, np.array([64, -128], np.int8), [0.5, -1.0]),
        ('uint8_data', 32, np.array([192, 0], np.uint8), [0.5, -1.0]),
    ],
)
@pytest.mark.parametrize('rclpy_arrays', [False, True])
def test_the_array_of_the_portaudio_format_is_read(
    *, field: str, code: int, values: NDArray[Any], scaled: list[float], rclpy_arrays: bool
) -> None:
    msg = mgonzs13_audio(field, values, code=code, rate=44_100)
    if rclpy_arrays:
        typed = array.array({'u1': 'B'}.get(values.dtype.str[1:], values.dtype.char), values)
        setattr(msg.audio.audio_data, field, typed)

    chunk = adapter().chunk(msg, RECEIVED_NS)

    np.testing.assert_array_equal(chunk.samples, scaled)
    assert (chunk.stamp_ns, chunk.sample_rate_hz) == (STAMP_NS, 44_100)


def test_the_bytes_of_ros_drivers_are_read_by_their_info() -> None:
    audio = adapter()
    audio.set_info(audio_info(rate=8000))

    chunk = audio.chunk(ros_drivers_audio(PCM16.tobytes()), RECEIVED_NS)

    np.testing.assert_array_equal(chunk.samples, PCM16_SCALED)
    assert (chunk.stamp_ns, chunk.sample_rate_hz) == (STAMP_NS, 8000)


def test_the_bytes_of_ros_drivers_are_read_by_the_settings_alone() -> None:
    audio = adapter(sample_rate_hz=48_000, channels=1, sample_format='S16LE')

    chunk = audio.chunk(ros_drivers_audio(PCM16.tobytes()), RECEIVED_NS)

    np.testing.assert_array_equal(chunk.samples, PCM16_SCALED)
    assert chunk.sample_rate_hz == 48_000


def test_settings_go_before_the_info() -> None:
    audio = adapter(sample_rate_hz=48_000)
    audio.set_info(audio_info(rate=8000))

    assert audio.chunk(ros_drivers_audio(PCM16.tobytes()), RECEIVED_NS).sample_rate_hz == 48_000


def test_without_an_info_the_error_says_what_is_missing() -> None:
    error = refusal(ros_drivers_audio(PCM16.tobytes()), adapter(channels=1))

    assert error.reason is DropReason.UNSUPPORTED
    assert 'has not come' in str(error)
    assert 'audio.sample_rate_hz, audio.sample_format' in str(error)
    assert 'audio.channels' not in str(error)


def test_an_info_without_a_rate_is_told() -> None:
    audio = adapter()
    audio.set_info(audio_info(rate=0))

    error = refusal(ros_drivers_audio(PCM16.tobytes()), audio)

    assert error.reason is DropReason.UNSUPPORTED
    assert str(error) == (
        'AudioDataStamped: its AudioInfo message does not give audio.sample_rate_hz'
    )


@pytest.mark.parametrize('coding', ['mp3', 'MP3', 'opus'])
def test_coded_sound_is_unsupported_until_a_better_info_comes(coding: str) -> None:
    audio = adapter(sample_rate_hz=16_000, channels=1, sample_format='S16LE')

    with pytest.raises(
        SampleError, match=f"found the coding format '{coding}', expected wave"
    ) as e:
        audio.set_info(audio_info(coding=coding))
    assert e.value.reason is DropReason.UNSUPPORTED
    error = refusal(ros_drivers_audio(PCM16.tobytes()), audio)
    assert (error.reason, str(error)) == (DropReason.UNSUPPORTED, str(e.value))

    audio.set_info(audio_info(coding='wave'))
    assert audio.chunk(ros_drivers_audio(PCM16.tobytes()), RECEIVED_NS).samples.size == 4


def test_channels_are_averaged(received: Received) -> None:
    stereo = np.array([[16384, 0], [-32768, -32768], [32767, -32767]], '<i2').tobytes()

    chunk = adapter().chunk(received(own_audio(stereo, channels=2)), RECEIVED_NS)

    np.testing.assert_allclose(chunk.samples, [0.25, -1.0, 0.0])
    assert chunk.samples.dtype == np.float32


@pytest.mark.parametrize(
    ('data', 'fields'),
    [
        (b'\0' * 3, {}),  # an odd number of bytes
        (b'\0' * 6, {'sample_format': 'F32LE'}),
        (b'\0' * 6, {'channels': 2}),  # three samples for two channels
        (b'', {}),
        (b'\0' * 4, {'rate': 0}),
        (b'\0' * 4, {'rate': 384_001}),
        (b'\0' * 4, {'channels': 0}),
        (b'\0' * 2 * 81_000, {'rate': 8000}),  # more than ten seconds
    ],
)
def test_sound_that_contradicts_its_description_is_malformed(
    received: Received, data: bytes, fields: dict[str, Any]
) -> None:
    assert refusal(received(own_audio(data, **fields))).reason is DropReason.MALFORMED


def test_samples_that_do_not_fill_the_channels_are_told(received: Received) -> None:
    error = refusal(received(own_audio(b'\0' * 6, channels=2)))

    assert str(error) == 'audio: found 3 samples, expected a multiple of 2 channels'


def test_an_odd_byte_count_is_malformed_in_the_layout_of_ros_drivers() -> None:
    audio = adapter()
    audio.set_info(audio_info())

    error = refusal(ros_drivers_audio(b'\0' * 3201), audio)

    assert error.reason is DropReason.MALFORMED
    assert str(error) == 'audio: found 3201 bytes, expected a multiple of 2 for S16LE'


@pytest.mark.parametrize('sample_format', ['S24LE', 'mp3', '', 's16le'])
def test_an_unknown_sample_format_is_unsupported(received: Received, sample_format: str) -> None:
    error = refusal(received(own_audio(b'\0' * 12, sample_format=sample_format)))

    assert error.reason is DropReason.UNSUPPORTED
    assert repr(sample_format) in str(error)


@pytest.mark.parametrize('code', [4, 0, -1, 3])
def test_an_unknown_portaudio_format_is_unsupported(code: int) -> None:
    msg = mgonzs13_audio('int16_data', PCM16, code=code)

    assert refusal(msg).reason is DropReason.UNSUPPORTED


def test_a_portaudio_format_whose_array_is_empty_is_malformed() -> None:
    msg = mgonzs13_audio('int16_data', PCM16, code=1)

    assert refusal(msg).reason is DropReason.MALFORMED


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_float_sound_that_is_not_finite_is_told(received: Received, value: float) -> None:
    samples = np.array([0.0, value, 0.0], np.float32)

    own = received(own_audio(samples.tobytes(), sample_format='F32LE'))
    assert refusal(own).reason is DropReason.NOT_FINITE
    mgonzs13 = mgonzs13_audio('float32_data', samples, code=1)
    assert refusal(mgonzs13).reason is DropReason.NOT_FINITE


def test_float_sound_beyond_full_scale_is_clipped() -> None:
    samples = np.array([1.5, -2.0, 0.25], np.float32)

    chunk = adapter().chunk(mgonzs13_audio('float32_data', samples, code=1), RECEIVED_NS)

    np.testing.assert_array_equal(chunk.samples, [1.0, -1.0, 0.25])


@pytest.mark.parametrize(
    'msg',
    [
        own_audio(b'\0\0', stamp_ns=0),
        ros_drivers_audio(b'\0\0', stamp_ns=0),
        mgonzs13_audio('int16_data', PCM16, code=8, stamp_ns=0),
    ],
)
def test_a_stamp_of_zero_is_told_apart(msg: Any) -> None:
    assert refusal(msg).reason is DropReason.ZERO_STAMP


def test_another_type_of_message_is_unsupported() -> None:
    assert refusal(number(1.0)).reason is DropReason.UNSUPPORTED
    with pytest.raises(SampleError) as caught:
        adapter().set_info(number(1.0))
    assert caught.value.reason is DropReason.UNSUPPORTED
