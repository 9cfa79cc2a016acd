# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples that something is done to, the same each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mm_fusion.training.data.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.training.data.source import Source

Change: TypeAlias = Callable[[Sample, np.random.Generator], Sample]
"""Does it, with all its randomness from there."""


@dataclass(frozen=True, slots=True, eq=False)
class Altered:
    """A source whose samples are changed, the same each time.

    Attributes:
        source: Of the samples.
        change: What is done to each.
        seed: Of the change's randomness.
    """

    source: Source
    change: Change
    seed: int

    @property
    def name(self) -> str:
        """Name of the source."""
        return self.source.name

    @property
    def fingerprint(self) -> str:
        """Checksum of the source."""
        return self.source.fingerprint

    @property
    def groups(self) -> Sequence[str]:
        """Drive of each sample."""
        return self.source.groups

    @property
    def strata(self) -> Sequence[str]:
        """What a split spreads evenly."""
        return self.source.strata

    @property
    def targets(self) -> Mapping[str, NDArray[np.int64]]:
        """Classes by task."""
        return self.source.targets

    def __len__(self) -> int:
        return len(self.source)

    def describe(self, index: int) -> str:
        """Name the drive and the time."""
        return self.source.describe(index)

    def sample(
        self,
        index: int,
        random: np.random.Generator | None,
        partners: NDArray[np.int64] | None = None,
    ) -> Sample:
        """Make one changed sample."""
        own = np.random.default_rng((self.seed, index))
        return self.change(self.source.sample(index, random, partners), own)
