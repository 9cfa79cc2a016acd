# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A backend that serves from a safe one while a faster one is prepared or has failed."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from mm_fusion.errors import BackendError, InferenceError, MmFusionError
from mm_fusion.runtime.manifest import FUSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mm_fusion.runtime.backend import Backend

    Prepare: TypeAlias = Callable[[Callable[[str], None], threading.Event], Backend]

FIRST_DELAY_S = 5.0
LONGEST_DELAY_S = 300.0
_LOG = logging.getLogger(__name__)


class SwitchingBackend:
    """Serve from one backend until another is ready, and again where that one fails.

    The faster one is prepared in a thread. The thread that calls ``run`` takes it up between two
    frames, after the fusion stage of one, and is from then on the only one to use it. A stage that
    fails on it is run again on the safe one, so that no frame is lost. Then it is prepared anew,
    after a delay that doubles with every failure up to ``LONGEST_DELAY_S``. One that cannot be had
    at all, or whose outputs differ, is not tried again.

    Args:
        safe: Serves meanwhile.
        prepare: Makes the faster one and checks it; given what to tell its progress to, and an
            event that is set when nobody waits for it any more.
        wanted: What is prepared, as in ``TensorRT``.
        why: Why it was chosen.
        clock: Monotonic, seconds.
    """

    def __init__(
        self,
        safe: Backend,
        prepare: Prepare,
        *,
        wanted: str,
        why: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._safe = safe
        self._prepare = prepare
        self._wanted = wanted
        self._why = why
        self._clock = clock
        self._active: Backend | None = None
        self._active_since_s = 0.0
        self._delay_s = FIRST_DELAY_S
        self._retry_at_s: float | None = None
        self._between_frames = True
        self._closed = threading.Event()
        self._state = ''
        self._job: _Job | None = None
        self._begin()

    concurrent = False
    """Stages come in order: between two frames it may switch to a backend of one thread."""

    @property
    def name(self) -> str:
        """Name of the one that serves."""
        active = self._active
        return self._safe.name if active is None else active.name

    @property
    def reason(self) -> str:
        """Why that one serves: what goes on, or what went wrong with the other."""
        job = self._job
        if job is not None and self._active is None:
            return f'{self._why}; {self._wanted} is being prepared: {job.progress}'
        return f'{self._why}; {self._state}'

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one stage; see :class:`mm_fusion.runtime.Backend`."""
        if self._between_frames:
            self._take_up()
        self._between_frames = True  # also where the stage fails, which uses up the frame
        outputs = self._serve(stage, inputs)
        self._between_frames = stage == FUSION
        return outputs

    def wait(self) -> None:
        """Wait until what is being prepared is ready or refused, and take it up."""
        if self._job is not None:
            self._job.thread.join()
        self._take_up()

    def close(self) -> None:
        """Give up what is being prepared, and let go of both backends."""
        self._closed.set()
        if self._job is not None:
            self._job.thread.join()
            if self._job.ready is not None:
                self._job.ready.close()
            self._job = None
        if self._active is not None:
            self._active.close()
            self._active = None
        self._safe.close()

    def _serve(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        active = self._active
        if active is None:
            return self._safe.run(stage, inputs)
        try:
            return active.run(stage, inputs)
        except InferenceError as error:
            # Where the safe one fails as well, the inputs are at fault and not the backend.
            outputs = self._safe.run(stage, inputs)
            self._active = None
            active.close()
            if self._clock() - self._active_since_s >= LONGEST_DELAY_S:
                self._delay_s = FIRST_DELAY_S
            self._retry_later(error)
            return outputs

    def _begin(self) -> None:
        self._retry_at_s = None
        self._job = _Job(self._prepare, self._closed)
        self._job.thread.start()

    def _take_up(self) -> None:
        """Take up what is ready, or begin to prepare it again where that is due."""
        job = self._job
        if job is None:
            if self._retry_at_s is not None and self._clock() >= self._retry_at_s:
                self._begin()
            return
        if job.thread.is_alive():
            return
        if job.ready is not None:
            self._state = job.ready.reason
            self._active = job.ready
            self._active_since_s = self._clock()
            _LOG.info('%s serves now: %s', job.ready.name, self._state)
        elif isinstance(job.failure, BackendError):
            self._state = f'{self._safe.name} serves: {job.failure}'
            _LOG.warning('%s', self._state)
        else:
            self._retry_later(job.failure)
        self._job = None

    def _retry_later(self, error: Exception | None) -> None:
        self._retry_at_s = self._clock() + self._delay_s
        self._state = (
            f'{self._safe.name} serves: {self._wanted} failed: {error}; '
            f'it is tried again after {self._delay_s:.0f} s'
        )
        _LOG.warning('%s', self._state)
        self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)


class _Job:
    """One preparation in a thread of its own."""

    def __init__(self, prepare: Prepare, closed: threading.Event) -> None:
        self.progress = 'just begun'
        self.ready: Backend | None = None
        self.failure: Exception | None = None
        self._prepare = prepare
        self._closed = closed
        self.thread = threading.Thread(target=self._run, name='prepare-backend', daemon=True)

    def _run(self) -> None:
        try:
            self.ready = self._prepare(self._say, self._closed)
        except MmFusionError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 - a thread must not end in silence
            _LOG.exception('defect while a backend was prepared')
            self.failure = BackendError(f'defect: {type(error).__name__}: {error}')

    def _say(self, text: str) -> None:
        self.progress = text
        _LOG.info('%s', text)
