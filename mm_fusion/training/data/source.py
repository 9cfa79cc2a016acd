# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What every source of samples offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.training.data.sample import Sample

CLASS_COUNTS = {task: len(classes) for task, classes in SURFACE_CLASSES.items()} | {'siren': 2}
"""Number of classes of each task that has classes."""


class Source(Protocol):
    """Samples of one kind."""

    @property
    def name(self) -> str:
        """Name of the source, for messages."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that the samples are made from, in hexadecimal."""

    @property
    def groups(self) -> Sequence[str]:
        """What must not be split, of each sample: scene, recording or drive."""

    @property
    def strata(self) -> Sequence[str]:
        """What a split spreads evenly, of each sample."""

    @property
    def targets(self) -> Mapping[str, NDArray[np.int64]]:
        """Class of each sample by task of ``CLASS_COUNTS``, ``UNLABELLED`` where unknown."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def describe(self, index: int) -> str:
        """Say which sample this is, for messages."""

    def sample(
        self,
        index: int,
        random: np.random.Generator | None,
        partners: NDArray[np.int64] | None = None,
    ) -> Sample:
        """Make one sample.

        Args:
            index: Which.
            random: Source of the augmentation's randomness; None leaves the sample as it is.
            partners: Samples of this source that augmentation may mix in. Give those that are
                trained on, so that nothing of a held-out one is learned; None mixes nothing in.
        """


def class_counts(source: Source, task: str, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the chosen samples of each class: int64 (classes,)."""
    targets = source.targets[task][chosen]
    return np.bincount(targets[targets != UNLABELLED], minlength=CLASS_COUNTS[task])
