# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Replay a recording through a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from mm_fusion.bags import Truth
from mm_fusion.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mm_fusion.bags import BagEvent
    from mm_fusion.types.sensors import DropReason, Modality, Sample

_Said = TypeVar('_Said')
_Said_co = TypeVar('_Said_co', covariant=True)


class Replayable(Protocol[_Said_co]):
    """A pipeline: ``FusionPipeline`` says predictions, ``FeaturePipeline`` observations."""

    def push(self, sample: Sample) -> None:
        """Take in one sample."""

    def drop(self, modality: Modality, reason: DropReason) -> None:
        """Count a message that never became a sample."""

    def step(self, now_ns: int) -> _Said_co | None:
        """Say something of the oldest snapshot that is ready; None where none is."""

    def finish(self) -> Iterator[_Said_co]:
        """Say something of every snapshot that still waits."""

    @property
    def next_deadline_ns(self) -> int | None:
        """Time at which ``step`` has something at the latest; None where nothing waits."""


def replay(events: Iterable[BagEvent], pipeline: Replayable[_Said]) -> Iterator[_Said]:
    """Feed messages to a pipeline at their log time, and yield what it says, in order.

    Deadlines that fall between two messages are kept, so that the result is that of a live node
    that is never too slow. Messages of the ground truth are not fed.

    Args:
        events: Messages in order of their log time.
        pipeline: A fresh one.
    """
    for event in events:
        yield from _until(event.received_ns, pipeline)
        if isinstance(event.content, SampleError):
            if event.modality is not None:
                pipeline.drop(event.modality, event.content.reason)
        elif not isinstance(event.content, Truth):
            pipeline.push(event.content)
        yield from _drained(event.received_ns, pipeline)
    yield from pipeline.finish()


def _until(now_ns: int, pipeline: Replayable[_Said]) -> Iterator[_Said]:
    """Keep the deadlines that fall before the next message."""
    previous_ns = None
    while (due_ns := pipeline.next_deadline_ns) is not None and due_ns < now_ns:
        if due_ns == previous_ns:
            return
        previous_ns = due_ns
        yield from _drained(due_ns, pipeline)


def _drained(now_ns: int, pipeline: Replayable[_Said]) -> Iterator[_Said]:
    while (said := pipeline.step(now_ns)) is not None:
        yield said
