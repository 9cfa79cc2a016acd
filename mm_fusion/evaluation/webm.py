# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Write WebM files with the AV1 encoder that the AVIF support of Pillow brings along.

The video writer of OpenCV cannot be told a quality, and spends a bit on every pixel of every
frame: ten times what is needed. An AVIF image sequence holds AV1 frames in the very form in which
WebM stores them ("AV1 Codec ISO Media File Format Binding" and "Matroska Codec: AV1", Alliance
for Open Media), so that frames are encoded as short sequences and moved over, each sequence as a
cluster that begins with a key frame.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from PIL import Image, features

from mm_fusion.errors import MmFusionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray

CLUSTER_FRAMES = 40
_QUALITY = 55
_SPEED = 10
_THREADS = 2
_TIMESTAMP_SCALE_NS = 1_000_000
_CONTAINERS = (b'moov', b'trak', b'mdia', b'minf', b'stbl')
_TEMPORAL_DELIMITER = b'\x12\x00'
"""An open bitstream unit that WebM leaves out."""

_UNKNOWN_SIZE = b'\x01\xff\xff\xff\xff\xff\xff\xff'


def can_write() -> bool:
    """Tell whether this build of Pillow can encode AVIF."""
    return bool(features.check('avif'))


class WebmWriter:
    """Write a video, as a context manager.

    Args:
        path: File to make.
        width: Of the frames, pixels; even.
        height: Of the frames, pixels; even.
        rate_hz: Frames a second.

    Raises:
        MmFusionError: Pillow was built without AVIF.
    """

    def __init__(self, path: Path, width: int, height: int, rate_hz: float) -> None:
        if not can_write():
            raise MmFusionError('video: expected a Pillow with AVIF, found one without')
        self._path = path
        self._size = (width, height)
        self._rate_hz = rate_hz
        self._waiting: list[Image.Image] = []
        self._written = 0
        self._cues: list[tuple[int, int]] = []
        self._file: BinaryIO
        self._segment = 0
        self._duration_at = 0

    def __enter__(self) -> WebmWriter:
        """Make the file."""
        self._file = self._path.open('wb')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the file; after an exception it is left as it is."""
        try:
            if error is None:
                self._flush()
                self._finish()
        finally:
            self._file.close()

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Append a frame: uint8 (height, width, 3), RGB."""
        self._waiting.append(Image.fromarray(frame))
        if len(self._waiting) == CLUSTER_FRAMES:
            self._flush()

    def _flush(self) -> None:
        """Encode the frames that wait, as a cluster of their own."""
        if not self._waiting:
            return
        configuration, samples = _encoded(self._waiting)
        if not self._written:
            self._begin(configuration)
        begin_ms = self._time_ms(self._written)
        self._cues.append((begin_ms, self._file.tell() - self._segment))
        blocks = [_element(0xE7, _unsigned(begin_ms))]
        for index, sample in enumerate(samples):
            after_ms = self._time_ms(self._written + index) - begin_ms
            head = b'\x81' + struct.pack('>hB', after_ms, 0x80 if index == 0 else 0)
            blocks.append(_element(0xA3, head + sample))
        self._file.write(_element(0x1F43B675, b''.join(blocks)))
        self._written += len(samples)
        self._waiting = []

    def _time_ms(self, index: int) -> int:
        return round(index * 1000 / self._rate_hz)

    def _begin(self, configuration: bytes) -> None:
        """Write everything that stands before the first cluster."""
        self._file.write(
            _element(
                0x1A45DFA3,
                _element(0x4286, b'\x01') + _element(0x42F7, b'\x01') + _element(0x42F2, b'\x04')
                + _element(0x42F3, b'\x08') + _element(0x4282, b'webm')
                + _element(0x4287, b'\x04') + _element(0x4285, b'\x02'),
            )
        )  # fmt: skip
        self._file.write(bytes.fromhex('18538067') + _UNKNOWN_SIZE)
        self._segment = self._file.tell()
        information = (
            _element(0x2AD7B1, _unsigned(_TIMESTAMP_SCALE_NS))
            + _element(0x4D80, b'mm_fusion') + _element(0x5741, b'mm_fusion')
        )  # fmt: skip
        duration = _element(0x4489, struct.pack('>d', 0.0))
        self._file.write(_element(0x1549A966, information + duration))
        self._duration_at = self._file.tell() - 8
        width, height = self._size
        track = (
            _element(0xD7, b'\x01') + _element(0x73C5, b'\x01') + _element(0x83, b'\x01')
            + _element(0x9C, b'\x00') + _element(0x86, b'V_AV1')
            + _element(0x63A2, configuration)
            + _element(0x23E383, _unsigned(round(1e9 / self._rate_hz)))
            + _element(0xE0, _element(0xB0, _unsigned(width)) + _element(0xBA, _unsigned(height)))
        )  # fmt: skip
        self._file.write(_element(0x1654AE6B, _element(0xAE, track)))

    def _finish(self) -> None:
        """Write the index, and the sizes that are known only now."""
        if not self._written:
            raise MmFusionError(f'video {self._path}: expected frames, found none')
        points = b''.join(
            _element(
                0xBB,
                _element(0xB3, _unsigned(time_ms))
                + _element(0xB7, _element(0xF7, b'\x01') + _element(0xF1, _unsigned(place))),
            )
            for time_ms, place in self._cues
        )
        self._file.write(_element(0x1C53BB6B, points))
        size = self._file.tell() - self._segment
        self._file.seek(self._segment - 8)
        self._file.write((size | 1 << 56).to_bytes(8, 'big'))
        self._file.seek(self._duration_at)
        self._file.write(struct.pack('>d', float(self._time_ms(self._written))))


def _element(identifier: int, content: bytes) -> bytes:
    """Make an element of EBML (RFC 8794): identifier, size, content."""
    name = identifier.to_bytes((identifier.bit_length() + 7) // 8, 'big')
    length = len(content)
    octets = next(count for count in range(1, 9) if length < (1 << 7 * count) - 1)
    return name + (length | 1 << 7 * octets).to_bytes(octets, 'big') + content


def _unsigned(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), 'big')


def _encoded(frames: list[Image.Image]) -> tuple[bytes, list[bytes]]:
    """Encode frames as AV1: the configuration record, and one temporal unit for each frame."""
    buffer = io.BytesIO()
    # A single frame would make a still picture, which has no track to take it from.
    several = frames if len(frames) > 1 else frames * 2
    several[0].save(
        buffer, 'AVIF', save_all=True, append_images=several[1:], duration=100,
        quality=_QUALITY, speed=_SPEED, subsampling='4:2:0', max_threads=_THREADS, codec='aom',
    )  # fmt: skip
    data = buffer.getvalue()
    boxes = dict(_boxes(data, 0, len(data)))
    sizes, chunks = _table(boxes[b'stsz'], 8), _table(boxes[b'stco'], 4)
    if len(sizes) != len(several) or len(chunks) != 1:
        raise MmFusionError(
            f'video: expected {len(several)} frames in one chunk, found {len(sizes)} in '
            f'{len(chunks)}'
        )
    ends = [chunks[0] + sum(sizes[: index + 1]) for index in range(len(sizes))]
    samples = [
        data[end - size : end].removeprefix(_TEMPORAL_DELIMITER)
        for end, size in zip(ends, sizes, strict=True)
    ]
    entry = boxes[b'stsd']
    at = entry.index(b'av1C')
    length = int.from_bytes(entry[at - 4 : at], 'big')
    return entry[at + 4 : at - 4 + length], samples[: len(frames)]


def _boxes(data: bytes, begin: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """Walk the boxes of an ISO base media file, into those that hold others."""
    while begin < end:
        size, kind = int.from_bytes(data[begin : begin + 4], 'big'), data[begin + 4 : begin + 8]
        if kind in _CONTAINERS:
            yield from _boxes(data, begin + 8, begin + size)
        else:
            yield kind, data[begin + 8 : begin + size]
        begin += size


def _table(box: bytes, skipped: int) -> list[int]:
    """Read a table of 32-bit numbers, behind version, flags and fields that are skipped."""
    count = int.from_bytes(box[skipped : skipped + 4], 'big')
    return list(struct.unpack_from(f'>{count}I', box, skipped + 4))
