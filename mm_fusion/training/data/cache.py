# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Decoded recordings, kept in a folder by what they were made from.

An entry is a folder named by a hash over the bytes of the recording, the options of the decoding
and the version of this code. It holds one .npy file for each column and ``entry.json``. It appears
whole, by a rename, or not at all; one whose files are not those that were written is made anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

import mm_fusion
from mm_fusion.errors import DatasetError
from mm_fusion.training.data.recorded import DecodingOptions, decode_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from numpy.typing import NDArray

SCHEMA = 2
"""Counts changes of what an entry holds or how it is made."""

_ENTRY_FILE = 'entry.json'
_CHUNK = 1 << 20


class EntryWriter:
    """Write the columns of an entry; long ones row by row, so that they need no memory.

    Args:
        folder: An empty folder.

    Attributes:
        about: What else is kept, as JSON.
    """

    def __init__(self, folder: Path) -> None:
        self.about: dict[str, Any] = {}
        self._folder = folder
        self._stack = ExitStack()
        self._columns: dict[str, _Column] = {}

    def __enter__(self) -> EntryWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files, and write what describes them where nothing failed."""
        with self._stack:
            for column in self._columns.values():
                column.write_header()
        if kind is None:
            sizes = {name: (self._folder / f'{name}.npy').stat().st_size for name in self._columns}
            text = json.dumps({'schema': SCHEMA, 'bytes': sizes, 'about': self.about}, indent=1)
            (self._folder / _ENTRY_FILE).write_text(text, encoding='utf-8')

    def rows(self, name: str) -> int:
        """Return the number of rows of a column so far."""
        return self._columns[name].rows if name in self._columns else 0

    def add(self, name: str, row: NDArray[Any] | np.generic) -> None:
        """Add a row to a column; all of its rows have one shape and type."""
        self.column(name, np.asarray(row)[np.newaxis])

    def column(self, name: str, rows: NDArray[Any]) -> None:
        """Add rows to a column."""
        if name not in self._columns:
            stream = self._stack.enter_context((self._folder / f'{name}.npy').open('wb'))
            self._columns[name] = _Column(stream, rows.dtype, rows.shape[1:])
        self._columns[name].add(rows)


class _Column:
    """A .npy file that grows; numpy leaves room in the header for any number of rows."""

    def __init__(self, stream: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self.rows = 0
        self._stream = stream
        self._dtype = dtype
        self._shape = shape
        self.write_header()

    def write_header(self) -> None:
        self._stream.seek(0)
        np.lib.format.write_array_header_1_0(  # type: ignore[no-untyped-call]
            self._stream,
            {
                'descr': self._dtype.str,
                'fortran_order': False,
                'shape': (self.rows, *self._shape),
            },
        )

    def add(self, rows: NDArray[Any]) -> None:
        if rows.dtype != self._dtype or rows.shape[1:] != self._shape:
            raise ValueError(f'found rows {rows.dtype} {rows.shape[1:]}, expected {self._dtype}')
        self._stream.write(np.ascontiguousarray(rows).tobytes())
        self.rows += len(rows)


class Entry:
    """A decoded recording, its columns mapped into memory; travels to processes by its folder.

    Args:
        folder: Of the entry.

    Attributes:
        folder: Of the entry.
        about: What the writer kept beside the columns.
        columns: By name; the first axis counts the rows.

    Raises:
        DatasetError: The entry is not there, or its files are not those that were written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            document = json.loads((folder / _ENTRY_FILE).read_text(encoding='utf-8'))
            self.about: Mapping[str, Any] = document['about']
            self.columns: dict[str, NDArray[Any]] = {
                name: _mapped(folder / f'{name}.npy', size)
                for name, size in document['bytes'].items()
            }
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise DatasetError(f'{folder}: cannot be read: {error}') from error

    def __reduce__(self) -> tuple[type[Entry], tuple[Path]]:
        return (Entry, (self.folder,))


def _mapped(path: Path, size: int) -> NDArray[Any]:
    if path.stat().st_size != size:
        raise ValueError(f'{path.name}: found {path.stat().st_size} bytes, expected {size}')
    try:
        return np.asanyarray(np.load(path, mmap_mode='r', allow_pickle=False))
    except ValueError:  # a column without rows cannot be mapped
        return np.asarray(np.load(path, allow_pickle=False))


def decoded(
    path: Path,
    options: DecodingOptions,
    cache: Path,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Decode a recording, unless the cache has it.

    Args:
        path: Of the recording.
        options: How it becomes samples.
        cache: Folder of the entries; made where there is none.
        progress: Told the share of the recording that is done.

    Returns:
        Folder of the entry.

    Raises:
        BagError: The recording is missing or unreadable.
        DatasetError: The cache cannot be written.
    """
    try:
        folder = cache / _key(path, options)
        if not _readable(folder):
            cache.mkdir(parents=True, exist_ok=True)
            _build(path, options, folder, progress)
    except OSError as error:
        raise DatasetError(f'{cache}: cannot keep {path.name}: {error}') from error
    return folder


def _build(
    path: Path,
    options: DecodingOptions,
    folder: Path,
    progress: Callable[[float], None] | None,
) -> None:
    with tempfile.TemporaryDirectory(
        prefix=f'{folder.name}.', suffix='.partial', dir=folder.parent, ignore_cleanup_errors=True
    ) as name:
        partial = Path(name) / 'entry'
        partial.mkdir()
        with EntryWriter(partial) as writer:
            decode_recording(path, options, writer, progress)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            partial.rename(folder)
        except OSError:
            # Another process may have finished the same entry a moment ago.
            if not _readable(folder):
                raise


def _readable(folder: Path) -> bool:
    try:
        Entry(folder)
    except DatasetError:
        return False
    return True


def _key(path: Path, options: DecodingOptions) -> str:
    made_by = {
        'schema': SCHEMA,
        'version': mm_fusion.__version__,
        'period_s': options.period_s,
        'motion_period_s': options.motion_period_s,
        'topics': dict(options.topics or {}),
        'settings': dataclasses.asdict(options.settings),
    }
    digest = hashlib.sha256(json.dumps(made_by, sort_keys=True).encode())
    for file in [path] if path.is_file() else sorted(path.rglob('*')):
        if file.is_file():
            digest.update(file.suffix.encode())
            with file.open('rb') as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
    return digest.hexdigest()
