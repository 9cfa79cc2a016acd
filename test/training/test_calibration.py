# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Temperatures undo what scaled the logits; thresholds and deviations hold what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.special import expit
from scipy.special import softmax as reference_softmax

from mm_fusion.training.calibration import (
    balance_offsets,
    calibrate,
    covariance_scales,
    fit_temperature,
    sigmoid,
    siren_cases,
    softmax,
    trusting,
)
from mm_fusion.types.features import MODES, STEPS

if TYPE_CHECKING:
    from mm_fusion.training.config import CalibrationConfig
    from mm_fusion.training.predict import Predictions

pytestmark = pytest.mark.torch


def aims(**values: float) -> CalibrationConfig:
    from mm_fusion.training.config import CalibrationConfig

    return CalibrationConfig(**values)


def predictions(*arguments: Any, **options: Any) -> Predictions:
    from support.predicted import predictions as made

    return made(*arguments, **options)


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


@pytest.mark.parametrize('power', [0.0, 0.5, 1.0])
def test_offsets_take_off_a_power_of_how_frequent_a_class_is(power: float) -> None:
    random = np.random.default_rng(2)
    shares = np.array([0.7, 0.2, 0.1])
    targets = random.choice(3, 60_000, p=shares)
    # What a classifier says that knows the shares: log-likelihood of the evidence plus them.
    evidence = random.normal(0, 1, (60_000, 3))
    evidence[np.arange(60_000), targets] += 1.0
    logits = evidence + np.log(shares)
    found = balance_offsets(3.0 * logits, targets, power)
    counts = np.bincount(targets)
    assert found == pytest.approx(3.0 * power * np.log(counts.max() / counts), rel=0.05, abs=1e-9)
    if power == 1.0:  # the shares are gone: only evidence is left, up to a constant
        left = 3.0 * np.log(shares) + found
        assert left - left[0] == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize(('examples', 'raised'), [(0, False), (9, False), (10, True)])
def test_a_class_with_few_examples_is_not_raised(examples: int, *, raised: bool) -> None:
    targets = np.repeat([0, 1, 2], [10_000, 500, examples])
    logits = 2.0 * np.eye(3)[targets]
    found = balance_offsets(logits, targets, 1.0)
    assert found[0] == 0.0
    assert found[1] == pytest.approx(fit_temperature(logits, targets) * np.log(20.0))
    assert (found[2] > found[1]) == raised
    assert (found[2] == 0.0) != raised


def test_rare_classes_are_found_more_often_and_stay_calibrated() -> None:
    random = np.random.default_rng(3)
    friction = random.choice(2, 4000, p=[0.95, 0.05])
    logits = np.full((4000, 6), -9.0, np.float32)
    logits[:, :2] = random.normal(0, 1, (4000, 2)) + np.log([0.95, 0.05])
    logits[np.arange(4000), friction] += 1.5
    part = predictions(4000, {'friction': logits}, {'friction': friction})
    recall = []
    for power in (0.0, 0.5):
        found = calibrate([part], aims(friction_balance=power), None)
        raised = logits + np.array(found['offsets']['friction'])
        recall.append(float((raised.argmax(axis=1) == 1)[friction == 1].mean()))
        assert found['offsets']['material'] == [0.0] * 5
    assert recall[1] > recall[0] + 0.1


def test_a_share_of_truths_lies_in_the_scaled_ellipse_at_each_step() -> None:
    random = np.random.default_rng(0)
    deviations = np.linspace(0.5, 4.0, STEPS)
    form = np.zeros((4000, MODES, STEPS, 5), np.float32)
    form[:, 2, :, 4] = 0.5  # the mode that is the most likely; its deviations are 1 m
    modes = np.zeros((4000, MODES), np.float32)
    modes[:, 2] = 1.0
    draws = random.multivariate_normal((0, 0), [[1.0, 0.5], [0.5, 1.0]], (4000, STEPS))
    truth = (draws * deviations[:, None]).astype(np.float32)
    found = calibrate(
        [
            predictions(
                4000,
                {'trajectory': form, 'modes': modes},
                {'trajectory': truth},
                ['a'] * 3000 + ['b'] * 1000,
            )
        ],
        aims(),
        None,
    )
    scales = found['trajectory']['covariance_scales']
    assert scales == pytest.approx((deviations**2).tolist(), rel=0.1)
    for shares in found['trajectory']['coverage_held_out'].values():
        assert shares == pytest.approx([0.9] * STEPS, abs=0.03)
    assert found['examples']['modes'] == 4000


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
    whole = calibrate([paths({'a': 1.0, 'b': 1.0})], aims(), None)
    assert whole['central_mode'] == {'share': 1.0, 'held_out': {'a': 1.0, 'b': 1.0}}

    # Each drive weighs by its error over that of its roll-out; c went the other way.
    mixed = calibrate([paths({'a': 0.5, 'b': 0.5, 'c': -2.0})], aims(), None)
    assert mixed['central_mode']['share'] == 0.5
    assert mixed['central_mode']['held_out'] == {'a': 0.5, 'b': 0.5, 'c': 0.5}

    never = calibrate([paths({'a': -1.0})], aims(), None)
    assert never['central_mode'] == {'share': 0.0, 'held_out': {}}
    assert calibrate([], aims(), None)['central_mode'] == {'share': 1.0}


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


def test_what_new_data_say_nothing_of_is_kept() -> None:
    known = {
        'temperatures': {'friction': 0.5, 'siren': 0.7},
        'offsets': {'unevenness': [0.0, 0.5, 1.0]},
        'siren_threshold': 0.8,
        'central_mode': {'share': 0.4},
        'trajectory': {'times_s': [1.0], 'covariance_scales': [2.0], 'source': 'before'},
        'friction_coefficient_std_scale': 1.5,
    }
    random = np.random.default_rng(0)
    friction = random.integers(0, 2, 500)
    logits = np.zeros((500, 6), np.float32)
    logits[np.arange(500), np.where(random.uniform(size=500) < 0.8, friction, 1 - friction)] = 9.0
    found = calibrate(
        [predictions(500, {'friction': logits}, {'friction': friction})],
        aims(),
        known,
    )
    assert found['temperatures']['friction'] > 2.0
    assert found['temperatures']['siren'] == 0.7
    assert found['offsets']['unevenness'] == [0.0, 0.5, 1.0]
    assert found['temperatures']['material'] == 1.0
    for name in (
        'siren_threshold',
        'central_mode',
        'trajectory',
        'friction_coefficient_std_scale',
    ):
        assert found[name] == known[name]
    nothing = calibrate([], aims(), None)
    assert nothing['siren_threshold'] == 0.5
    assert nothing['trajectory']['covariance_scales'] == [1.0] * STEPS
    assert set(nothing['temperatures'].values()) == {1.0}


def test_the_threshold_keeps_the_rate_of_false_alarms_by_clip() -> None:
    random = np.random.default_rng(0)
    siren = np.repeat([0, 1], 200)
    windows = np.repeat(siren, 3)
    logits = random.normal(0, 1, (1200, 1)) + 3.0 * windows[:, None]
    owners = np.repeat(np.arange(400, dtype=np.int64), 3)
    part = predictions(1200, {'siren': logits}, {'siren': windows}, owners=owners)
    found = calibrate([part], aims(siren_false_positive_rate=0.05), None)
    scores, targets, first = siren_cases([part], found['temperatures']['siren'])
    assert (targets == siren).all()
    assert (first == np.arange(400) * 3).all()
    assert (scores[siren == 0] >= found['siren_threshold']).mean() == pytest.approx(0.05)
    assert (scores[siren == 1] >= found['siren_threshold']).mean() > 0.95


def test_clips_of_two_sources_stay_apart() -> None:
    part = predictions(2, {'siren': np.array([[2.0], [-2.0]])}, {'siren': np.array([1, 0])})
    scores, targets, _ = siren_cases([part, part], 1.0)
    assert scores == pytest.approx(expit([2.0, -2.0, 2.0, -2.0]))
    assert targets.tolist() == [1, 0, 1, 0]


def test_the_deviation_of_the_friction_coefficient_becomes_honest() -> None:
    random = np.random.default_rng(0)
    output = np.stack([np.full(5000, 0.6), np.full(5000, np.log(0.05))], axis=1)
    truth = random.normal(0.6, 0.15, 5000)
    part = predictions(5000, {'friction_coefficient': output}, {'friction_coefficient': truth})
    assert calibrate([part], aims(), None)['friction_coefficient_std_scale'] == pytest.approx(
        3.0, rel=0.05
    )
