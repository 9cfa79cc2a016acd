# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How long each stage takes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stopwatch:
    """Measure how long each stage takes.

    Attributes:
        durations_s: Duration of each stage in seconds, in the order they first ended.
    """

    def __init__(self) -> None:
        self.durations_s: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Measure the block that this manages, under the name of a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - start)

    def add(self, stage: str, duration_s: float) -> None:
        """Count more time to a stage."""
        self.durations_s[stage] = self.durations_s.get(stage, 0.0) + duration_s
