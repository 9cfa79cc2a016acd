# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Decoded recordings are kept whole, found again, and made anew where they are damaged."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.training.data import cache as cache_module
from mm_fusion.training.data.cache import Entry, EntryWriter, decoded
from mm_fusion.training.data.recorded import DecodingOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    path = tmp_path / 'drive.mcap'
    path.write_bytes(b'recorded')
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stand in for the decoding, and list what was decoded."""
    paths: list[Path] = []

    def decode(path: Path, _options: object, writer: EntryWriter, _progress: object) -> None:
        paths.append(path)
        for number in range(3):
            writer.add('image', np.full((2, 2), number, np.uint8))
        writer.column('stamps_ns', np.arange(5))
        writer.column('audio', np.zeros((0, 7), np.int16))
        writer.about = {'duration_s': 1.5}

    monkeypatch.setattr(cache_module, 'decode_recording', decode)
    return paths


def test_columns_come_back_as_they_were_written(bag: Path, made: list[Path]) -> None:
    entry = Entry(decoded(bag, DecodingOptions(), bag.parent / 'cache'))
    assert entry.columns['image'].tolist() == [[[n, n], [n, n]] for n in range(3)]
    assert entry.columns['stamps_ns'].tolist() == list(range(5))
    assert entry.columns['audio'].shape == (0, 7)
    assert isinstance(entry.columns['image'], np.memmap)
    assert entry.about == {'duration_s': 1.5}
    assert len(made) == 1


def test_the_same_bytes_are_decoded_once_whatever_their_name(bag: Path, made: list[Path]) -> None:
    cache = bag.parent / 'cache'
    copy = bag.with_name('copy.mcap')
    copy.write_bytes(bag.read_bytes())
    folders = {decoded(path, DecodingOptions(), cache) for path in (bag, bag, copy)}
    assert len(folders) == len(made) == 1
    decoded(bag, DecodingOptions(period_s=0.25), cache)
    copy.write_bytes(b'recorded otherwise')
    decoded(copy, DecodingOptions(), cache)
    assert len(made) == 3
    assert [path.suffix for path in cache.iterdir()] == [''] * 3


@pytest.mark.parametrize('damage', ['truncate', 'remove', 'describe', 'enlarge'])
def test_a_damaged_entry_is_made_anew(bag: Path, made: list[Path], damage: str) -> None:
    folder = decoded(bag, DecodingOptions(), bag.parent / 'cache')
    column = folder / 'image.npy'
    content = column.read_bytes()
    if damage == 'truncate':
        column.write_bytes(content[:-1])
    elif damage == 'enlarge':
        column.write_bytes(content + b'x')
    elif damage == 'remove':
        column.unlink()
    else:
        (folder / 'entry.json').write_text('{"bytes": ')
    with pytest.raises(DatasetError, match='cannot be read'):
        Entry(folder)
    assert decoded(bag, DecodingOptions(), bag.parent / 'cache') == folder
    assert len(made) == 2
    assert len(Entry(folder).columns['image']) == 3


def test_nothing_is_left_of_a_decoding_that_failed(
    bag: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path, _options: object, writer: EntryWriter, _progress: object) -> None:
        writer.column('stamps_ns', np.arange(5))
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(cache_module, 'decode_recording', fail)
    with pytest.raises(DatasetError, match=r'cannot keep drive\.mcap.*No space left'):
        decoded(bag, DecodingOptions(), bag.parent / 'cache')
    assert list((bag.parent / 'cache').iterdir()) == []


def test_an_entry_travels_by_its_folder(bag: Path, made: list[Path]) -> None:
    entry = Entry(decoded(bag, DecodingOptions(), bag.parent / 'cache'))
    received = copy.deepcopy(entry)  # by the same protocol as between processes
    image = received.columns['image']
    assert isinstance(image, np.memmap)
    assert str(image.filename) == str(entry.folder / 'image.npy')
    assert made == [bag]


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with EntryWriter(tmp_path) as writer:
        writer.add('image', np.zeros((2, 2), np.uint8))
        with pytest.raises(ValueError, match='found rows'):
            writer.add('image', np.zeros((2, 3), np.uint8))
