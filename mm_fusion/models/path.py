# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The path where the motion is known: kinematic modes, their deviations and probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.models.heads import LOG_SIGMA_RANGE, initial_log_sigma
from mm_fusion.models.kinematics import SITUATIONS, KinematicPaths, situation
from mm_fusion.types.features import MODES, STEP_S, STEPS

if TYPE_CHECKING:
    from torch import Tensor

_MIDDLE_S = 0.5 * STEPS * STEP_S


class MotionPath(nn.Module):
    """What the ego history by itself says of the path, in the place of what was fused.

    All modes are kinematic ones (``KinematicPaths``), and none is more likely than the central
    one. What images added to them, and where another was thought more likely, did not hold on
    other drives (docs/training.md): so nothing but the motion has a part in it.

    A step that learns from images costs as much as a hundred that learn from motion alone, and
    the path needs many: so this part is trained by itself once the rest is (``training.stages``).
    Until then (``learned`` is 0), and where the motion is missing, the path is the one that was
    fused.
    """

    learned: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.paths = KinematicPaths()
        self.deviations = Deviations()
        self.preferences = nn.Parameter(torch.zeros(SITUATIONS, MODES))
        self.register_buffer('learned', torch.zeros(1))

    def forward(
        self, state: Tensor, present: Tensor, modes: Tensor, trajectory: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Replace the logits of the modes and their Gaussians where the motion is known.

        Args:
            state: float32 (batch, 6), ``KINEMATIC_COLUMNS``; anything where absent.
            present: float32 (batch, 1), 1 or 0.
            modes: (batch, 6), of ``TrajectoryHead``.
            trajectory: (batch, 6, 12, 5), of the same.

        Returns:
            Both; without correlation where they are replaced.
        """
        known = present * self.learned > 0.0
        state = torch.where(present > 0.0, state, 0.0)
        logits = situation(state) @ self.preferences
        first, rest = logits[:, :1], logits[:, 1:]
        logits = torch.cat([first, torch.minimum(rest, first)], dim=1)
        residuals = self.paths(state)
        path = torch.cat(
            [residuals, self.deviations(state), torch.zeros_like(residuals[..., :1])], dim=3
        )
        return (
            torch.where(known, logits, modes),
            torch.where(known[:, :, None, None], path, trajectory),
        )


class Deviations(nn.Module):
    """How far drivers leave each mode, along and across it.

    The log deviation is that before training (``initial_log_sigma``), and a level and a slope
    over the log of the horizon, each linear in the situation: 120 parameters. A network for them
    was far too sure of itself on drives that it had not seen.
    """

    log_sigma: Tensor
    log_times: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.Parameter(torch.zeros(SITUATIONS, MODES * 2))
        self.slopes = nn.Parameter(torch.zeros(SITUATIONS, MODES * 2))
        times = STEP_S * torch.arange(1, STEPS + 1)
        self.register_buffer('log_sigma', initial_log_sigma()[:, None], persistent=False)
        self.register_buffer('log_times', (times / _MIDDLE_S).log()[:, None], persistent=False)

    def forward(self, state: Tensor) -> Tensor:
        """Give the log deviations, (batch, 6, 12, 2), log m."""
        features = situation(state)
        levels, slopes = (
            (features @ part).reshape(-1, MODES, 1, 2) for part in (self.levels, self.slopes)
        )
        wider = levels + slopes * self.log_times
        # Bounded, so that an outlier cannot run away.
        return self.log_sigma + LOG_SIGMA_RANGE * torch.tanh(wider / LOG_SIGMA_RANGE)
