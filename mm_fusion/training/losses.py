# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The losses: each sample contributes those that it has labels for.

total = sum over the terms of share * term + lambda * regularisation

with the terms ``friction``, ``material``, ``unevenness`` (class-balanced cross-entropy),
``siren`` (binary cross-entropy), ``friction_coefficient`` (Gaussian likelihood), and of the path
``trajectory`` (likelihood of the mode that is nearest to the truth), ``winner`` (its
displacement), ``central_mode`` (that of mode 0, whichever is nearest: one mode must be good
alone), ``central_likelihood`` (its likelihood) and ``modes`` (how near each is); these five are
scaled by ``path`` as well. The
regularisation is the divergence of the modality weights from even shares of the present ones: a
network that leans on one sensor alone is lost without it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mm_fusion.errors import DatasetError
from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.training.config import LossConfig

PATH_TERMS = ('trajectory', 'winner', 'central_mode', 'central_likelihood', 'modes')
TERMS = (*SURFACE_CLASSES, 'siren', 'friction_coefficient', *PATH_TERMS)
REGULARISATION = 'regularisation'
_LOG_TWO_PI = math.log(2.0 * math.pi)
_TINY_M = 1e-3
_MOST_DIVERGENCE = 20.0
_SOFTNESS = 0.8
_ROAD_BY_SOUND = 0.2


class Losses(nn.Module):
    """Weighted sum of the terms.

    With ``uncertainty`` each term i has a learned log-variance s_i, and the sum is that of
    share * (exp(-s_i) * term + s_i) (Kendall et al., 2018, Multi-task learning using uncertainty
    to weigh losses).

    Args:
        config: Shares.
        class_weights: By surface task, float32 (classes,).
    """

    def __init__(self, config: LossConfig, class_weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.config = config
        for task, weights in class_weights.items():
            self.register_buffer(f'weights_{task}', weights)
        self.log_variances = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(())) for name in TERMS if config.uncertainty}
        )

    def forward(
        self, outputs: Mapping[str, Tensor], targets: Mapping[str, Tensor], presence: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the losses of a batch.

        Args:
            outputs: Of the network.
            targets: Of the batch: int64 (B,) for classes and siren, -1 where unknown; float32
                (B,) friction coefficient and (B, 12, 2) residuals, NaN where unknown.
            presence: float32 (B, 3).

        Returns:
            The weighted sum, and the terms by themselves; a term without labels is left out.
        """
        total, terms = self.plain(outputs, targets, presence)
        for name, log_variance in self.log_variances.items():
            if name in terms:
                weighted = torch.exp(-log_variance) * terms[name] + log_variance
                total = total + self._share(name) * (weighted - terms[name])
        return total, terms

    def of_sound(self) -> Losses:
        """Give the same with less of the road: moments of drives are few beside clips of sound."""
        road = {task: _ROAD_BY_SOUND * getattr(self.config, task) for task in SURFACE_CLASSES}
        return self._shared(replace(self.config, **road))

    def of_central_mode(self) -> Losses:
        """Give the same without what the path's other modes have a part in."""
        return self._shared(replace(self.config, trajectory=0.0, winner=0.0, modes=0.0))

    def of_all_modes(self) -> Losses:
        """Give the same with the likelihood of mode 0 wherever it is not the nearest, too.

        It is the most likely one, and where another was nearer its error is greater than where
        it won: deviations learned from its victories alone are several times too small.
        """
        return self._shared(replace(self.config, central_likelihood=self.config.trajectory))

    def _shared(self, config: LossConfig) -> Losses:
        weights = {task: self.get_buffer(f'weights_{task}') for task in SURFACE_CLASSES}
        return Losses(config, weights)

    def plain(
        self, outputs: Mapping[str, Tensor], targets: Mapping[str, Tensor], presence: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the same with the configured shares alone, to compare epochs by."""
        terms = self._terms(outputs, targets)
        terms[REGULARISATION] = weight_divergence(outputs['modality_weights'], presence)
        total = outputs['modes'].sum() * 0.0  # a batch without any label still has a gradient
        for name, term in terms.items():
            total = total + self._share(name) * term
        return total, terms

    def _share(self, term: str) -> float:
        scale = self.config.path if term in PATH_TERMS else 1.0
        return scale * float(getattr(self.config, term))

    def _terms(
        self, outputs: Mapping[str, Tensor], targets: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {}
        for task in SURFACE_CLASSES:
            known = targets[task] != UNLABELLED
            if known.any():
                terms[task] = functional.cross_entropy(
                    outputs[task][known],
                    targets[task][known],
                    self.get_buffer(f'weights_{task}'),
                    label_smoothing=self.config.smoothing,
                )
        known = targets['siren'] != UNLABELLED
        if known.any():
            heard = targets['siren'][known].float()
            smoothing = self.config.siren_smoothing
            terms['siren'] = functional.binary_cross_entropy_with_logits(
                outputs['siren'][known, 0], heard * (1.0 - smoothing) + 0.5 * smoothing
            )
        coefficient = targets['friction_coefficient']
        known = torch.isfinite(coefficient)
        if known.any():
            terms['friction_coefficient'] = gaussian_divergence(
                outputs['friction_coefficient'][known], coefficient[known]
            )
        known = torch.isfinite(targets['trajectory']).all(dim=-1).any(dim=-1)
        if known.any():
            terms |= trajectory_terms(
                outputs['modes'][known],
                outputs['trajectory'][known],
                targets['trajectory'][known],
            )
        return terms


def class_weights(counts: NDArray[np.float64], power: float, most: float) -> Tensor:
    """Weigh classes by their rarity, up to a limit: a class with one example must not rule.

    Args:
        counts: (classes,), examples of each, or their expected number in a batch.
        power: Of the rarity.
        most: Largest weight against that of the commonest class.

    Returns:
        float32 (classes,); they average 1 over the examples. A class without any weighs 1: it
        may turn up in validation.
    """
    seen = counts > 0
    weights = np.ones(len(counts))
    if seen.any():
        rarity = np.minimum((counts[seen].max() / counts[seen]) ** power, most)
        weights[seen] = rarity * counts.sum() / (rarity * counts[seen]).sum()
    return torch.from_numpy(weights).float()


def evened(targets: Tensor, classes: int) -> Tensor:
    """Weigh classes so that all that are there count alike, float32 (classes,)."""
    counts = torch.bincount(targets, minlength=classes).float()
    return torch.where(counts > 0.0, len(targets) / counts.clamp(min=1.0), 0.0)


def gaussian_divergence(estimate: Tensor, truth: Tensor) -> Tensor:
    """Average the negative log-likelihood of a Gaussian.

    Args:
        estimate: (n, 2), mean and logarithm of the standard deviation.
        truth: (n,).
    """
    mean, log_std = estimate.unbind(dim=1)
    scaled = (truth - mean) * torch.exp(-log_std)
    return (0.5 * (scaled.square() + _LOG_TWO_PI) + log_std).mean()


def trajectory_terms(mode_logits: Tensor, trajectory: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """Compare modes with the truth: the winner takes all, mode 0 always takes part.

    The winner is the mode with the least mean displacement (Lee et al., 2016, Stochastic multiple
    choice learning). The modes' probabilities learn from the displacements of all of them, which
    says more than which one won: softmax(-displacement / (0.8 * mean displacement)).

    Args:
        mode_logits: (n, K).
        trajectory: (n, K, S, 5): residual x and y, log sigma x and y, correlation.
        truth: (n, S, 2), residuals, m; NaN where unknown; at least one step of each is known.

    Returns:
        The ``PATH_TERMS``, averaged over samples and known steps; the likelihood of a sample
        counts up to a limit, beyond which the displacement alone teaches.
    """
    known = torch.isfinite(truth).all(dim=-1)
    steps = known.float() / known.sum(dim=-1, keepdim=True)
    path = torch.where(known[..., None], truth, 0.0)
    errors = path[:, None] - trajectory[..., :2]
    # The tiny length keeps the gradient of a perfect step finite.
    distance = torch.sqrt(errors.square().sum(dim=-1) + _TINY_M**2)
    displacement = (distance * steps[:, None]).sum(dim=-1)
    lengths = displacement.detach()
    winner = lengths.argmin(dim=1)
    rows = torch.arange(len(winner), device=winner.device)

    def likelihood(mode: Tensor) -> Tensor:
        divergence = path_divergence(errors[rows, mode], trajectory[rows, mode])
        return (divergence * steps).sum(dim=-1).clamp(max=_MOST_DIVERGENCE).mean()

    nearness = torch.softmax(-lengths / (_SOFTNESS * lengths.mean(dim=1, keepdim=True)), dim=1)
    return {
        'trajectory': likelihood(winner),
        'winner': displacement[rows, winner].mean(),
        'central_mode': displacement[:, 0].mean(),
        'central_likelihood': likelihood(torch.zeros_like(winner)),
        'modes': functional.cross_entropy(mode_logits, nearness),
    }


def path_divergence(errors: Tensor, trajectory: Tensor) -> Tensor:
    """Compute the negative log-likelihood of errors under bivariate Gaussians.

    Args:
        errors: (..., 2), truth less mean, m.
        trajectory: (..., 5); the last three are log sigma x, log sigma y and the correlation.

    Returns:
        (...).
    """
    log_sigma, correlation = trajectory[..., 2:4], trajectory[..., 4]
    x, y = (errors * torch.exp(-log_sigma)).unbind(dim=-1)
    rest = 1.0 - correlation.square()
    squared = (x.square() - 2.0 * correlation * x * y + y.square()) / rest
    return 0.5 * squared + log_sigma.sum(dim=-1) + 0.5 * torch.log(rest) + _LOG_TWO_PI


def weight_divergence(weights: Tensor, presence: Tensor) -> Tensor:
    """Average the divergence of modality weights from even shares of the present ones.

    Args:
        weights: (B, 3), 0 for absent modalities, summing to 1 where any is present.
        presence: (B, 3).

    Returns:
        log n - entropy, averaged over samples; 0 for those with fewer than two modalities.
    """
    safe = torch.where(weights > 0, weights, 1.0)
    entropy = -(weights * torch.log(safe)).sum(dim=1)
    count = presence.sum(dim=1).clamp(min=1.0)
    several = (presence.sum(dim=1) > 1).float()
    return ((torch.log(count) - entropy) * several).mean()


def check_finite(total: Tensor, terms: Mapping[str, Tensor], place: str) -> None:
    """Refuse a loss that is no number.

    Args:
        total: The loss, or the length of its gradient.
        terms: The losses by name.
        place: Which step, and of what the batch is made.

    Raises:
        DatasetError: It is infinite or NaN; names the terms and the batch.
    """
    if math.isfinite(float(total.detach())):
        return
    listed = ', '.join(f'{name} {float(term.detach()):.4g}' for name, term in terms.items())
    raise DatasetError(f'the loss is not finite: {listed}; {place}')
