# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Motion encoder: a recurrent network over the ego history, and the state it ends in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mm_fusion.models.encoders.base import Encoder
from mm_fusion.models.kinematics import KINEMATIC_COLUMNS, kinematic_state

if TYPE_CHECKING:
    from torch import Tensor

_HIDDEN = 64
_RECENT = 20
"""Rows that the recurrent network reads, 2 s: with more it was worse on drives held out."""
_TYPICAL = (
    # mean, deviation of everyday driving
    (8.0, 8.0),  # speed [m/s]
    (0.0, 0.2),  # yaw rate [rad/s]
    (0.0, 1.0),  # acceleration [m/s²]
    (0.0, 1.0),  # speed times yaw rate, the lateral acceleration [m/s²]
)


class MotionEncoder(Encoder):
    """Embed how the vehicle has moved: learned numbers, then the kinematic state as it is.

    The learned ones come from the recurrent state after the last row and the last row itself.

    Args:
        cell: ``nn.GRU`` (Cho et al., 2014) or ``nn.LSTM`` (Hochreiter and Schmidhuber, 1997).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, cell: type[nn.GRU] | type[nn.LSTM]) -> None:
        super().__init__()
        mean, deviation = torch.tensor(_TYPICAL).unbind(dim=1)
        self.register_buffer('mean', mean, persistent=False)
        self.register_buffer('deviation', deviation, persistent=False)
        self.history = cell(len(_TYPICAL), _HIDDEN, batch_first=True)
        self.embedding_size = _HIDDEN + len(KINEMATIC_COLUMNS)
        self.join = nn.Linear(_HIDDEN + len(_TYPICAL), _HIDDEN)

    def forward(self, motion: Tensor, /) -> Tensor:
        """Embed ``motion``, float32 (batch, steps, 3) with the columns ``MOTION_COLUMNS``."""
        recent = motion[:, -_RECENT:]
        lateral = recent[:, :, 0:1] * recent[:, :, 1:2]
        rows = (torch.cat([recent, lateral], dim=2) - self.mean) / self.deviation
        states = self.history(rows)[0]
        learned = self.join(torch.cat([states[:, -1], rows[:, -1]], dim=1))
        return torch.cat([learned, kinematic_state(motion)], dim=1)
