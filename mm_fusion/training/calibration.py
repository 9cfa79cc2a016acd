# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration on held-out predictions: temperatures and the siren threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_LOG, _MOST_LOG = np.log(0.05), np.log(20.0)


def fit_temperature(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> float:
    """Find the temperature with the least negative log-likelihood (Guo et al., 2017).

    Args:
        logits: (n, classes); or (n, 1), the log-odds of class 1.
        targets: (n,), without unlabelled ones.

    Returns:
        Between 0.05 and 20; 1 where there are no examples.
    """
    if not len(targets):
        return 1.0
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        own = scaled[np.arange(len(targets)), targets]
        return float((np.logaddexp.reduce(scaled, axis=1) - own).mean())

    found = minimize_scalar(loss, bounds=(_LEAST_LOG, _MOST_LOG), method='bounded')
    return float(np.exp(found.x))


def softmax(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Turn (n, classes) logits into probabilities at a temperature."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def sigmoid(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Turn log-odds into probabilities at a temperature."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits / temperature)))
