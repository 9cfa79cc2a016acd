# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Temperatures undo what scaled the logits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.special import softmax as reference_softmax

from mm_fusion.training.calibration import fit_temperature, sigmoid, softmax


@pytest.mark.parametrize('scale', [0.5, 3.0])
def test_temperature_finds_the_scale_of_the_logits(scale: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 4))
    chances = reference_softmax(logits, axis=1)
    targets = (random.uniform(size=(20_000, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    assert fit_temperature(logits * scale, targets) == pytest.approx(scale, rel=0.05)


def test_temperature_of_a_detector() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (20_000, 1))
    targets = (random.uniform(size=20_000) < expit(logits[:, 0])).astype(np.int64)
    assert fit_temperature(logits * 2.0, targets) == pytest.approx(2.0, rel=0.05)


def test_without_examples_nothing_changes() -> None:
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, np.int64)) == 1.0


def test_probabilities_match_scipy_and_survive_large_logits() -> None:
    logits = np.array([[1.0, -2.0, 0.5], [1e4, 0.0, -1e4]])
    assert softmax(logits, 2.0) == pytest.approx(reference_softmax(logits / 2.0, axis=1))
    assert sigmoid(logits[:, 0], 2.0) == pytest.approx(expit(logits[:, 0] / 2.0))
