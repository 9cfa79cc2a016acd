# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What a recording may make of few bytes."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Any

import lz4.frame
import pytest
from rosbags.rosbag2 import ReaderError, StoragePlugin, Writer, storage_mcap

from mm_fusion.bags import read_bag
from mm_fusion.bags.limits import MAX_CHUNK_BYTES, MAX_METADATA_BYTES, _zstandard
from mm_fusion.bags.raw import RawBag
from mm_fusion.bags.typestore import known_types
from mm_fusion.errors import BagError

if TYPE_CHECKING:
    from pathlib import Path

TYPE = 'std_msgs/msg/Float32'
CLAIMED = 100_000
BOMB_BYTES = 200 * 1024**2


def recording(folder: Path, plugin: StoragePlugin = StoragePlugin.SQLITE3) -> Path:
    """Write three speeds into a rosbag2 folder, and return its only file."""
    store = known_types()
    with Writer(folder / 'bag', version=9, storage_plugin=plugin) as writer:
        connection = writer.add_connection('/velocity', TYPE, typestore=store)
        for stamp_ns in (10, 20, 30):
            message = store.serialize_cdr(store.types[TYPE](data=1.0), TYPE)
            writer.write(connection, stamp_ns, message)
    (file,) = (path for path in (folder / 'bag').iterdir() if path.suffix in ('.db3', '.mcap'))
    return file


def changed(folder: Path, *statements: str) -> Path:
    """Write a recording, and change its database."""
    path = recording(folder)
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def refused(path: Path) -> str:
    """Read everything by both readers; give what they say, which is the same."""
    with pytest.raises(BagError) as caught, read_bag(path) as bag:
        list(bag.events())
    with pytest.raises(BagError) as raw, RawBag(path) as raw_bag:
        list(raw_bag.messages(['/velocity']))
    assert str(raw.value) == str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize('plugin', list(StoragePlugin))
def test_a_sound_recording_is_read(tmp_path: Path, plugin: StoragePlugin) -> None:
    for path in (recording(tmp_path, plugin), tmp_path / 'bag'):
        with read_bag(path) as bag:
            assert [event.received_ns for event in bag.events()] == [10, 20, 30]


@pytest.mark.parametrize(
    ('statement', 'found'),
    [
        ('UPDATE messages SET data = 5', 'found int for a message, expected bytes'),
        ('UPDATE messages SET data = 1000000000000', 'found int for a message'),
        ("UPDATE messages SET data = 'text'", 'found str for a message'),
        ('UPDATE messages SET timestamp = -1', 'found the log time -1, expected 0 to 2^63 ns'),
        ('UPDATE messages SET timestamp = 2.5', 'found the log time 2.5'),
        ("UPDATE messages SET timestamp = 'x'", "found the log time 'x'"),
    ],
)
def test_a_cell_of_another_type_is_named(tmp_path: Path, statement: str, found: str) -> None:
    path = changed(tmp_path, f'{statement} WHERE id = 3')
    assert found in refused(path)


def test_views_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = changed(
        tmp_path,
        'DROP TABLE message_definitions',
        'CREATE VIEW message_definitions AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL '
        'SELECT i + 1 FROM n) SELECT i AS id, i AS topic_type, i AS encoding, '
        'i AS encoded_message_definition, i AS type_description_hash FROM n',
    )
    assert "found the views ['message_definitions'], expected tables alone" in refused(path)
    assert 'found the views' in refused(tmp_path / 'bag')


def test_a_metadata_file_without_end_is_refused(tmp_path: Path) -> None:
    recording(tmp_path)
    with (tmp_path / 'bag' / 'metadata.yaml').open('a') as file:
        file.write('#' * MAX_METADATA_BYTES)
    assert f'found more than {MAX_METADATA_BYTES} bytes' in refused(tmp_path / 'bag')


def unfolding(codec: str) -> bytes:
    """Compress many zeros into few bytes."""
    zeros = bytes(BOMB_BYTES)
    compressors: dict[str, Any] = {'zstd': _zstandard.compress, 'lz4': lz4.frame.compress}
    return bytes(compressors[codec](zeros))


@pytest.mark.parametrize('codec', ['zstd', 'lz4'])
def test_a_chunk_unfolds_no_further_than_it_claims(tmp_path: Path, codec: str) -> None:
    """The library would unfold all of it, and compare afterwards."""
    with read_bag(recording(tmp_path, StoragePlugin.MCAP)):
        bomb = unfolding(codec)
        tracemalloc.start()
        with pytest.raises(ReaderError, match='Chunk size mismatch: expected 100000 bytes'):
            storage_mcap.decompress(bomb, codec, CLAIMED, 0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10 * CLAIMED
        with pytest.raises(BagError, match=f'expected at most {MAX_CHUNK_BYTES}'):
            storage_mcap.decompress(bomb, codec, MAX_CHUNK_BYTES + 1, 0)


@pytest.mark.parametrize('codec', ['zstd', 'lz4'])
def test_a_chunk_that_keeps_its_word_is_decompressed(codec: str) -> None:
    content = bytes(range(256)) * 1000
    compressors: dict[str, Any] = {'zstd': _zstandard.compress, 'lz4': lz4.frame.compress}
    packed = compressors[codec](content)
    assert storage_mcap.decompress(packed, codec, len(content), 0) == content
    if codec == 'zstd':
        half = compressors[codec](content[:1000]) + compressors[codec](content[1000:])
        assert storage_mcap.decompress(half, codec, len(content), 0) == content
