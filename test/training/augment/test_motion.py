# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Variations of the motion history."""

from __future__ import annotations

import numpy as np
import pytest

from mm_fusion.training.augment.motion import (
    held_motion,
    mirrored_motion,
    noisy_motion,
    scaled_motion,
)

MOTION = np.stack(
    [np.linspace(5, 9, 40), np.linspace(-0.1, 0.3, 40), np.full(40, 1.0)], axis=1
).astype(np.float32)


def test_a_mirror_changes_the_sign_of_the_yaw_rate_alone() -> None:
    mirrored = mirrored_motion(MOTION)
    assert np.array_equal(mirrored, MOTION * np.array([1, -1, 1], np.float32))


def test_a_scale_changes_speed_and_acceleration_alone() -> None:
    assert scaled_motion(MOTION, 2.0) == pytest.approx(MOTION * np.array([2, 1, 2]))


def test_noise_is_small_and_in_every_column() -> None:
    random = np.random.default_rng(0)
    errors = np.stack([noisy_motion(MOTION, random) - MOTION for _ in range(200)])
    assert (errors.std(axis=(0, 1)) > (0.03, 0.003, 0.05)).all()
    assert (errors.std(axis=(0, 1)) < (0.2, 0.01, 0.2)).all()
    # A bias is the same in all rows of a history.
    assert errors.mean(axis=1)[:, 1].std() > 0.002


def test_an_outage_holds_what_was_said_last_and_spares_the_present() -> None:
    random = np.random.default_rng(0)
    spans = []
    for _ in range(100):
        held = held_motion(MOTION, random)
        changed = np.flatnonzero((held != MOTION).any(axis=1))
        spans.append(len(changed))
        assert len(changed)
        assert changed[-1] < 39
        assert np.array_equal(changed, np.arange(changed[0], changed[-1] + 1))
        assert (held[changed] == MOTION[changed[0] - 1]).all()
    assert max(spans) > 20
