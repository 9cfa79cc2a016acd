# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The part of torch that the TensorRT backend uses, on the CPU, as strict as a device is.

Work that is put on a stream is done when the stream is synchronised and not before, so that
whoever reads too early gets what was there before. What CUDA forbids is refused.
"""

from __future__ import annotations

import importlib.machinery
import itertools
import threading
import types
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

DEFAULT_STREAM = 0


class Refused(RuntimeError):  # noqa: N818 - it says what happens
    """The device does not do this."""


class FakeStream:
    """A queue of work.

    Args:
        cuda: Whose it is.
        handle: 0 for the default stream.
    """

    def __init__(self, cuda: FakeCuda, handle: int) -> None:
        self.cuda = cuda
        self.cuda_stream = handle
        self.recording: FakeGraph | None = None
        self._work: list[Callable[[], None]] = []

    def put(self, work: Callable[[], None]) -> None:
        """Queue work, or record it."""
        if self.cuda_stream == DEFAULT_STREAM:
            raise self.cuda.refused('work on the default stream')
        if self.recording is not None:
            self.recording.work.append(work)
        else:
            self._work.append(work)

    def synchronize(self) -> None:
        """Do what is queued."""
        if self.recording is not None:
            raise self.cuda.refused('synchronise while recording')
        work, self._work = self._work, []
        for item in work:
            item()


class FakeGraph:
    """What ``torch.cuda.CUDAGraph`` is."""

    def __init__(self, cuda: FakeCuda) -> None:
        self.work: list[Callable[[], None]] = []
        self.replays = 0
        self._cuda = cuda

    def replay(self) -> None:
        """Queue what was recorded on the current stream."""
        if not self.work:
            raise self._cuda.refused('replay of an empty graph')
        self.replays += 1
        for item in self.work:
            self._cuda.current_stream().put(item)


class FakeTensor:
    """A tensor of the device, or of the host.

    Args:
        cuda: Whose device it is.
        array: Its values.
        on_device: Where it lies.
        pinned: Whether the device can reach it there.
    """

    def __init__(
        self, cuda: FakeCuda, array: NDArray[Any], *, on_device: bool, pinned: bool
    ) -> None:
        self.array = array
        self.on_device = on_device
        self.pinned = pinned
        self._cuda = cuda
        self._address = next(cuda.addresses)
        if on_device:
            cuda.memory[self._address] = self

    def data_ptr(self) -> int:
        """Address."""
        return self._address

    def numpy(self) -> NDArray[Any]:
        """Give the values where the host can reach them."""
        if self.on_device:
            raise self._cuda.refused('the host reads memory of the device')
        return self.array

    def copy_(self, source: FakeTensor, non_blocking: bool = False) -> FakeTensor:
        """Copy on the current stream."""
        stream = self._cuda.current_stream()
        if not all(tensor.on_device or tensor.pinned for tensor in (self, source)):
            raise self._cuda.refused('an asynchronous copy of memory that is not pinned')
        stream.put(lambda: np.copyto(self.array, source.array, casting='no'))
        if not non_blocking:
            stream.synchronize()
        return self


class FakeCuda:
    """What ``torch.cuda`` is.

    Attributes:
        available: Whether there is a device.
        capability: Of the device.
        name: Of the device.
        refusals: What was refused.
        graphs: Those that were made.
        refuse_capture: Let every recording fail, as for a network that cannot be recorded.
        memory: Tensors on the device by address.
    """

    def __init__(self) -> None:
        self.available = True
        self.capability = (8, 7)
        self.name = 'Fake GPU'
        self.refusals: list[str] = []
        self.graphs: list[FakeGraph] = []
        self.refuse_capture = False
        self.memory: weakref.WeakValueDictionary[int, FakeTensor] = weakref.WeakValueDictionary()
        self.addresses = itertools.count(4096, 256)
        self._handles = itertools.count(1)
        self._streams = {DEFAULT_STREAM: FakeStream(self, DEFAULT_STREAM)}
        self._thread = threading.local()

    def refused(self, why: str) -> Refused:
        """Note what is refused, and make the error."""
        self.refusals.append(why)
        return Refused(why)

    def is_available(self) -> bool:
        return self.available

    def current_device(self) -> int:
        return 0

    def get_device_name(self, index: int = 0) -> str:
        return self.name

    def get_device_capability(self, index: int) -> tuple[int, int]:
        return self.capability

    def Stream(self, index: int) -> FakeStream:  # noqa: N802 - torch's name
        stream = FakeStream(self, next(self._handles))
        self._streams[stream.cuda_stream] = stream
        return stream

    def CUDAGraph(self) -> FakeGraph:  # noqa: N802 - torch's name
        self.graphs.append(FakeGraph(self))
        return self.graphs[-1]

    def stream_of(self, handle: int) -> FakeStream:
        """Give the stream of a handle."""
        return self._streams[handle]

    def current_stream(self) -> FakeStream:
        stream: FakeStream = getattr(self._thread, 'stream', self._streams[DEFAULT_STREAM])
        return stream

    @contextmanager
    def device(self, index: int) -> Iterator[None]:
        yield

    @contextmanager
    def stream(self, stream: FakeStream) -> Iterator[None]:
        before, self._thread.stream = self.current_stream(), stream
        try:
            yield
        finally:
            self._thread.stream = before

    @contextmanager
    def graph(
        self, graph: FakeGraph, *, stream: FakeStream, capture_error_mode: str
    ) -> Iterator[None]:
        stream.synchronize()
        with self.stream(stream):
            stream.recording = graph
            try:
                yield
                if self.refuse_capture:
                    raise RuntimeError('operation not permitted when stream is capturing')
            finally:
                stream.recording = None


class FakeTorch(types.ModuleType):
    """What the module ``torch`` is."""

    float32 = np.dtype(np.float32)
    uint8 = np.dtype(np.uint8)

    def __init__(self) -> None:
        super().__init__('torch')
        self.__spec__ = importlib.machinery.ModuleSpec('torch', None)
        self.__version__ = '2.0+fake'
        self.cuda = FakeCuda()
        self.version = types.SimpleNamespace(cuda='12.6')

    def zeros(
        self,
        shape: tuple[int, ...],
        *,
        dtype: np.dtype[Any],
        device: str = 'cpu',
        pin_memory: bool = False,
    ) -> FakeTensor:
        array = np.zeros(shape, dtype)
        return FakeTensor(self.cuda, array, on_device=device.startswith('cuda'), pinned=pin_memory)
