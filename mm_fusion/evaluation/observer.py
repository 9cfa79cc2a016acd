# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Watch the messages of a recording go by, whatever becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.types.sensors import CompressedImage, RawImage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mm_fusion.bags import BagEvent, BagReader
    from mm_fusion.evaluation.frames import FramePicker
    from mm_fusion.recordings import TruthRecorder

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
        truth.add(event)
        if isinstance(event.content, RawImage | CompressedImage):
            picker.offer(event.content)
        yield event
    if progress is not None:
        progress(1.0)
