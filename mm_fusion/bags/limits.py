# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Bounds on what a recording may make of few bytes, before the library reads it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from lz4.frame import LZ4FrameDecompressor
from rosbags.rosbag2 import Reader, storage_mcap

from mm_fusion.documents import read_bytes
from mm_fusion.errors import BagError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from rosbags.interfaces import Connection

MAX_CHUNK_BYTES = 1024**3
"""Of a chunk of MCAP, decompressed: rosbag2 writes chunks of 768 KiB, others of some MiB."""

MAX_METADATA_BYTES = 16 * 1024**2
"""Of a metadata.yaml: a line for each file and topic."""

_END_OF_TIME_NS = 2**63
_SQLITE_START = b'SQLite format 3\0'
_zstandard: Any = vars(storage_mcap)['zstd']
"""Of Python from 3.14 on, and before that of a package that stands in for it."""


def open_reader(path: Path) -> Reader:
    """Open a recording by the library, within bounds.

    The library decompresses a chunk without a limit and compares its size afterwards: here its
    decompressors are replaced by ones that end at the size that the chunk claims.

    Args:
        path: Folder with a metadata.yaml, or a single .mcap or .db3 file.

    Raises:
        BagError: It claims too much, or has views where rosbag2 writes tables.
        Exception: What the library raises for a damaged file.
    """
    if path.is_dir():
        read_bytes(path / 'metadata.yaml', MAX_METADATA_BYTES)
    for file in path.glob('*.db3') if path.is_dir() else [path]:
        _refuse_views(file)
    storage_mcap.DECOMPRESSORS.update({'lz4': _lz4, 'zstd': _zstd})
    reader = Reader(path)
    reader.open()
    return reader


def checked_messages(
    reader: Reader, connections: Collection[Connection]
) -> Iterator[tuple[Connection, int, bytes]]:
    """Yield connection, log time and serialised message, in order of log time.

    The cells of a database hold values of any type, whatever its columns say.

    Raises:
        BagError: A log time or a message is of another type, or a log time lies out of bounds.
        Exception: What the library raises for a damaged file.
    """
    for connection, received_ns, data in reader.messages(connections):
        found: tuple[Any, Any] = received_ns, data
        if not isinstance(found[0], int) or not 0 <= received_ns < _END_OF_TIME_NS:
            raise BagError(
                f'{connection.topic}: found the log time {received_ns!r}, expected 0 to 2^63 ns'
            )
        if not isinstance(found[1], bytes | memoryview):
            raise BagError(
                f'{connection.topic}: found {type(data).__name__} for a message, expected bytes'
            )
        yield connection, received_ns, bytes(data)


def _refuse_views(path: Path) -> None:
    """Refuse a database in which reading a table computes rows, of which there is no end."""
    with path.open('rb') as file:
        if file.read(len(_SQLITE_START)) != _SQLITE_START:
            return
    place = f'{path.absolute().as_uri()}?immutable=1'
    with closing(sqlite3.connect(place, uri=True)) as connection:
        views = connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
    if views:
        raise BagError(f'found the views {[name for (name,) in views]}, expected tables alone')


def _lz4(data: bytes, size: int) -> bytes:
    _check_size(size)
    return bytes(LZ4FrameDecompressor().decompress(data, max_length=size + 1))


def _zstd(data: bytes, size: int) -> bytes:
    _check_size(size)
    parts: list[bytes] = []
    left = size + 1
    while data and left > 0:
        frame = _zstandard.ZstdDecompressor()
        part = frame.decompress(data, max_length=left)
        parts.append(part)
        left -= len(part)
        if not frame.eof:
            break
        data = frame.unused_data
    return b''.join(parts)


def _check_size(size: int) -> None:
    if size > MAX_CHUNK_BYTES:
        raise BagError(f'found a chunk of {size} bytes, expected at most {MAX_CHUNK_BYTES}')
