# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Heads: one small network for each task on the vector that was fused for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from mm_fusion.types.features import MODES, STEP_S, STEPS
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

TASK_SIZES = {
    'friction': len(FRICTION_CLASSES),
    'material': len(MATERIAL_CLASSES),
    'unevenness': len(UNEVENNESS_CLASSES),
    'siren': 1,
}
"""Number of logits of each task of classes, in the order of the fusion stage's outputs."""

TASKS = (*TASK_SIZES, 'friction_coefficient', 'trajectory')
ROAD_TASKS = ('friction', 'material', 'unevenness', 'friction_coefficient')
"""The tasks over which ``modality_weights`` is a mean."""

HIGHEST_FRICTION = 1.2
LOG_STD_BOUNDS = (-4.0, 0.0)
CORRELATION_BOUND = 0.95

_NARROWING = 4
_GAUSSIAN = 5
_SPREAD = 0.1
LOG_SIGMA_RANGE = 3.0
_RESIDUAL_SCALE_M, _SIGMA_SCALE_M, _GROWTH = 0.5, 0.2, 1.5


def _growing(at_one_second: float) -> Tensor:
    """Give float32 (steps,), what grows with the horizon as the error of a roll-out does."""
    return at_one_second * (STEP_S * torch.arange(1, STEPS + 1)) ** _GROWTH


def initial_log_sigma() -> Tensor:
    """Give float32 (steps,), the log deviation [log m] before training."""
    return _growing(_SIGMA_SCALE_M).log()


def _small_network(size: int, hidden: int, outputs: int) -> tuple[nn.Sequential, nn.Linear]:
    """Make normalised two layers of which the last is all zeros, and give that one too."""
    last = nn.Linear(hidden, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.LayerNorm(size), nn.Linear(size, hidden), nn.GELU(), last), last


class FrictionCoefficientHead(nn.Module):
    """Mean in (0, 1.2) and bounded log deviation of the friction coefficient.

    What the classes of friction tell of it is learned last, from drives that the encoders have
    not learned from (``training.coefficient``), and is without effect until then.
    """

    by_class: Tensor

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.layers, _ = _small_network(size, hidden, 2)
        self.register_buffer('by_class', torch.zeros(2, TASK_SIZES['friction']))

    @property
    def read(self) -> tuple[Tensor, ...]:
        """What is learned of the coefficient last: weight and bias of the last layer, classes."""
        return *self.layers[-1].parameters(), self.by_class

    def forward(self, fused: Tensor, friction: Tensor) -> Tensor:
        """Give float32 (batch, 2) for (batch, size) and (batch, 6), logits of the classes."""
        return self.say(self.hidden(fused), friction.softmax(dim=1))

    def hidden(self, fused: Tensor) -> Tensor:
        """Give float32 (batch, hidden), what does not depend on ``read``."""
        found: Tensor = self.layers[:-1](fused)
        return found

    def say(self, hidden: Tensor, friction: Tensor) -> Tensor:
        """Give float32 (batch, 2) for what ``hidden`` gives and (batch, 6) probabilities."""
        raw = self.layers[-1](hidden) + functional.linear(friction, self.by_class)
        mean, spread = torch.split(raw, 1, dim=1)
        low, high = LOG_STD_BOUNDS
        log_std = 0.5 * (low + high) + 0.5 * (high - low) * torch.tanh(spread)
        return torch.cat([HIGHEST_FRICTION * torch.sigmoid(mean), log_std], dim=1)


class TrajectoryHead(nn.Module):
    """Modes of the ego path as Gaussian residuals to the roll-out, in the roll-out's frame.

    Untrained, the first mode is the roll-out itself, and the others lie around it, so that each
    has samples of its own to win; the deviation grows with the step.
    """

    residual_scale: Tensor
    log_sigma: Tensor

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.layers, last = _small_network(size, hidden, MODES * (1 + STEPS * _GAUSSIAN))
        self.register_buffer(
            'residual_scale', _growing(_RESIDUAL_SCALE_M)[:, None], persistent=False
        )
        self.register_buffer('log_sigma', initial_log_sigma()[:, None], persistent=False)
        others = MODES - 1
        with torch.no_grad():
            paths = last.bias[MODES:].view(MODES, STEPS, _GAUSSIAN)
            for mode in range(others):
                angle = 2.0 * math.pi * mode / others
                paths[1 + mode, :, 0] = _SPREAD * math.cos(angle)
                paths[1 + mode, :, 1] = _SPREAD * math.sin(angle)

    def forward(self, fused: Tensor) -> tuple[Tensor, Tensor]:
        """Predict.

        Args:
            fused: float32 (batch, size).

        Returns:
            Logits of the modes (batch, 6), and (batch, 6, 12, 5): residual x and y [m], log
            deviation x and y [log m], correlation.
        """
        raw = self.layers(fused)
        paths = raw[:, MODES:].reshape(raw.shape[0], MODES, STEPS, _GAUSSIAN)
        residual, spread, correlation = torch.split(paths, [2, 2, 1], dim=3)
        # Bounded, so that neither a sample without a winner nor an outlier can run away.
        log_sigma = self.log_sigma + LOG_SIGMA_RANGE * torch.tanh(spread / LOG_SIGMA_RANGE)
        path = torch.cat(
            [
                residual * self.residual_scale,
                log_sigma,
                CORRELATION_BOUND * torch.tanh(correlation),
            ],
            dim=3,
        )
        return raw[:, :MODES], path


class Heads(nn.Module):
    """Every task from the vector that was fused for it.

    The logits of the classes start at zero, which is the uniform distribution.

    Args:
        size: Length of a fused vector.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        hidden = size // _NARROWING
        self.classes = nn.ModuleDict(
            {task: _small_network(size, hidden, count)[0] for task, count in TASK_SIZES.items()}
        )
        self.friction_coefficient = FrictionCoefficientHead(size, hidden)
        self.trajectory = TrajectoryHead(size, size)

    def forward(
        self, fused: Mapping[str, Tensor], votes: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Predict every task.

        Args:
            fused: By task of ``TASKS``, float32 (batch, size).
            votes: By task of ``TASK_SIZES``, float32 (batch, classes), added to its logits.

        Returns:
            Logits (batch, classes) by task of ``TASK_SIZES``; ``friction_coefficient``
            (batch, 2): mean and log deviation; ``modes`` (batch, 6) and ``trajectory``
            (batch, 6, 12, 5) of ``TrajectoryHead``.
        """
        outputs = {task: head(fused[task]) + votes[task] for task, head in self.classes.items()}
        outputs['friction_coefficient'] = self.friction_coefficient(
            fused['friction_coefficient'], outputs['friction']
        )
        outputs['modes'], outputs['trajectory'] = self.trajectory(fused['trajectory'])
        return outputs
