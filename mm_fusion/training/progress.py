# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How long jobs tell how far they have come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Progress(Protocol):
    """Told how far a job has come."""

    def __call__(self, job: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` steps of ``job`` are finished."""


def silent(job: str, done: int, total: int) -> None:
    """Tell nobody."""


def named(progress: Progress, prefix: str) -> Progress:
    """Put a prefix before the names of jobs."""

    def report(job: str, done: int, total: int) -> None:
        progress(f'{prefix}: {job}', done, total)

    return report


def of_job(progress: Progress, job: str) -> Callable[[int, int], None]:
    """Leave out the name of the job where there is one alone."""

    def report(done: int, total: int) -> None:
        progress(job, done, total)

    return report
