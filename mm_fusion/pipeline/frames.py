# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What frames are by themselves, made while they wait for the other sensors."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.errors import SampleError
from mm_fusion.features.quality import image_quality
from mm_fusion.pipeline.beside import Begun
from mm_fusion.types.sensors import DropReason

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.features import Featurizer
    from mm_fusion.types.sensors import ImageSample

_MOST_BEGUN = 8
"""Frames that are remembered; one that is asked for after so many others is made anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a frame is by itself.

    Attributes:
        image: Input of the network, uint8 (1, height, width, 3), RGB; None where it takes none,
            or the frame is of no use.
        quality: 0 to 1; None where it could not be told.
        cause: Why the frame is of no use; None where it is.
        duration_s: How long that took.
    """

    image: NDArray[np.uint8] | None
    quality: float | None
    cause: DropReason | None
    duration_s: float


class Frames:
    """Make the image of the network of each frame, as soon as it comes where there is a thread.

    A frame waits for the sound that covers it, some 10 to 20 ms, and the cores have little to do
    meanwhile. What is made does not depend on when: ``take`` makes what was not begun. A frame
    whose turn in the thread has not come when a newer one comes is left to ``take``, since a live
    node that cannot keep up will most likely never ask for it. While one is behind, the thread
    makes one frame at a time: the newest, once the last has been asked for. More would be for
    nothing.

    Args:
        featurizer: Makes the images.
        min_quality: Images below are of no use.
        ahead: Runs one call after another; None leaves every frame to ``take``.
        announce: Told in that thread each image of use that was made there.
    """

    def __init__(
        self,
        featurizer: Featurizer,
        min_quality: float,
        ahead: Executor | None,
        announce: Callable[[NDArray[np.uint8]], None] | None,
    ) -> None:
        self._featurizer = featurizer
        self._min_quality = min_quality
        self._ahead = ahead
        self._announce = announce
        self._begun: Begun[ImageSample, Seen] = Begun(_MOST_BEGUN)
        self._next: ImageSample | None = None

    def offer(self, frame: ImageSample, *, behind: bool = False) -> None:
        """Have a frame made, unless it was the last to be offered.

        Args:
            frame: The newest.
            behind: Not before what was begun has been asked for.
        """
        if behind and self._begun:
            self._next = frame
        else:
            self._next = None
            self._begin(frame)

    def begun(self, frame: ImageSample) -> bool:
        """Tell whether a frame has been made, or is being made."""
        return self._begun.under_way(frame)

    def take(self, frame: ImageSample) -> Seen:
        """Give what a frame is, and forget it and those that are older."""
        begun = self._begun.pop(frame)
        self._begun.forget(lambda other: other.stamp_ns < frame.stamp_ns)
        waiting, self._next = self._next, None
        if waiting is not None and waiting.stamp_ns > frame.stamp_ns:
            self._begin(waiting)
        return self._look(frame) if begun is None or begun.cancel() else begun.result()

    def _begin(self, frame: ImageSample) -> None:
        if self._ahead is not None:
            self._begun.begin_newest(frame, self._ahead, self._look_ahead)

    def _look_ahead(self, frame: ImageSample) -> Seen:
        seen = self._look(frame)
        if seen.image is not None and self._announce is not None:
            self._announce(seen.image)
        return seen

    def _look(self, frame: ImageSample) -> Seen:
        start = time.perf_counter()
        image, quality, cause = None, None, None
        try:
            image = self._featurizer.image(frame)
            if image is not None:
                quality = image_quality(image[0])
                if quality < self._min_quality:
                    image, cause = None, DropReason.LOW_QUALITY
        except SampleError as error:
            cause = error.reason
        return Seen(image, quality, cause, time.perf_counter() - start)
