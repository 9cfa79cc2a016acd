# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Sums over road states that were compared with the truth along a drive.

Every score follows from counts and sums, so that those of many recordings add up.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.metrics.classification import accuracy, unweighted_average_recall
from mm_fusion.metrics.road_state import SURFACE_TABLES, surface_confusion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LONGEST_HOLD_S = 0.5
"""An output stands for the time up to the next one, but no longer than this."""

SAME_EVENT_S = 2.0
"""A siren that is silent for less than this has not ended."""


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceSums:
    """Surface states compared with the truth.

    Attributes:
        count: Outputs compared.
        matrices: For each of ``SURFACE_TABLES``: int64 (c, c), outputs by true (row) and most
            probable class (column).
        coefficients: Outputs of which the true friction coefficient is known.
        coefficient_error: Their absolute errors, summed.
    """

    count: int
    matrices: Mapping[str, NDArray[np.int64]]
    coefficients: int
    coefficient_error: float

    def __add__(self, other: SurfaceSums) -> SurfaceSums:
        """Join two recordings."""
        return SurfaceSums(
            self.count + other.count,
            {name: self.matrices[name] + other.matrices[name] for name in SURFACE_TABLES},
            self.coefficients + other.coefficients,
            self.coefficient_error + other.coefficient_error,
        )

    def accuracy(self, table: str) -> float:
        """Share of outputs with the true class; NaN without any."""
        return accuracy(self.matrices[table])

    def average_recall(self, table: str) -> float:
        """Mean recall over the true classes that occur (UAR); NaN without any."""
        return unweighted_average_recall(self.matrices[table])

    @property
    def coefficient_mae(self) -> float:
        """Mean absolute error of the friction coefficient; NaN without any."""
        return self.coefficient_error / self.coefficients if self.coefficients else float('nan')


def score_surfaces(
    posteriors: Mapping[str, NDArray[np.float64]],
    targets: Mapping[str, NDArray[np.int64]],
    coefficients: NDArray[np.float64],
    true_coefficients: NDArray[np.float64],
) -> SurfaceSums:
    """Compare surface states with the truth.

    Args:
        posteriors: By task, (n, classes).
        targets: By task, (n,), -1 where it is not known.
        coefficients: float64 (n,), friction coefficients.
        true_coefficients: float64 (n,), NaN where it is not known.
    """
    errors = np.abs(coefficients - true_coefficients)
    return SurfaceSums(
        count=len(errors),
        matrices=surface_confusion(posteriors, targets),
        coefficients=int(np.isfinite(errors).sum()),
        coefficient_error=float(np.nansum(errors)),
    )


def no_surfaces() -> SurfaceSums:
    """Return the sums over no output at all."""
    sizes = {name: len(groups) for name, (_, groups) in SURFACE_TABLES.items()}
    return SurfaceSums(0, {name: np.zeros((n, n), np.int64) for name, n in sizes.items()}, 0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class SirenSums:
    """The siren flag compared with the truth, of outputs that heard.

    Attributes:
        siren_s: Time with a siren.
        raised_s: The part of it with the flag raised.
        quiet_s: Time without a siren.
        false_s: The part of it with the flag raised.
        missed: Sirens during which the flag was never raised.
        delays_s: For each other siren, from its beginning to the first output with the flag.
    """

    siren_s: float = 0.0
    raised_s: float = 0.0
    quiet_s: float = 0.0
    false_s: float = 0.0
    missed: int = 0
    delays_s: tuple[float, ...] = ()

    def __add__(self, other: SirenSums) -> SirenSums:
        """Join two recordings."""
        return SirenSums(
            self.siren_s + other.siren_s,
            self.raised_s + other.raised_s,
            self.quiet_s + other.quiet_s,
            self.false_s + other.false_s,
            self.missed + other.missed,
            self.delays_s + other.delays_s,
        )

    @property
    def true_positive_rate(self) -> float:
        """Share of the time with a siren in which the flag is raised; NaN without such time."""
        return self.raised_s / self.siren_s if self.siren_s else float('nan')

    @property
    def false_positive_rate(self) -> float:
        """Share of the time without a siren in which the flag is raised; NaN without such time."""
        return self.false_s / self.quiet_s if self.quiet_s else float('nan')

    @property
    def events(self) -> int:
        """Number of sirens."""
        return self.missed + len(self.delays_s)


def score_siren_flag(
    stamps_ns: NDArray[np.int64],
    raised: NDArray[np.bool_],
    truth: NDArray[np.int64],
    events: list[tuple[int, int]],
) -> SirenSums:
    """Compare the flag with the truth.

    Args:
        stamps_ns: int64 (n,), of the outputs, increasing.
        raised: bool (n,), the flag.
        truth: int64 (n,), 1 where there is a siren, 0 where there is none, -1 where nobody knows
            or the output did not hear.
        events: Beginning and end of each siren, ns; those outside the outputs are left out.
    """
    if not len(stamps_ns):
        return SirenSums()
    held_s = np.minimum(np.diff(stamps_ns, append=stamps_ns[-1]) / 1e9, LONGEST_HOLD_S)
    siren, quiet = truth == 1, truth == 0
    flagged = stamps_ns[raised & (truth >= 0)]
    missed, delays = 0, []
    for begin, end in events:
        if end < stamps_ns[0] or begin > stamps_ns[-1]:
            continue
        inside = flagged[(flagged >= begin) & (flagged <= end)]
        if len(inside):
            delays.append(float(inside[0] - begin) / 1e9)
        else:
            missed += 1
    return SirenSums(
        siren_s=float(held_s[siren].sum()),
        raised_s=float(held_s[siren & raised].sum()),
        quiet_s=float(held_s[quiet].sum()),
        false_s=float(held_s[quiet & raised].sum()),
        missed=missed,
        delays_s=tuple(delays),
    )


def siren_events(
    stamps_ns: NDArray[np.int64], audible: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Find when sirens can be heard.

    Args:
        stamps_ns: int64 (n,), increasing.
        audible: bool (n,).

    Returns:
        First and last stamp of each siren, ns; pauses of less than ``SAME_EVENT_S`` are bridged.
    """
    found: list[tuple[int, int]] = []
    for heard, group in itertools.groupby(
        zip(stamps_ns.tolist(), audible.tolist(), strict=True), key=lambda pair: pair[1]
    ):
        stamps = [stamp for stamp, _ in group]
        if not heard:
            continue
        if found and stamps[0] - found[-1][1] < SAME_EVENT_S * 1e9:
            found[-1] = (found[-1][0], stamps[-1])
        else:
            found.append((stamps[0], stamps[-1]))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class RoadTruthSums:
    """Road states compared with the truth.

    Attributes:
        untold: Road states for whose stamp there is no truth.
        seen: Those that observed the surface.
        blind: Those that did not observe the surface: the memory of the filter.
        siren: The siren flag.
    """

    untold: int
    seen: SurfaceSums
    blind: SurfaceSums
    siren: SirenSums

    def __add__(self, other: RoadTruthSums) -> RoadTruthSums:
        """Join two recordings."""
        return RoadTruthSums(
            self.untold + other.untold,
            self.seen + other.seen,
            self.blind + other.blind,
            self.siren + other.siren,
        )

    @property
    def known(self) -> bool:
        """Whether anything was compared."""
        return bool(self.seen.count or self.blind.count)


def no_road_truth() -> RoadTruthSums:
    """Return the sums over no output at all."""
    return RoadTruthSums(0, no_surfaces(), no_surfaces(), SirenSums())
