# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Ellipses hold what they say, and mode 0 is trusted as far as other drives confirm it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.training.path_calibration import (
    central_mode,
    covariance_scales,
    fit_covariance,
    trusting,
)
from mm_fusion.types.features import MODES, STEPS

if TYPE_CHECKING:
    from mm_fusion.training.predict import Predictions

pytestmark = pytest.mark.torch


def predictions(*arguments: Any, **options: Any) -> Predictions:
    from support.predicted import predictions as made

    return made(*arguments, **options)


def test_a_share_of_truths_lies_in_the_scaled_ellipse_at_each_step() -> None:
    random = np.random.default_rng(0)
    deviations = np.linspace(0.5, 4.0, STEPS)
    form = np.zeros((4000, MODES, STEPS, 5), np.float32)
    form[:, 2, :, 4] = 0.5  # the mode that is the most likely; its deviations are 1 m
    modes = np.zeros((4000, MODES), np.float32)
    modes[:, 2] = 1.0
    draws = random.multivariate_normal((0, 0), [[1.0, 0.5], [0.5, 1.0]], (4000, STEPS))
    truth = (draws * deviations[:, None]).astype(np.float32)
    drives = ['a'] * 3000 + ['b'] * 1000
    part = predictions(4000, {'trajectory': form, 'modes': modes}, {'trajectory': truth}, drives)
    found = fit_covariance([part], None)
    assert found['covariance_scales'] == pytest.approx((deviations**2).tolist(), rel=0.1)
    assert found['coverage_held_out'].keys() == {'a', 'b'}
    for shares in found['coverage_held_out'].values():
        assert shares == pytest.approx([0.9] * STEPS, abs=0.03)


def paths(drives: dict[str, float], count: int = 50) -> Predictions:
    """Make predictions of 1 m to the left at every step where the truth is a multiple of that."""
    form = np.zeros((count * len(drives), MODES, STEPS, 5), np.float32)
    form[..., 1] = 1.0
    modes = np.zeros((len(form), MODES), np.float32)
    modes[:, 0] = 1.0
    truth = np.zeros((len(form), STEPS, 2), np.float32)
    truth[..., 1] = np.repeat(list(drives.values()), count)[:, None]
    groups = np.repeat(list(drives), count).tolist()
    return predictions(
        len(form), {'trajectory': form, 'modes': modes}, {'trajectory': truth}, groups
    )


def test_residuals_are_trusted_as_far_as_drives_left_out_confirm_them() -> None:
    whole = central_mode([paths({'a': 1.0, 'b': 1.0})], None)
    assert whole == {'share': 1.0, 'held_out': {'a': 1.0, 'b': 1.0}}

    # Each drive weighs by its error over that of its roll-out; c went the other way.
    mixed = central_mode([paths({'a': 0.5, 'b': 0.5, 'c': -2.0})], None)
    assert mixed['share'] == 0.5
    assert mixed['held_out'] == {'a': 0.5, 'b': 0.5, 'c': 0.5}

    never = central_mode([paths({'a': -1.0})], None)
    assert never == {'share': 0.0, 'held_out': {}}
    assert central_mode([], None) == {'share': 1.0}
    assert central_mode([], {'share': 0.4}) == {'share': 0.4}


def test_only_residuals_of_the_central_mode_shrink() -> None:
    part = paths({'a': 1.0})
    shrunk = trusting(part, 0.25).outputs['trajectory']
    assert (shrunk[:, 0, :, 1] == 0.25).all()
    assert (shrunk[:, 1:] == part.outputs['trajectory'][:, 1:]).all()
    assert (part.outputs['trajectory'][..., 1] == 1.0).all()


def test_a_short_drive_weighs_as_much_as_a_long_one() -> None:
    short, long = np.full((10, STEPS), 9.0), np.full((1000, STEPS), 1.0)
    # Nine tenths of the weight lie in the long drive and most of the short one.
    chi2 = -2.0 * np.log(0.1)
    assert covariance_scales([short, long])[0] == pytest.approx(9.0 / chi2)
    assert covariance_scales([long])[0] == pytest.approx(1.0 / chi2)
