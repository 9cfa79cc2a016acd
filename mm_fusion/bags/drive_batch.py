# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Write many simulated drives at once, each whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mm_fusion.bags.drive_writer import description, recorded_description, write_drive
from mm_fusion.errors import BagError
from mm_fusion.simulation.drive import SimulatedDrive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mm_fusion.bags.drive_messages import ImageTransport
    from mm_fusion.simulation.scenario import Scenario

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class DriveJob:
    """A drive to write.

    Attributes:
        scenario: What it is made from.
        path: Where to, as for :func:`~mm_fusion.bags.drive_writer.write_drive`.
        images: How camera frames are stored.
    """

    scenario: Scenario
    path: Path
    images: ImageTransport


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is.

    Attributes:
        drives: Drives that are whole.
        frames: Camera frames written, those of unfinished drives included.
        simulated_s: Time driven, that of unfinished drives included.
    """

    drives: int
    frames: int
    simulated_s: float


class _Stopped(Exception):  # noqa: N818 - no error: the writer is to leave nothing behind
    """The batch ends early."""


class _Worker:
    """What the processes of a batch share; each has its own copy."""

    shared: Any = None
    stop: Any = None

    @classmethod
    def start(cls, shared: Any, stop: Any, threads: int) -> None:
        """Prepare a process."""
        # Mesa starts a thread for each core, in each process.
        os.environ.setdefault('LP_NUM_THREADS', str(threads))
        cls.shared, cls.stop = shared, stop

    @classmethod
    def write(cls, job: DriveJob) -> None:
        """Write one drive."""
        done_frames, done_s = 0, 0.0

        def progress(frames: int, time_s: float) -> None:
            nonlocal done_frames, done_s
            if cls.stop.is_set():
                raise _Stopped
            with cls.shared.get_lock():
                cls.shared[0] += frames - done_frames
                cls.shared[1] += time_s - done_s
            done_frames, done_s = frames, time_s

        write_drive(SimulatedDrive(job.scenario), job.path, progress, job.images)


def is_written(job: DriveJob) -> bool:
    """Tell whether the drive of a job is there already, as a rosbag2 folder.

    Raises:
        BagError: Something else is there.
    """
    if not job.path.exists():
        return False
    if recorded_description(job.path) != description(job.scenario, job.images):
        raise BagError(
            f'{job.path}: exists already, and was not made from this scenario with these options '
            'by this version; choose another folder'
        )
    return True


def write_drives(
    jobs: Sequence[DriveJob],
    workers: int,
    progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> BatchProgress:
    """Write drives in processes.

    Whatever ends it early, an interrupt included, leaves the drives that are whole, and no other.

    Args:
        jobs: What to write.
        workers: Number of processes.
        progress: Called a few times a second.

    Raises:
        MmFusionError: A drive cannot be made or written; the others are given up.
    """
    # A fresh interpreter for each: a fork would carry over the state of the graphics driver.
    context = multiprocessing.get_context('spawn')
    count = max(min(workers, len(jobs)), 1)
    shared = context.Array('d', 2)
    stop = context.Event()
    threads = max((os.cpu_count() or 1) // count, 1)
    pool = ProcessPoolExecutor(count, context, _Worker.start, (shared, stop, threads))

    def state(drives: int) -> BatchProgress:
        return BatchProgress(drives, round(shared[0]), shared[1])

    try:
        waiting = _submitted(pool, jobs)
        done: set[Future[None]] = set()
        while waiting:
            finished, waiting = wait(waiting, _POLL_S, FIRST_COMPLETED)
            for future in finished:
                future.result()
            done |= finished
            progress(state(len(done)))
        return state(len(done))
    except BrokenProcessPool as error:
        raise BagError('a process that wrote a drive has died') from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, jobs: Sequence[DriveJob]) -> set[Future[None]]:
    """Hand out the jobs, which starts the processes.

    The interrupt of a terminal goes to all of them, but is for the one that waits for the others.
    A process takes over what is blocked where it is started, so that it never sees one, not even
    while it imports.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return {pool.submit(_Worker.write, job) for job in jobs}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
