# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""From the ego state and the network's residuals to predicted paths with calibrated covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.decoding.posteriors import softmax
from mm_fusion.geometry.prediction import predict_path, predict_poses
from mm_fusion.types.features import STEP_S, STEPS
from mm_fusion.types.predictions import TrajectoryMode, TrajectoryPrediction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.geometry.ego_filter import EgoState
    from mm_fusion.settings import DecodingSettings
    from mm_fusion.types.bundle import Manifest

_MOVING_MPS = 0.5
"""Below this speed the direction of a path's steps is noise."""

_MAX_LOG_DEVIATION = 7.0
_MAX_CORRELATION = 0.99
"""Whatever a graph gives, its covariances are finite and positive definite within these."""


@dataclass(frozen=True, slots=True, eq=False)
class RollOut:
    """The path that the ego state leads to by itself, at each of n steps.

    Attributes:
        path: complex128 (n,), x + iy, m.
        headings: float64 (n,), rad.
        turns: complex128 (n,), exp(i heading).
        directions: complex128 (n,), along the way where the vehicle moves, else as it heads; any
            length.
        covariances: float64 (n, 2, 2), m²; (0, 2, 2) where a network gives those.
    """

    path: NDArray[np.complex128]
    headings: NDArray[np.float64]
    turns: NDArray[np.complex128]
    directions: NDArray[np.complex128]
    covariances: NDArray[np.float64]


class TrajectoryDecoder:
    """Predict the path over the horizon.

    Without a trajectory head in the bundle, it is the roll-out of the ego state, as one mode. With
    one, each mode is the roll-out plus the head's residuals, which stand in the frame of the
    roll-out at each step: x along its heading there, y to the left. Those of mode 0, the central
    one, are shrunk by the share that held-out drives trusted them by. Residuals and deviations are
    interpolated between the head's steps from zero at the stamp; beyond its last step the
    residuals are held and the deviations grow with time. Probabilities are
    softmax(logits / temperature).

    Covariances are multiplied by a factor for each time, fitted so that the ellipses hold the
    share of truths that they claim; between fitted times it is interpolated, beyond them held.

    Args:
        manifest: Calibration, and whether there is a trajectory head.
        settings: Horizon and step.
    """

    def __init__(self, manifest: Manifest, settings: DecodingSettings) -> None:
        calibration = manifest.calibration
        steps = max(1, round(settings.horizon_s / settings.step_s))
        self._times_s = settings.step_s * np.arange(1, steps + 1, dtype=np.float64)
        self._scales = np.interp(
            self._times_s, calibration.horizon_s, calibration.covariance_scales
        )
        self._temperature = (
            calibration.temperatures['modes'] if manifest.gives('trajectory') else None
        )
        self._trust = calibration.central_mode_share
        knots_s = STEP_S * np.arange(STEPS + 1)
        weights = [np.interp(self._times_s, knots_s, knot) for knot in np.eye(STEPS + 1)[1:]]
        self._interpolation = np.stack(weights, axis=1)
        # Before the first step there is no other correlation to blend its own with.
        self._blend = 1.0 / self._interpolation.sum(axis=1)
        growth = np.maximum(self._times_s / knots_s[-1], 1.0)
        self._stretch = np.sqrt(self._scales) * growth

    def roll_out(self, state: EgoState) -> RollOut:
        """Compute what needs no network, for ``decode``; any thread may, at any time."""
        covariances: NDArray[np.float64] = np.empty((0, 2, 2))
        if self._temperature is None:
            positions, headings, covariances = predict_path(state, self._times_s)
        else:
            positions, headings = predict_poses(state, self._times_s)
        path = positions[:, 0] + 1j * positions[:, 1]
        turns = np.exp(1j * headings)
        ways = _velocities(path, self._times_s[0])
        ahead = -turns if state.motion.speed_mps < 0.0 else turns
        directions = np.where(np.abs(ways) > _MOVING_MPS, ways, ahead)
        return RollOut(path, headings, turns, directions, covariances)

    def decode(
        self,
        state: EgoState,
        outputs: Mapping[str, NDArray[Any]],
        rolled: RollOut | None = None,
    ) -> TrajectoryPrediction:
        """Predict the path in ``base_link`` at the stamp of the state.

        Args:
            state: Where the roll-out starts.
            outputs: Of the fusion stage; where the bundle has a trajectory head, ``trajectory``
                (1, 6, 12, 5) and ``mode_logits`` (1, 6) among them.
            rolled: What ``roll_out`` gave for the state; None computes it here.
        """
        rolled = self.roll_out(state) if rolled is None else rolled
        if self._temperature is None:
            mode = TrajectoryMode(
                probability=1.0,
                times_s=self._times_s,
                positions=np.column_stack([rolled.path.real, rolled.path.imag]),
                headings=rolled.headings,
                covariances=rolled.covariances * self._scales[:, np.newaxis, np.newaxis],
            )
            return TrajectoryPrediction(modes=(mode,), source='ego_filter', motion=state.motion)
        probabilities = softmax(outputs['mode_logits'][0], self._temperature)
        order = np.argsort(-probabilities, kind='stable')
        at_steps = self._at_steps(outputs['trajectory'][0].astype(np.float64))[order]
        residuals = at_steps[..., 0] + 1j * at_steps[..., 1]
        corrected = rolled.path + rolled.turns * residuals
        modes = zip(
            probabilities[order].tolist(),
            np.stack([corrected.real, corrected.imag], axis=-1),
            self._headings(corrected, rolled),
            self._covariances(at_steps, rolled.turns),
        )
        return TrajectoryPrediction(
            modes=tuple(
                TrajectoryMode(probability, self._times_s, *arrays)
                for probability, *arrays in modes
            ),
            source='network',
            motion=state.motion,
        )

    def _at_steps(self, head: NDArray[np.float64]) -> NDArray[np.float64]:
        """Interpolate residuals (m), deviations (m) and correlation: float64 (modes, n, 5)."""
        head[0, :, :2] *= self._trust
        logs = head[..., 2:4]
        np.exp(np.minimum(np.maximum(logs, -_MAX_LOG_DEVIATION), _MAX_LOG_DEVIATION), out=logs)
        return self._interpolation @ head

    def _covariances(
        self, at_steps: NDArray[np.float64], turns: NDArray[np.complex128]
    ) -> NDArray[np.float64]:
        """Turn deviations along and aside into ``base_link``: float64 (modes, n, 2, 2), m²."""
        along, aside = self._stretch * at_steps[..., 2], self._stretch * at_steps[..., 3]
        blended = self._blend * at_steps[..., 4]
        correlation = np.minimum(np.maximum(blended, -_MAX_CORRELATION), _MAX_CORRELATION)
        mean = 0.5 * (along * along + aside * aside)
        # Half the difference of the variances, and i times the covariance, turn twice as fast.
        spread = (mean - aside * aside + 1j * correlation * along * aside) * (turns * turns)
        covariances = np.empty((*mean.shape, 2, 2))
        covariances[..., 0, 0] = mean + spread.real
        covariances[..., 1, 1] = mean - spread.real
        covariances[..., 0, 1] = covariances[..., 1, 0] = spread.imag
        return covariances

    def _headings(self, corrected: NDArray[np.complex128], rolled: RollOut) -> NDArray[np.float64]:
        """Turn the roll-out's headings by as much as the paths turn from it: (modes, n), rad.

        The difference of two directions that are taken alike has no error of discretisation, and
        holds for a vehicle in reverse. Where a path hardly moves, it heads as the roll-out does.
        """
        own = _velocities(corrected, self._times_s[0])
        turned = np.angle(own * rolled.directions.conj())
        return np.asarray(rolled.headings + np.where(np.abs(own) > _MOVING_MPS, turned, 0.0))


def _velocities(path: NDArray[np.complex128], step_s: float) -> NDArray[np.complex128]:
    """Differentiate paths (..., n) that start at the origin one step before their first point."""
    whole = np.concatenate([np.zeros_like(path[..., :1]), path], axis=-1)
    velocities = np.empty_like(path)
    velocities[..., :-1] = (whole[..., 2:] - whole[..., :-2]) / (2.0 * step_s)
    velocities[..., -1] = (whole[..., -1] - whole[..., -2]) / step_s
    return velocities
