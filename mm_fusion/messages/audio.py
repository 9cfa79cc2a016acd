# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound: three message layouts, told apart by their fields.

- ``mm_fusion_msgs/AudioStamped``: ``sample_rate``, ``channels``, ``sample_format``, ``data``.
- ``audio_common_msgs/AudioDataStamped`` of ros-drivers: bytes alone. What they hold is said by an
  ``AudioInfo`` message on another topic, or by the settings.
- ``audio_common_msgs/AudioStamped`` of mgonzs13: one array for each sample type, and an ``info``
  with PortAudio's code of the one that is filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.errors import SampleError
from mm_fusion.messages.fields import guarded, header_of, octets, unsupported, whole
from mm_fusion.types.sensors import AudioChunk, DropReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.settings import AudioSettings

_MAX_RATE_HZ = 384_000
_MAX_CHANNELS = 64
_MAX_CHUNK_S = 10

_SAMPLE_FORMATS = {
    'S8': '|i1',
    'U8': '|u1',
    'S16LE': '<i2',
    'S16BE': '>i2',
    'S32LE': '<i4',
    'S32BE': '>i4',
    'F32LE': '<f4',
    'F32BE': '>f4',
}
"""GStreamer's names of sample formats, to numpy's."""

_PORTAUDIO_ARRAYS = {
    1: ('float32_data', 'f4'),
    2: ('int32_data', 'i4'),
    8: ('int16_data', 'i2'),
    16: ('int8_data', 'i1'),
    32: ('uint8_data', 'u1'),
}
"""PortAudio's ``PaSampleFormat`` codes, to the array that mgonzs13/audio_common fills."""

_UNCODED = ('wave', 'wav', 'raw', 'pcm', '')
"""Values of ``AudioInfo.coding_format`` under which ros-drivers publishes bare samples."""


@dataclass(frozen=True, slots=True)
class _Info:
    """What an ``AudioInfo`` message says."""

    sample_rate_hz: int
    channels: int
    sample_format: str


class AudioAdapter:
    """Read sound messages of any layout as mono chunks.

    Args:
        settings: Format of messages that do not carry one. What is set here goes before what the
            ``AudioInfo`` topic says.
    """

    def __init__(self, settings: AudioSettings) -> None:
        self._settings = settings
        self._info: _Info | SampleError | None = None

    def set_info(self, msg: Any) -> None:
        """Take in the ``audio_common_msgs/AudioInfo`` of ros-drivers.

        Raises:
            SampleError: UNSUPPORTED for coded sound such as mp3, MALFORMED for garbage. The
                chunks that follow are refused for the same reason, until a better one comes.
        """
        try:
            self._info = _read_info(msg)
        except SampleError as error:
            self._info = error
            raise

    def chunk(self, msg: Any, received_ns: int) -> AudioChunk:
        """Read one sound message.

        Several channels are averaged. Integers are scaled by their range; floats beyond full
        scale, which PortAudio delivers unclipped, are clipped to [-1, 1].

        Args:
            msg: One of the three layouts.
            received_ns: Time of arrival.

        Raises:
            SampleError: ZERO_STAMP; UNSUPPORTED for a format that is not read, or that nothing
                names; NOT_FINITE; MALFORMED for bytes that are no whole number of frames, an
                empty or an overlong chunk, or a rate or channel count out of bounds.
        """
        return _chunk(msg, received_ns, self)

    def payload_format(self) -> _Info:
        """Say what the bytes of a message without a format hold.

        Raises:
            SampleError: UNSUPPORTED, with all that is missing.
        """
        if isinstance(self._info, SampleError):
            raise SampleError(self._info.reason, str(self._info)) from self._info
        info = self._info or _Info(0, 0, '')
        found = _Info(
            self._settings.sample_rate_hz or info.sample_rate_hz,
            self._settings.channels or info.channels,
            self._settings.sample_format or info.sample_format,
        )
        missing = [
            f'audio.{name}'
            for name in ('sample_rate_hz', 'channels', 'sample_format')
            if not getattr(found, name)
        ]
        if missing:
            heard = 'does not give' if self._info else 'has not come, and the settings do not give'
            raise SampleError(
                DropReason.UNSUPPORTED,
                f'AudioDataStamped: its AudioInfo message {heard} {", ".join(missing)}',
            )
        return found


@guarded
def _read_info(msg: Any) -> _Info:
    if not hasattr(msg, 'coding_format'):
        raise unsupported(msg, 'audio_common_msgs/AudioInfo of ros-drivers')
    if str(msg.coding_format).lower() not in _UNCODED:
        raise SampleError(
            DropReason.UNSUPPORTED,
            f'AudioInfo: found the coding format {msg.coding_format!r}, expected wave: '
            'start the audio driver with format:=wave',
        )
    return _Info(
        whole('AudioInfo.sample_rate', msg.sample_rate, 0, _MAX_RATE_HZ),
        whole('AudioInfo.channels', msg.channels, 0, _MAX_CHANNELS),
        str(msg.sample_format),
    )


@guarded
def _chunk(msg: Any, received_ns: int, adapter: AudioAdapter) -> AudioChunk:
    if hasattr(msg, 'sample_format') and hasattr(msg, 'data'):
        stamp_ns, frame_id = header_of(msg)
        rate, channels = msg.sample_rate, msg.channels
        interleaved = _samples_of_bytes(msg.data, msg.sample_format)
    elif hasattr(msg, 'audio') and hasattr(msg.audio, 'audio_data'):
        stamp_ns, frame_id = header_of(msg)
        rate, channels = msg.audio.info.rate, msg.audio.info.channels
        interleaved = _samples_of_array(msg.audio.audio_data, msg.audio.info.format)
    elif hasattr(msg, 'audio') and hasattr(msg.audio, 'data'):
        stamp_ns, frame_id = header_of(msg)
        info = adapter.payload_format()
        rate, channels = info.sample_rate_hz, info.channels
        interleaved = _samples_of_bytes(msg.audio.data, info.sample_format)
    else:
        raise unsupported(
            msg,
            'mm_fusion_msgs/AudioStamped, or AudioDataStamped or AudioStamped of '
            'audio_common_msgs',
        )
    rate_hz = whole('audio sample rate', rate, 1, _MAX_RATE_HZ)
    samples = _mono(interleaved, rate_hz, whole('audio channels', channels, 1, _MAX_CHANNELS))
    return AudioChunk(stamp_ns, received_ns, frame_id, rate_hz, samples)


def _samples_of_bytes(data: Any, sample_format: str) -> NDArray[Any]:
    if sample_format not in _SAMPLE_FORMATS:
        raise SampleError(
            DropReason.UNSUPPORTED,
            f'audio: found the sample format {sample_format!r}, '
            f'expected one of {", ".join(_SAMPLE_FORMATS)}',
        )
    dtype = np.dtype(_SAMPLE_FORMATS[sample_format])
    payload = octets('audio data', data)
    if payload.size % dtype.itemsize:
        raise SampleError(
            DropReason.MALFORMED,
            f'audio: found {payload.size} bytes, '
            f'expected a multiple of {dtype.itemsize} for {sample_format}',
        )
    return payload.view(dtype)


def _samples_of_array(audio_data: Any, code: int) -> NDArray[Any]:
    if code not in _PORTAUDIO_ARRAYS:
        raise SampleError(
            DropReason.UNSUPPORTED,
            f'audio: found the PortAudio format {code!r}, '
            f'expected one of {", ".join(map(str, _PORTAUDIO_ARRAYS))}',
        )
    name, type_code = _PORTAUDIO_ARRAYS[code]
    samples = np.asarray(getattr(audio_data, name))
    if samples.ndim != 1 or samples.size == 0 or samples.dtype != np.dtype(type_code):
        raise SampleError(
            DropReason.MALFORMED,
            f'audio of PortAudio format {code}: found {name} of type {samples.dtype} and shape '
            f'{samples.shape}, expected samples of type {np.dtype(type_code)}',
        )
    return samples


def _mono(interleaved: NDArray[Any], rate_hz: int, channels: int) -> NDArray[np.float32]:
    frames, rest = divmod(interleaved.size, channels)
    if rest:
        raise SampleError(
            DropReason.MALFORMED,
            f'audio: found {interleaved.size} samples, expected a multiple of {channels} channels',
        )
    if frames > rate_hz * _MAX_CHUNK_S:
        raise SampleError(
            DropReason.MALFORMED,
            f'audio: found {frames} frames at {rate_hz} Hz, expected {_MAX_CHUNK_S} s at most',
        )
    samples = _full_scale(interleaved)
    return samples if channels == 1 else samples.reshape(frames, channels).mean(axis=1)


def _full_scale(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Scale samples of any type to float32 in [-1, 1]."""
    if samples.dtype.kind == 'f':
        if not np.isfinite(samples).all():
            raise SampleError(DropReason.NOT_FINITE, 'audio: found a sample that is not finite')
        return np.clip(samples, -1.0, 1.0).astype(np.float32, copy=False)
    scale = np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
    scaled: NDArray[np.float32] = samples.astype(np.float32) * scale
    return scaled - np.float32(1.0) if samples.dtype.kind == 'u' else scaled
