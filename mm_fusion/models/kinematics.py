# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Paths as a vehicle can drive them: learned accelerations and yaw rates, integrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.geometry.process import ProcessModel
from mm_fusion.types.features import MODES, MOTION_STEP_S, STEP_S, STEPS

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

SITUATIONS = 5
"""Numbers that ``situation`` gives."""
_YAW_RATE_UNIT_RPS = 0.1


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


class KinematicPaths(nn.Module):
    """What drivers do in the next seconds that holding on to the motion misses.

    Speed and yaw rate of each mode are those of the roll-out, and what ``CentralCourse`` and
    ``OtherCourses`` add. Their integral is the path: smooth, and without slipping sideways,
    whatever the parameters are; and 126 of them do not learn a town by heart. Networks of
    thousands were worse on drives they had not seen (docs/training.md). Untrained, the central
    path is the roll-out (``geometry.predict_path``), and the others lie around it.
    """

    to_sums: Tensor
    times: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.central = CentralCourse()
        self.others = OtherCourses()
        count = STEPS * _SUBSTEPS
        self.register_buffer('to_sums', _DT_S * torch.ones(count, count).triu(), persistent=False)
        middles = _DT_S * (torch.arange(count) + 0.5)
        self.register_buffer('times', middles, persistent=False)
        process = ProcessModel()
        self._acceleration_decay_s = process.acceleration_time_constant_s
        self._yaw_rate_decay_s = process.yaw_rate_time_constant_s

    def forward(self, state: Tensor) -> Tensor:
        """Give the residuals, float32 (batch, 6, 12, 2), m, in the roll-out's frame.

        Args:
            state: float32 (batch, 6), ``KINEMATIC_COLUMNS``.
        """
        speed, yaw_rate, acceleration = state[:, 0:1], state[:, 1:2], state[:, 2:3]
        held = self._acceleration_decay_s * (
            1.0 - torch.exp(-self.times / self._acceleration_decay_s)
        )
        held_speeds = speed + acceleration * held
        speeds = torch.relu(held_speeds)
        turning = yaw_rate * torch.exp(-self.times / self._yaw_rate_decay_s)
        turning = torch.where(speeds > 0.0, turning, torch.zeros_like(turning))

        bases = self.central.bases(self.times)
        faster, tighter = self.central(state, bases)
        other_faster, other_tighter = self.others(state, bases)
        speed_changes = torch.cat([faster[:, None], faster[:, None] + other_faster], dim=1)
        yaw_rate_changes = torch.cat([tighter[:, None], tighter[:, None] + other_tighter], dim=1)
        driven = torch.relu(held_speeds[:, None] + speed_changes)
        ratio = (driven + 1.0) / (speed.clamp(min=0.0) + 1.0)[:, None]
        slowed = torch.exp(self.central.slowing(speed)[:, None] * ratio.log())
        turned = (turning[:, None] + yaw_rate_changes) * slowed

        gap = self._path(driven, turned) - self._path(speeds, turning)[:, None]
        heading = (turning @ self.to_sums)[:, None, _SUBSTEPS - 1 :: _SUBSTEPS]
        cosine, sine = torch.cos(heading), torch.sin(heading)
        along = cosine * gap[..., 0] + sine * gap[..., 1]
        aside = cosine * gap[..., 1] - sine * gap[..., 0]
        return torch.stack([along, aside], dim=3)

    def _path(self, speeds: Tensor, yaw_rates: Tensor) -> Tensor:
        """Integrate (..., substeps) to positions (..., 12, 2), m."""
        headings = yaw_rates @ self.to_sums - 0.5 * _DT_S * yaw_rates
        ahead = (torch.cos(headings) * speeds) @ self.to_sums
        aside = (torch.sin(headings) * speeds) @ self.to_sums
        return torch.stack([ahead, aside], dim=-1)[..., _SUBSTEPS - 1 :: _SUBSTEPS, :]


class CentralCourse(nn.Module):
    """What drivers do on average: the speed and the yaw rate that are added to the roll-out's.

    The acceleration is a sum of three terms: one that decays, one that comes and goes, one that
    stays. Each is linear in a few features of the state (``_acceleration_features``). The yaw
    rate is two such terms, times a power of the speed over that of now: who brakes in a turn
    turns less.

    Drives on fast roads are few, and there the roll-out is hard to beat: the terms fade out
    around 11 m/s, and below 1 m/s, where directions are noise.
    """

    def __init__(self) -> None:
        super().__init__()
        self.acceleration = nn.Parameter(torch.zeros(_ACCELERATIONS, 3))
        self.yaw_rate = nn.Parameter(torch.zeros(_YAW_RATES, 2))
        self.log_time_constants = nn.Parameter(torch.tensor([3.0, 3.0]).log())
        self.speed_power = nn.Parameter(torch.zeros(1))

    def forward(self, state: Tensor, bases: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Give the changes of speed [m/s] and yaw rate [rad/s], (batch, substeps) each."""
        gate = _gate(state[:, 0:1])
        speeds, yaw_rates = bases
        return (
            gate * (_acceleration_features(state) @ self.acceleration @ speeds),
            gate * (_yaw_rate_features(state) @ self.yaw_rate @ yaw_rates),
        )

    def slowing(self, speed: Tensor) -> Tensor:
        """Give the power of the speed that yaw rates go with, (batch, 1)."""
        return _gate(speed) * self.speed_power

    def bases(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Give the courses of the terms: (3, substeps) of speeds, (2, substeps) of yaw rates."""
        slow, fast = self.log_time_constants.exp().unbind()
        share, decayed = times / slow, torch.exp(-times / slow)
        # Integrals over time of exp(-t), t exp(-t) and 1 - exp(-t), t in time constants.
        falls = slow * (1.0 - decayed)
        comes = slow * (1.0 - decayed - share * decayed)
        stays = 0.1 * (times - falls)
        ebbs = torch.exp(-times / fast)
        return torch.stack([falls, comes, stays]), torch.stack([ebbs, times / fast * ebbs])


class OtherCourses(nn.Module):
    """What else drivers may do: brake, speed up, turn or go straight on.

    Each mode adds the same few terms to the central course, by amounts that two factors of the
    situation scale, one for speeds and one for yaw rates, and a part that is linear in it
    (``situation``). Amounts of yaw rate count in the direction of the turn.
    """

    def __init__(self) -> None:
        super().__init__()
        count = MODES - 1
        # On the roads there are a quick start, a gentle one, braking to a stop and two turns.
        speeds = [[0.6, 0.0, 1.0], [-0.6, 0.0, -1.0], [-1.4, 0.0, -2.0], [0.2, 0, 0], [-0.2, 0, 0]]
        yaw_rates = [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [-1.0, -1.0]]
        self.speeds = nn.Parameter(torch.tensor(speeds))
        self.yaw_rates = nn.Parameter(torch.tensor(yaw_rates))
        self.log_scales = nn.Parameter(torch.zeros(SITUATIONS, 2))
        self.speed_shifts = nn.Parameter(torch.zeros(SITUATIONS, count))
        self.yaw_rate_shifts = nn.Parameter(torch.zeros(SITUATIONS, count))

    def forward(self, state: Tensor, bases: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Give what is added to the central course, (batch, 5, substeps) each."""
        features = situation(state)
        wide, turning = torch.exp(features @ self.log_scales)[:, :, None, None].unbind(dim=1)
        left = torch.where(state[:, 1:2] < 0.0, -_YAW_RATE_UNIT_RPS, _YAW_RATE_UNIT_RPS)
        falls_comes_stays, ebbs = bases
        shifts = (features @ self.speed_shifts)[:, :, None]
        faster = wide * (self.speeds @ falls_comes_stays) + shifts * (
            falls_comes_stays[0] + falls_comes_stays[2]
        )
        tighter = (self.yaw_rates + (features @ self.yaw_rate_shifts)[:, :, None]) @ ebbs
        return faster, turning * left[:, :, None] * tighter


def _gate(speed: Tensor) -> Tensor:
    """Give how far the central course departs from the roll-out at all, 0 to 1."""
    return torch.sigmoid((_FADE_MPS - speed) / _FADE_WIDTH_MPS) * speed.clamp(0.0, 1.0)


def situation(state: Tensor) -> Tensor:
    """Give (batch, 5), each about 1: what the choice of a driver may depend on."""
    speed, yaw_rate, acceleration = state[:, 0:1], state[:, 1:2], state[:, 2:3]
    return torch.cat(
        [
            torch.ones_like(speed),
            speed.clamp(max=14.0) / 10.0 - 1.0,
            torch.exp(-speed.clamp(min=0.0) / 3.0),
            acceleration.abs().clamp(max=3.0) / 1.5 - 0.3,
            yaw_rate.abs().clamp(max=0.4) / 0.2,
        ],
        dim=1,
    )


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
