# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How long the stages between sensor and publisher took of late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECEIVE, ALIGN, PUBLISH = 'receive', 'align', 'publish'
STAGES = (
    RECEIVE,
    ALIGN,
    'track',
    'preprocess',
    'image_encoder',
    'audio_encoder',
    'motion_encoder',
    'fusion',
    'decode',
    PUBLISH,
)
"""From the middleware to the middleware, in order; those between are measured by the pipeline."""

SHARES = (0.5, 0.95, 0.99)
"""The quantiles that diagnostics tell."""

_MEMORY = 0.9
"""Share of the past in the mean: about ten values are remembered."""
_WINDOW = 512
"""Values that quantiles are taken of: half a minute at 15 frames a second."""


class Window:
    """A recent mean, and quantiles over the newest values, in memory that does not grow.

    One thread adds; any may read, and sees at worst a value that is about to be replaced.
    """

    def __init__(self) -> None:
        self._values = np.zeros(_WINDOW)
        self._count = 0
        self.mean = 0.0

    def __len__(self) -> int:
        """Count the values that quantiles are taken of."""
        return min(self._count, _WINDOW)

    def add(self, value: float) -> None:
        """Take in a value, which ousts the oldest."""
        self.mean = value if not self._count else _MEMORY * self.mean + (1 - _MEMORY) * value
        self._values[self._count % _WINDOW] = value
        self._count += 1

    def quantiles(self) -> NDArray[np.float64]:
        """Take the quantiles ``SHARES``; at least one value must have been added."""
        return np.asarray(np.quantile(self._values[: len(self)], SHARES), np.float64)


class Latencies:
    """How long each of ``STAGES`` took, in seconds, and the way from stamp to publication.

    Attributes:
        stamp_to_publish: From the stamp of an output until it had been handed to the middleware.
    """

    def __init__(self) -> None:
        self._stages = {stage: Window() for stage in STAGES}
        self.stamp_to_publish = Window()

    def add(self, stage: str, seconds: float) -> None:
        """Take in how long a stage took; each stage is added by one thread."""
        self._stages[stage].add(seconds)

    @property
    def stages(self) -> dict[str, Window]:
        """The stages that have run, in order."""
        return {stage: window for stage, window in self._stages.items() if len(window)}
