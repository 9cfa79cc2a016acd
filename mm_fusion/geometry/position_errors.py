# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""How the errors of a receiver's positions hang together: mostly slow, with some noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

_DRIFT_TIME_S = 300.0
"""Of the slow part: satellites, their clocks and the air change over minutes."""

_FIRST_NOISE, _FIRST_WEIGHT = 0.1, 5.0
"""The share of noise that is taken at first, and how many positions it counts for."""

_LONGEST = 100.0
"""Positions after which what earlier ones told is forgotten."""

_LEAST_NOISE, _MOST_NOISE = 0.0025, 1.0


@dataclass(frozen=True, slots=True)
class PositionErrors:
    """What is known of the errors of one receiver, in shares of the covariance that it tells.

    A receiver tells how far its positions lie from the truth. From one to the next most of that
    error stays the same, as satellites and filters inside do: how a vehicle turns shows in
    positions that are a metre off. The error is modelled as a first-order Gauss-Markov process
    and white noise. How much is white is learned from how far positions lie from where the last
    ones and the motion put the vehicle (Mehra, 1970, On the identification of variances and
    adaptive Kalman filtering): receivers range from a hundredth to all of it.

    Attributes:
        mean: Of the shares of white noise that were seen.
        weight: How many positions that rests on.
    """

    mean: float = _FIRST_NOISE
    weight: float = _FIRST_WEIGHT

    @property
    def noise(self) -> float:
        """Of white noise."""
        return min(_MOST_NOISE, max(_LEAST_NOISE, self.mean))

    @property
    def slow(self) -> float:
        """Of the slow part."""
        return 1.0 - self.noise

    @property
    def jump(self) -> float:
        """Of the change where the slow part is another one at once: other reflections."""
        return 2.0 * self.slow

    def drift(self, apart_s: float) -> float:
        """Of the change of the slow part between two positions."""
        return self.jump * -math.expm1(-max(apart_s, 0.0) / _DRIFT_TIME_S)

    def after(self, squared_m2: float, expected_m2: float, variance_m2: float) -> PositionErrors:
        """Learn from one position.

        Args:
            squared_m2: Its squared distance from where it was expected.
            expected_m2: The mean of that if positions had no white noise.
            variance_m2: Of both axes together, as the receiver tells.
        """
        # Bounded, so that one outlier or one doubtful prediction says no more than others.
        seen = max(-_MOST_NOISE, min(_MOST_NOISE, (squared_m2 - expected_m2) / variance_m2))
        weight = min(_LONGEST, self.weight + 1.0)
        return PositionErrors(self.mean + (seen - self.mean) / weight, weight)
