# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the package predicts: road state and trajectories, with the names of the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mm_fusion.types.finite import all_finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mm_fusion.types.sensors import Modality
    from mm_fusion.types.snapshot import ModalityReport

FRICTION_CLASSES = ('dry', 'wet', 'water', 'fresh_snow', 'melted_snow', 'ice')
MATERIAL_CLASSES = ('asphalt', 'concrete', 'cobble', 'gravel', 'mud')
UNEVENNESS_CLASSES = ('smooth', 'slight', 'severe')
"""Classes of RSCD (Zhao et al., 2023, Road Surface Classification Dataset)."""


def _check_posterior(name: str, values: NDArray[np.float32], size: int) -> None:
    if values.shape != (size,):
        raise ValueError(f'{name}: found shape {values.shape}, expected ({size},)')
    # Of a handful of numbers, Python's own functions take a fifth of the time of numpy's.
    found = values.tolist()
    # The second comparison does not hold where a number is NaN.
    if not (min(found) >= 0.0 and abs(sum(found) - 1.0) <= 1e-3):
        raise ValueError(f'{name}: expected probabilities that sum to 1, found {found}')


@dataclass(frozen=True, slots=True, eq=False)
class SurfacePosterior:
    """Posteriors over the classes of the road surface.

    Attributes:
        friction: float32 (6,), in the order of ``FRICTION_CLASSES``.
        material: float32 (5,), in the order of ``MATERIAL_CLASSES``.
        unevenness: float32 (3,), in the order of ``UNEVENNESS_CLASSES``.
        siren: Probability that a siren is heard.
    """

    friction: NDArray[np.float32]
    material: NDArray[np.float32]
    unevenness: NDArray[np.float32]
    siren: float

    def __post_init__(self) -> None:
        """Check sizes, and that each posterior is one."""
        _check_posterior('friction', self.friction, len(FRICTION_CLASSES))
        _check_posterior('material', self.material, len(MATERIAL_CLASSES))
        _check_posterior('unevenness', self.unevenness, len(UNEVENNESS_CLASSES))
        if not 0.0 <= self.siren <= 1.0:
            raise ValueError(f'siren: expected a probability, found {self.siren}')


@dataclass(frozen=True, slots=True, eq=False)
class RoadState:
    """State of the road and its sound at one instant.

    Attributes:
        filtered: Calibrated posteriors after the temporal filter.
        unfiltered: Calibrated posteriors of this snapshot alone.
        friction_coefficient_mean: Mean of the filtered friction coefficient.
        friction_coefficient_std: Its standard deviation.
        siren: Whether the filtered siren probability reaches the bundle's threshold.
        surface_observed: Whether anything contributed that the bundle reads the surface from,
            the camera at least; if not, the surface posteriors are the filter's memory decaying
            to the uniform distribution.
        siren_observed: Whether sound contributed.
    """

    filtered: SurfacePosterior
    unfiltered: SurfacePosterior
    friction_coefficient_mean: float
    friction_coefficient_std: float
    siren: bool
    surface_observed: bool
    siren_observed: bool


@dataclass(frozen=True, slots=True, eq=False)
class TrajectoryMode:
    """One hypothesis of the ego path in ``base_link`` at the stamp of the prediction.

    Attributes:
        probability: Of this mode, in [0, 1].
        times_s: float64 (n,), seconds after the stamp, increasing.
        positions: float64 (n, 2), x forward and y left, m.
        headings: float64 (n,), counter-clockwise from x, rad.
        covariances: float64 (n, 2, 2), of the positions, m².
    """

    probability: float
    times_s: NDArray[np.float64]
    positions: NDArray[np.float64]
    headings: NDArray[np.float64]
    covariances: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check that the shapes agree and that every number is finite."""
        n = self.times_s.shape[0]
        shapes = (self.positions.shape, self.headings.shape, self.covariances.shape)
        if shapes != ((n, 2), (n,), (n, 2, 2)):
            raise ValueError(f'trajectory of {n} steps: found shapes {shapes}')
        if not all_finite(self.times_s, self.positions, self.headings, self.covariances):
            raise ValueError('trajectory: found a number that is not finite')


@dataclass(frozen=True, slots=True)
class EgoMotion:
    """Motion of the vehicle in ``base_link`` that a prediction starts from.

    Attributes:
        speed_mps: Along x.
        acceleration_mps2: Along x.
        yaw_rate_rps: About z.
    """

    speed_mps: float
    acceleration_mps2: float
    yaw_rate_rps: float


@dataclass(frozen=True, slots=True, eq=False)
class TrajectoryPrediction:
    """The ego path over the horizon, as modes with the most likely first.

    Attributes:
        modes: At least one; probabilities sum to 1.
        source: ``ego_filter`` for the physical roll-out, ``network`` for learned residuals on it.
        motion: The motion that it starts from.
    """

    modes: tuple[TrajectoryMode, ...]
    source: Literal['ego_filter', 'network']
    motion: EgoMotion


@dataclass(frozen=True, slots=True, eq=False)
class FusionOutput:
    """Everything the pipeline says about one snapshot.

    Attributes:
        stamp_ns: Stamp of the snapshot.
        road: None where neither camera nor microphone contributed.
        trajectory: None where no ego motion is known.
        modalities: The reports of the snapshot, with what failed after it counted in.
        weights: Share of each modality in the road state, in [0, 1].
        latencies_s: Duration of each stage, in seconds, in the order they ran.
        epoch: Number of clock resets so far.
        received_ns: Arrival of the camera frame that opened the snapshot, by the clock of the
            receiver; None where the timer did.
    """

    stamp_ns: int
    road: RoadState | None
    trajectory: TrajectoryPrediction | None
    modalities: Mapping[Modality, ModalityReport]
    weights: Mapping[Modality, float]
    latencies_s: Mapping[str, float]
    epoch: int
    received_ns: int | None = None
