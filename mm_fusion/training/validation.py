# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A look at held-out samples after each epoch: losses, and a few scores for the curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED
from mm_fusion.metrics.classification import (
    confusion_matrix,
    roc_auc,
    unweighted_average_recall,
)
from mm_fusion.training.losses import REGULARISATION
from mm_fusion.training.predict import join, predict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.data.source import Source
    from mm_fusion.training.losses import Losses


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """What is held out.

    Attributes:
        parts: Sources, and the indices of their held-out samples, at least one of each.
        losses: What is learned from.
    """

    parts: Sequence[tuple[Source, NDArray[np.int64]]]
    losses: Losses

    @torch.no_grad()
    def look(self, network: FusionNetwork) -> dict[str, float]:
        """Compute the losses, with the configured shares, and the scores.

        Returns:
            ``loss``, the terms, and scores that start with their names: ``UAR friction``,
            ``AUC siren``, ``ADE m``, ``minADE m``; what has no labels is left out.
        """
        found = join([predict(network, *part)['all'] for part in self.parts])
        device = next(network.parameters()).device
        total, terms = self.losses.plain(
            {name: torch.from_numpy(value).to(device) for name, value in found.outputs.items()},
            {name: torch.from_numpy(value).to(device) for name, value in found.targets.items()},
            torch.from_numpy(found.presence).to(device),
        )
        figures = {'loss': float(total)}
        figures |= {k: float(term) for k, term in terms.items() if k != REGULARISATION}
        return {**figures, **quick_scores(found.outputs, found.targets)}


def quick_scores(
    outputs: Mapping[str, NDArray[np.float32]], targets: Mapping[str, NDArray[np.generic]]
) -> dict[str, float]:
    """Score without calibration: UAR by task, AUC of the siren, ADE at the longest horizon."""
    scores = {}
    for task, classes in SURFACE_CLASSES.items():
        truth = np.asarray(targets[task], np.int64)
        known = truth != UNLABELLED
        if known.any():
            guess = outputs[task][known].argmax(axis=1)
            matrix = confusion_matrix(truth[known], guess, len(classes))
            scores[f'UAR {task}'] = unweighted_average_recall(matrix)
    siren = np.asarray(targets['siren'], np.int64)
    heard = siren[siren != UNLABELLED]
    if len(np.unique(heard)) == 2:
        logits = outputs['siren'][siren != UNLABELLED, 0].astype(np.float64)
        scores['AUC siren'] = roc_auc(heard, logits)
    path = np.asarray(targets['trajectory'], np.float64)
    known = np.isfinite(path).all(axis=(1, 2))
    if known.any():
        errors = outputs['trajectory'][known, ..., :2] - path[known, None]
        ade = np.linalg.norm(errors, axis=-1).mean(axis=-1)
        likely = outputs['modes'][known].argmax(axis=1)
        scores['ADE m'] = float(ade[np.arange(len(ade)), likely].mean())
        scores['minADE m'] = float(ade.min(axis=1).mean())
    return scores
