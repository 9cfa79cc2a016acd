# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Random choices as a person would note them down."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

Range: TypeAlias = 'tuple[float, float]'
"""Lowest and highest value."""

T = TypeVar('T')


class Draw:
    """Random choices in readable numbers.

    Args:
        rng: Of these choices alone.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def real(self, span: Range, digits: int = 2) -> float:
        """Draw from a range, evenly."""
        return round(float(self._rng.uniform(*span)), digits)

    def scale(self, span: Range) -> float:
        """Draw from a range of positive numbers, evenly by order of magnitude."""
        return round(float(span[0] * (span[1] / span[0]) ** self._rng.random()), 4)

    def chance(self, share: float) -> bool:
        """Say yes with a probability."""
        return bool(self._rng.random() < share)

    def one_of(self, shares: Mapping[str, float]) -> str:
        """Draw a name by its share."""
        names = list(shares)
        return names[int(self._rng.choice(len(names), p=list(shares.values())))]

    def among(self, values: Sequence[T]) -> T:
        """Draw a value, each as likely."""
        return values[int(self._rng.integers(len(values)))]

    def count(self, mean: float) -> int:
        """Draw a number of events."""
        return int(self._rng.poisson(mean))
