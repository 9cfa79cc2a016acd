# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Built engines on disk, found by everything that went into them.

An engine is two files named by its key: ``KEY.plan``, and ``KEY.json`` with the checksum of the
plan and what the key is made of. Both appear whole or not at all, under a lock that all processes
share, so that two that want the same engine build it once.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import logging
import os
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import BackendError
from mm_fusion.runtime.tensorrt.builder import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

SCHEMA = 1
"""Grows with every change of how engines are built that the other parts of a key do not tell."""
LIMIT_BYTES = 2 * 1024**3
_LOCK_POLL_S = 0.2
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineKey:
    """Everything that an engine depends on.

    Attributes:
        stage: Name; the graph tells the rest.
        graph_sha256: Of the ONNX bytes; the graphs of a bundle have no other files.
        precision: Of the graph.
        profile: Name and shape of each input, sorted.
        optimisation_level: Of the build.
        tensorrt_version: An engine is of one version only.
        cuda_version: That torch was built with.
        gpu: Its name.
        compute_capability: Of the GPU.
        schema: ``SCHEMA``.
    """

    stage: str
    graph_sha256: str
    precision: str
    profile: tuple[tuple[str, tuple[int, ...]], ...]
    optimisation_level: int
    tensorrt_version: str
    cuda_version: str
    gpu: str
    compute_capability: str
    schema: int = SCHEMA

    @property
    def digest(self) -> str:
        """sha256 over all of them, in hexadecimal."""
        content = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class CachedEngine:
    """An engine that TensorRT has loaded.

    Attributes:
        engine: What ``load`` gave.
        built: Whether it had to be built.
        sha256: Of its plan.
        size_bytes: Of its plan.
    """

    engine: Any
    built: bool
    sha256: str
    size_bytes: int


def user_cache() -> Path | None:
    """Give the folder of engines among the caches of the user; None where there is no home."""
    named = os.environ.get('XDG_CACHE_HOME')
    try:
        home = Path(named) if named else Path.home() / '.cache'
    except RuntimeError:
        return None
    return home / 'mm_fusion' / 'engines'


class EngineCache:
    """Engines in a folder, the least recently used of which go where they exceed a limit.

    A folder that cannot be used costs a build at each start and nothing else; ``problem`` says so.

    Args:
        folder: Made where it is missing; None where there is none to be had.
        cancelled: Set to give up waiting for another process.
        limit_bytes: Of all plans together.

    Attributes:
        problem: Why engines are not kept; empty where they are.
    """

    def __init__(
        self, folder: Path | None, cancelled: Event, *, limit_bytes: int = LIMIT_BYTES
    ) -> None:
        self._folder = folder
        self._cancelled = cancelled
        self._limit_bytes = limit_bytes
        self.problem = ''
        if folder is None:
            self._give_up('there is no home folder')

    def engine(
        self, key: EngineKey, build: Callable[[], bytes], load: Callable[[bytes], Any]
    ) -> CachedEngine:
        """Load an engine, or build and keep it.

        Args:
            key: Of the engine.
            build: Gives its plan.
            load: Makes an engine of a plan; None where TensorRT refuses it.

        Raises:
            BackendError: It can be neither loaded nor built.
            Cancelled: It was given up.
        """
        with self._locked():
            plan = self._read(key.digest)
            engine = None if plan is None else load(plan)
            if plan is not None and engine is None:
                self._discard(key.digest, 'TensorRT does not load it')
            built = engine is None
            if engine is None:
                plan = build()
                self._write(key, plan)
        assert plan is not None  # noqa: S101 - read or built
        if engine is None:
            engine = load(plan)
        if engine is None:
            raise BackendError(f'{key.stage}: TensorRT refuses the engine that it just built')
        return CachedEngine(engine, built, hashlib.sha256(plan).hexdigest(), len(plan))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            file = self._lock_file()
        except OSError as error:
            self._give_up(f'{self._folder}: {error.strerror}')
            file = None
        if file is None:
            yield
            return
        with file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self._cancelled.wait(_LOCK_POLL_S):
                        raise Cancelled('waiting for the engine cache was given up') from None
            yield

    def _lock_file(self) -> Any:
        if self._folder is None:
            return None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (self._folder / 'lock').open('a', encoding='ascii')

    def _read(self, digest: str) -> bytes | None:
        """Read a plan and compare its checksum; None where none is sound."""
        if self._folder is None:
            return None
        path = self._folder / f'{digest}.json'
        try:
            found = json.loads(path.read_bytes())
            plan = path.with_suffix('.plan').read_bytes()
            sound = found['sha256'] == hashlib.sha256(plan).hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._discard(digest, f'it cannot be read: {error!r}')
            return None
        if not sound:
            self._discard(digest, 'its checksum is wrong')
            return None
        with suppress(OSError):  # a folder that is only read has no order of use
            os.utime(path)
        return plan

    def _discard(self, digest: str, why: str) -> None:
        assert self._folder is not None  # noqa: S101 - something was read from it
        _LOG.warning('engine %s.plan: %s; it is built again', digest[:12], why)
        with suppress(OSError):
            (self._folder / f'{digest}.json').unlink(missing_ok=True)
            (self._folder / f'{digest}.plan').unlink(missing_ok=True)

    def _write(self, key: EngineKey, plan: bytes) -> None:
        if self._folder is None or self.problem:
            return
        described = {
            **dataclasses.asdict(key),
            'sha256': hashlib.sha256(plan).hexdigest(),
            'bytes': len(plan),
        }
        try:
            self._make_room(len(plan))
            # The JSON file last: without it a plan is as good as not there.
            _write_whole(self._folder / f'{key.digest}.plan', plan)
            _write_whole(
                self._folder / f'{key.digest}.json', json.dumps(described, indent=1).encode()
            )
        except OSError as error:
            self._give_up(f'{self._folder}: {error.strerror}')

    def _make_room(self, size_bytes: int) -> None:
        """Delete what was not used for longest, and what an ended process left half written."""
        assert self._folder is not None  # noqa: S101 - something is written into it
        for path in self._folder.glob('*.partial'):
            path.unlink(missing_ok=True)
        for path in self._folder.glob('*.plan'):
            if not path.with_suffix('.json').exists():
                path.unlink(missing_ok=True)
        used = sorted(self._folder.glob('*.json'), key=lambda path: path.stat().st_mtime_ns)
        sizes = {path: _size(path.with_suffix('.plan')) for path in used}
        total = size_bytes + sum(sizes.values())
        for path in used:
            if total <= self._limit_bytes:
                break
            path.unlink(missing_ok=True)
            path.with_suffix('.plan').unlink(missing_ok=True)
            total -= sizes[path]

    def _give_up(self, why: str) -> None:
        if not self.problem:
            self.problem = f'engines are not kept: {why}'
            _LOG.warning('%s', self.problem)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _write_whole(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix='.partial')
    try:
        with os.fdopen(descriptor, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
