# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""An output of two paths on a wet road, for what is drawn from it."""

from __future__ import annotations

import numpy as np

from mm_fusion.types.predictions import (
    EgoMotion,
    FusionOutput,
    RoadState,
    SurfacePosterior,
    TrajectoryMode,
    TrajectoryPrediction,
)
from mm_fusion.types.sensors import Modality
from mm_fusion.types.snapshot import ModalityReport, ModalityState

STAMP_NS = 1_700_000_000_250_000_000
PRESENT = ModalityReport(ModalityState.PRESENT, 0, 10.0, 100, {})


def mode(probability: float, bend_m: float) -> TrajectoryMode:
    """Make a path of 12 steps and 48 m whose deviations are 2 m along and 0.5 m across."""
    times_s = np.arange(1, 13) / 2
    return TrajectoryMode(
        probability=probability,
        times_s=times_s,
        positions=np.stack([8 * times_s, bend_m * (times_s / 6) ** 2], axis=1),
        headings=np.zeros(12),
        covariances=np.broadcast_to(np.diag([4.0, 0.25]), (12, 2, 2)),
    )


def two_paths() -> TrajectoryPrediction:
    """Predict straight on, or else to the left."""
    return TrajectoryPrediction(
        modes=(mode(0.7, 0.0), mode(0.3, 12.0)),
        source='network',
        motion=EgoMotion(8.0, 0.0, 0.0),
    )


def road(*, siren: bool = True, observed: bool = True) -> RoadState:
    """Say wet asphalt, smooth."""
    surface = SurfacePosterior(
        friction=np.array([0.1, 0.9, 0, 0, 0, 0], np.float32),
        material=np.array([0.8, 0.2, 0, 0, 0], np.float32),
        unevenness=np.array([0.7, 0.2, 0.1], np.float32),
        siren=0.9 if siren else 0.1,
    )
    return RoadState(surface, surface, 0.55, 0.08, siren, observed, siren_observed=True)


def output(
    road_state: RoadState | None = None, trajectory: TrajectoryPrediction | None = None
) -> FusionOutput:
    """Put an output together; every sensor is present."""
    return FusionOutput(
        stamp_ns=STAMP_NS,
        road=road_state,
        trajectory=trajectory,
        modalities=dict.fromkeys(Modality, PRESENT),
        weights={Modality.CAMERA: 0.6, Modality.MICROPHONE: 0.4},
        latencies_s={'image_encoder': 0.02, 'fusion': 0.004},
        epoch=0,
    )
