# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What frames are by themselves, made while they wait for the other sensors."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.errors import SampleError
from mm_fusion.features.quality import image_quality
from mm_fusion.types.sensors import DropReason

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

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
    node that cannot keep up will most likely never ask for it.

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
        self._lock = threading.Lock()
        self._begun: deque[tuple[ImageSample, Future[Seen]]] = deque(maxlen=_MOST_BEGUN)

    def offer(self, frame: ImageSample) -> None:
        """Have a frame made, unless it was the last to be offered."""
        if self._ahead is None:
            return
        with self._lock:
            if self._begun:
                newest, future = self._begun[-1]
                if newest is frame:
                    return
                if future.cancel():
                    self._begun.pop()
            self._begun.append((frame, self._ahead.submit(self._look_ahead, frame)))

    def begun(self, frame: ImageSample) -> bool:
        """Tell whether a frame has been made, or is being made."""
        with self._lock:
            return any(
                known is frame and (future.running() or future.done())
                for known, future in self._begun
            )

    def take(self, frame: ImageSample) -> Seen:
        """Give what a frame is, and forget it and those that were offered before it."""
        future = self._pop(frame)
        return self._look(frame) if future is None or future.cancel() else future.result()

    def _pop(self, frame: ImageSample) -> Future[Seen] | None:
        with self._lock:
            if all(known is not frame for known, _ in self._begun):
                return None
            while True:
                known, future = self._begun.popleft()
                if known is frame:
                    return future

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
