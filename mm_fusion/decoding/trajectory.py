# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From the ego state to the predicted path with calibrated covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.geometry.ego_filter import predict_path
from mm_fusion.types.predictions import TrajectoryMode, TrajectoryPrediction

if TYPE_CHECKING:
    from mm_fusion.geometry.ego_filter import EgoState
    from mm_fusion.settings import DecodingSettings
    from mm_fusion.types.bundle import Calibration


class TrajectoryDecoder:
    """Roll the ego state out over the horizon, as one mode.

    The covariance of the roll-out is multiplied by a factor for each time, fitted so that the
    ellipses hold the share of truths that they claim; between fitted times it is interpolated,
    and beyond them held.

    Args:
        calibration: Times and factors.
        settings: Horizon and step.
    """

    def __init__(self, calibration: Calibration, settings: DecodingSettings) -> None:
        steps = max(1, round(settings.horizon_s / settings.step_s))
        self._times_s = settings.step_s * np.arange(1, steps + 1, dtype=np.float64)
        self._scales = np.interp(
            self._times_s, calibration.horizon_s, calibration.covariance_scales
        )

    def decode(self, state: EgoState) -> TrajectoryPrediction:
        """Predict the path in ``base_link`` at the stamp of the state."""
        positions, headings, covariances = predict_path(state, self._times_s)
        mode = TrajectoryMode(
            probability=1.0,
            times_s=self._times_s,
            positions=positions,
            headings=headings,
            covariances=covariances * self._scales[:, np.newaxis, np.newaxis],
        )
        return TrajectoryPrediction(modes=(mode,), source='ego_filter', motion=state.motion)
