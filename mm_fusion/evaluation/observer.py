# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Watch the messages of a recording go by, whatever becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.bags import Truth
from mm_fusion.errors import SampleError
from mm_fusion.types.sensors import CompressedImage, RawImage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mm_fusion.bags import BagEvent, BagReader
    from mm_fusion.evaluation.frames import FramePicker
    from mm_fusion.evaluation.truth import TruthRecorder

_REPORTS = 200


def observed(
    bag: BagReader,
    truth: TruthRecorder,
    picker: FramePicker,
    progress: Callable[[float], None] | None,
) -> Iterator[BagEvent]:
    """Pass messages on, and keep what the ground truth and the sample frames need of them."""
    every = max(1, bag.message_count // _REPORTS)
    for index, event in enumerate(bag.events()):
        if progress is not None and index % every == 0:
            progress(index / bag.message_count)
        add_to_truth(truth, event)
        if isinstance(event.content, RawImage | CompressedImage):
            picker.offer(event.content)
        yield event
    if progress is not None:
        progress(1.0)


def add_to_truth(truth: TruthRecorder, event: BagEvent) -> None:
    """Keep what the ground truth needs of a message."""
    if isinstance(event.content, SampleError):
        truth.unusable += event.modality is None
    elif isinstance(event.content, Truth):
        truth.add_truth(event.content)
    else:
        truth.add_sample(event.content)
