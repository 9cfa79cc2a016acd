# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The central path as a vehicle can drive it: learned acceleration and yaw rate, integrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.geometry.process import ProcessModel
from mm_fusion.types.features import MOTION_STEP_S, STEP_S, STEPS

if TYPE_CHECKING:
    from torch import Tensor

KINEMATIC_COLUMNS = (
    'speed_mps',
    'yaw_rate_rps',
    'acceleration_mps2',
    'yaw_rate_change_05_rps',
    'yaw_rate_change_10_rps',
    'turned_rad',
)
"""What ``kinematic_state`` tells of a history."""

_SHORT, _LONG = 5, 10
"""Rows over which the change of the yaw rate is taken: 0.5 s and 1 s."""
_TURNING_RPS = 0.05
_SUBSTEPS = 2
_DT_S = STEP_S / _SUBSTEPS
_FADE_MPS, _FADE_WIDTH_MPS = 11.0, 1.0
_ACCELERATIONS, _YAW_RATES = 8, 7
"""Numbers of features that the acceleration and the yaw rate are linear in."""


def kinematic_state(motion: Tensor) -> Tensor:
    """Tell how the vehicle moves now, and of the turn it is in.

    Args:
        motion: float32 (batch, steps, 3), ``MOTION_COLUMNS``; rows ``MOTION_STEP_S`` apart.

    Returns:
        float32 (batch, 6), ``KINEMATIC_COLUMNS``: the last row, the changes of the yaw rate over
        0.5 s and 1 s (over the whole history where it is shorter), and the heading change since
        the yaw rate was last below 0.05 rad/s, as far as the history reaches.
    """
    steps = motion.shape[1]
    yaw_rate = motion[:, :, 1]
    changes = [
        yaw_rate[:, -1:] - yaw_rate[:, steps - 1 - rows : steps - rows]
        for rows in (min(_SHORT, steps - 1), min(_LONG, steps - 1))
    ]
    straight = (yaw_rate.abs() < _TURNING_RPS).float()
    # How many rows from each to the last were straight: in one turn with the last where none was.
    straight_since = straight @ torch.ones(steps, steps, device=motion.device).tril()
    in_turn = torch.relu(1.0 - straight_since)
    turned = (in_turn * yaw_rate).sum(dim=1, keepdim=True) * MOTION_STEP_S
    return torch.cat([motion[:, -1], *changes, turned], dim=1)


class KinematicCorrection(nn.Module):
    """What drivers do in the next seconds, on average, that holding on to the motion misses.

    The acceleration ahead is that of the roll-out, which decays, and a sum of three terms: one
    that decays, one that comes and goes, one that stays. Each is linear in a few features of the
    state (``_acceleration_features``). The yaw rate ahead is that of the roll-out and two such
    terms, times a power of the speed over that of now: who brakes in a turn turns less. The
    integral of both is the path: smooth, and without slipping sideways, whatever the parameters
    are; and 41 of them do not learn a town by heart. A network of thousands was worse on drives
    it had not seen (docs/training.md).

    Drives on fast roads are few, and there the roll-out is hard to beat: the terms fade out
    around 11 m/s, and below 1 m/s, where directions are noise. Untrained, the path is the
    roll-out (``geometry.predict_path``).
    """

    to_sums: Tensor
    times: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.acceleration = nn.Parameter(torch.zeros(_ACCELERATIONS, 3))
        self.yaw_rate = nn.Parameter(torch.zeros(_YAW_RATES, 2))
        self.log_time_constants = nn.Parameter(torch.tensor([3.0, 3.0]).log())
        self.speed_power = nn.Parameter(torch.zeros(1))
        count = STEPS * _SUBSTEPS
        self.register_buffer('to_sums', _DT_S * torch.ones(count, count).triu(), persistent=False)
        middles = _DT_S * (torch.arange(count) + 0.5)
        self.register_buffer('times', middles, persistent=False)
        process = ProcessModel()
        self._acceleration_decay_s = process.acceleration_time_constant_s
        self._yaw_rate_decay_s = process.yaw_rate_time_constant_s

    def forward(self, state: Tensor) -> Tensor:
        """Give the residual of the path, float32 (batch, 12, 2), m, in the roll-out's frame.

        Args:
            state: float32 (batch, 6), ``KINEMATIC_COLUMNS``.
        """
        speed, yaw_rate, acceleration = state[:, 0:1], state[:, 1:2], state[:, 2:3]
        held = self._acceleration_decay_s * (
            1.0 - torch.exp(-self.times / self._acceleration_decay_s)
        )
        speeds = torch.relu(speed + acceleration * held)
        turning = yaw_rate * torch.exp(-self.times / self._yaw_rate_decay_s)
        turning = torch.where(speeds > 0.0, turning, torch.zeros_like(turning))

        gate = torch.sigmoid((_FADE_MPS - speed) / _FADE_WIDTH_MPS) * speed.clamp(0.0, 1.0)
        changes, yaw_changes = self._terms(state)
        driven = torch.relu(speed + acceleration * held + gate * changes)
        ratio = (driven + 1.0) / (speed.clamp(min=0.0) + 1.0)
        slowed = torch.exp(gate * self.speed_power * ratio.log())
        turned = (turning + gate * yaw_changes) * slowed

        gap = self._path(driven, turned) - self._path(speeds, turning)
        heading = (turning @ self.to_sums)[:, _SUBSTEPS - 1 :: _SUBSTEPS]
        cosine, sine = torch.cos(heading), torch.sin(heading)
        along = cosine * gap[..., 0] + sine * gap[..., 1]
        aside = cosine * gap[..., 1] - sine * gap[..., 0]
        return torch.stack([along, aside], dim=2)

    def _terms(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Give what is added to the speed and to the yaw rate, (batch, substeps) each."""
        slow, fast = self.log_time_constants.exp().unbind()
        share, decayed = self.times / slow, torch.exp(-self.times / slow)
        # Integrals over time of exp(-t), t exp(-t) and 1 - exp(-t), t in time constants.
        falls = slow * (1.0 - decayed)
        comes = slow * (1.0 - decayed - share * decayed)
        stays = 0.1 * (self.times - falls)
        basis = torch.stack([falls, comes, stays])
        ebbs = torch.exp(-self.times / fast)
        yaw_basis = torch.stack([ebbs, self.times / fast * ebbs])
        return (
            _acceleration_features(state) @ self.acceleration @ basis,
            _yaw_rate_features(state) @ self.yaw_rate @ yaw_basis,
        )

    def _path(self, speeds: Tensor, yaw_rates: Tensor) -> Tensor:
        """Integrate (batch, substeps) to positions (batch, 12, 2), m."""
        headings = yaw_rates @ self.to_sums - 0.5 * _DT_S * yaw_rates
        velocity = torch.stack([torch.cos(headings), torch.sin(headings)], dim=1) * speeds[:, None]
        positions = (velocity @ self.to_sums)[:, :, _SUBSTEPS - 1 :: _SUBSTEPS]
        return positions.transpose(1, 2)


def _acceleration_features(state: Tensor) -> Tensor:
    """Give (batch, 8), each about 1: what a driver's acceleration may depend on."""
    speed, yaw_rate, acceleration = state[:, 0:1], state[:, 1:2], state[:, 2:3]
    tens = speed.clamp(max=14.0) / 10.0
    return torch.cat(
        [
            acceleration,
            torch.ones_like(speed),
            tens - 1.0,
            tens * tens - 1.0,
            torch.exp(-speed.clamp(min=0.0) / 3.0),
            acceleration * (tens - 1.0),
            (speed * yaw_rate).abs().clamp(max=4.0) / 2.0,
            yaw_rate.abs().clamp(max=0.4) / 0.2,
        ],
        dim=1,
    )


def _yaw_rate_features(state: Tensor) -> Tensor:
    """Give (batch, 7), rad/s, which change sign with the direction of the turn."""
    speed, yaw_rate, turned = state[:, 0:1], state[:, 1:2], state[:, 5:6]
    tens = speed.clamp(max=14.0) / 10.0
    return torch.cat(
        [
            yaw_rate,
            yaw_rate * (tens - 1.0),
            yaw_rate * torch.exp(-speed.clamp(min=0.0) / 3.0),
            state[:, 3:5],
            yaw_rate * (yaw_rate.abs().clamp(max=0.4) / 0.2 - 1.0),
            yaw_rate * (turned.abs().clamp(max=2.0) - 0.5),
        ],
        dim=1,
    )
