# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Evaluate many recordings, one after the other or in processes."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.bags import read_bag
from mm_fusion.evaluation.recorded import evaluate_recorded
from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.runtime import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mm_fusion.drawing.ground_camera import CameraOptions
    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """How to evaluate a recording; small, so that it travels to other processes.

    Attributes:
        bundle: Folder of the model bundle; each process loads and verifies it.
        settings: All parameters.
        topics: Topic by role, where the choice by type is not wanted.
        recorded: Score recorded outputs instead of running the pipeline.
        frames: Number of sample frames to draw.
        camera: What is known better of the camera than the recordings say.
        align_truth: Turn the headings of odometry to its travel, straight on.
    """

    bundle: Path
    settings: Settings
    topics: Mapping[str, str] | None
    recorded: bool
    frames: int
    camera: CameraOptions
    align_truth: bool = False


def evaluate_bags(
    paths: Sequence[Path],
    job: Job,
    workers: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> list[BagResult]:
    """Evaluate recordings; the results come in the order of the paths, however many work.

    Args:
        paths: The recordings.
        job: How to evaluate each.
        workers: Number of processes.
        progress: Called with the number of recordings done, parts included, and a name.

    Raises:
        MmFusionError: One of them is refused; each is opened once before the work begins.
    """
    for path in paths:
        with read_bag(path, job.topics, job.settings):
            pass
    report = progress if progress is not None else _silent
    if workers > 1 and len(paths) > 1:
        return _in_processes(paths, job, workers, report)
    results = []
    for index, path in enumerate(paths):

        def part(share: float, index: int = index, path: Path = path) -> None:
            report(index + share, path.name)

        results.append(evaluate_one(path, job, part))
    return results


def evaluate_one(
    path: Path, job: Job, progress: Callable[[float], None] | None = None
) -> BagResult:
    """Evaluate one recording."""
    if job.recorded:
        return evaluate_recorded(
            path,
            job.settings,
            job.topics,
            progress,
            frames=job.frames,
            camera=job.camera,
            align_truth=job.align_truth,
        )
    return evaluate_bag(
        path,
        Bundle.load(job.bundle, job.settings.inference.bundle_public_key),
        job.settings,
        job.topics,
        progress,
        frames=job.frames,
        camera=job.camera,
        align_truth=job.align_truth,
    )


def _in_processes(
    paths: Sequence[Path], job: Job, workers: int, progress: Callable[[float, str], None]
) -> list[BagResult]:
    # A fresh interpreter for each: a fork would carry over locks of the inference runtime.
    context = multiprocessing.get_context('spawn')
    count = min(workers, len(paths))
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        futures = [pool.submit(evaluate_one, path, job) for path in paths]
        progress(0.0, f'{count} processes')
        for done, _ in enumerate(as_completed(futures), 1):
            progress(done, f'{count} processes')
        return [future.result() for future in futures]


def _silent(_done: float, _name: str) -> None:
    """Report no progress."""
