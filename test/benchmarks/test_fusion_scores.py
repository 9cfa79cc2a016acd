# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of the demonstrations: what they are of, and how sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.fusion_scores import (
    SCORES,
    best_of,
    gain,
    interval,
    mean_scores,
    resample,
    score,
    wet_or_dry,
)
from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = {'friction': 6, 'material': 5, 'unevenness': 3}
Arrays = dict[str, 'NDArray[Any]']


def made(count: int = 60) -> tuple[Arrays, Arrays]:
    """Make a network that is always right, and the truth."""
    random = np.random.default_rng(3)
    targets: Arrays = {name: random.integers(size, size=count) for name, size in SIZES.items()}
    targets['siren'] = np.arange(count) % 2
    targets['friction_coefficient'] = random.uniform(0.1, 1.0, count)
    targets['trajectory'] = random.normal(size=(count, 12, 2))
    outputs: Arrays = {name: 9.0 * np.eye(size)[targets[name]] for name, size in SIZES.items()}
    outputs['siren'] = targets['siren'][:, None].astype(float)
    outputs['friction_coefficient'] = targets['friction_coefficient'][:, None].repeat(2, axis=1)
    outputs['trajectory'] = np.zeros((count, 6, 12, 5))
    outputs['trajectory'][:, 2, :, :2] = targets['trajectory']
    outputs['modes'] = np.eye(6)[np.full(count, 2)]
    return outputs, targets


def test_who_is_always_right_has_the_best_of_every_score() -> None:
    found = score(*made())
    best = {name: float(one.higher) for name, one in SCORES.items()}
    assert found == pytest.approx(best)


def test_the_roll_out_itself_scores_one_and_the_best_mode_counts_for_min_ade_alone() -> None:
    outputs, targets = made()
    outputs['modes'] = np.eye(6)[np.zeros(60, int)]
    found = score(outputs, targets)
    assert found['ade'] == pytest.approx(1.0)
    assert found['min_ade'] == 0.0


def test_what_is_not_known_is_left_out() -> None:
    outputs, targets = made()
    outputs['friction'][:30] = 0.0
    outputs['friction_coefficient'][:30] = 7.0
    targets['friction'][:30] = -1
    targets['friction_coefficient'][:30] = np.nan
    targets['siren'][:] = -1
    found = score(outputs, targets)
    assert found['friction_6'] == 1.0
    assert found['coefficient'] == 0.0
    assert np.isnan(found['siren_auc'])


def test_wet_or_dry_counts_water_as_wet_and_leaves_snow_out() -> None:
    dry, water, snow = (FRICTION_CLASSES.index(n) for n in ('dry', 'water', 'fresh_snow'))
    targets = {'friction': np.array([dry, dry, water, snow])}
    logits = np.zeros((4, 6))
    logits[[0, 1, 2, 3], [dry, water, FRICTION_CLASSES.index('wet'), dry]] = 5.0
    assert wet_or_dry({'friction': logits}, targets) == pytest.approx(0.75)
    assert np.isnan(wet_or_dry({'friction': logits[:2]}, {'friction': targets['friction'][:2]}))


def test_whole_drives_are_drawn() -> None:
    drives = np.array(['a', 'b', 'a', 'c', 'b', 'a'])
    for draw in resample(drives, 20):
        counts = np.bincount(draw, minlength=6)
        assert counts[0] == counts[2] == counts[5]
        assert counts[1] == counts[4]
        assert counts[0] + counts[1] + counts[3] == 3


def test_less_is_better_where_it_is_an_error() -> None:
    assert gain('ade', 0.5, 0.7) == pytest.approx(0.2)
    assert gain('siren_auc', 0.5, 0.7) == pytest.approx(-0.2)
    choices = {'camera': 0.5, 'motion': 0.7, 'microphone': np.nan}
    assert best_of('ade', choices) == 'camera'
    assert best_of('siren_auc', choices) == 'motion'
    assert best_of('ade', {'camera': np.nan}) == ''


def test_seeds_are_averaged() -> None:
    outputs, targets = made()
    silent = {**outputs, 'siren': np.zeros((60, 1))}
    assert mean_scores([outputs, silent], targets)['siren_auc'] == pytest.approx(0.75)


def test_the_interval_leaves_out_what_is_no_number() -> None:
    assert interval([*np.linspace(0.0, 1.0, 101), np.nan]) == pytest.approx((0.05, 0.95))
    assert np.isnan(interval([np.nan])).all()
