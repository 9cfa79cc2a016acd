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
    fit_temperature,
    sigmoid,
    siren_cases,
    softmax,
)
from mm_fusion.types.features import STEPS

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
        assert (found['examples']['friction'], found['examples']['modes']) == (4000, 0)
    assert recall[1] > recall[0] + 0.1


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
