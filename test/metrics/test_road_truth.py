# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from mm_fusion.metrics.road_truth import (
    SirenSums,
    SurfaceSums,
    no_road_truth,
    no_surfaces,
    score_siren_flag,
    score_surfaces,
    siren_events,
)

S = 1_000_000_000


def surfaces(friction: list[list[float]], truth: list[int], mu: list[float]) -> SurfaceSums:
    """Score outputs that are certain and right of everything but friction."""
    n = len(truth)
    return score_surfaces(
        {
            'friction': np.array(friction),
            'material': np.tile(np.eye(5)[2], (n, 1)),
            'unevenness': np.tile(np.eye(3)[1], (n, 1)),
        },
        {
            'friction': np.array(truth),
            'material': np.full(n, 2),
            'unevenness': np.array([1] * (n - 1) + [-1]),
        },
        np.full(n, 0.5),
        np.array(mu),
    )


def test_classes_are_compared_and_groups_by_their_own_probability() -> None:
    sums = surfaces(
        # Water is most probable in the second, but snow is as a group.
        [[0.9, 0.1, 0, 0, 0, 0], [0, 0, 0.4, 0.3, 0.3, 0], [0, 0.6, 0.4, 0, 0, 0]],
        [0, 3, 2],
        [0.9, 0.3, math.nan],
    )

    assert sums.accuracy('friction') == pytest.approx(1 / 3)
    assert sums.average_recall('friction') == pytest.approx(1 / 3)
    assert sums.accuracy('friction_3') == 1.0
    assert sums.matrices['friction'][3, 2] == 1
    assert sums.matrices['unevenness'].sum() == 2  # that of the third is not known
    assert sums.accuracy('material') == 1.0
    assert sums.coefficient_mae == pytest.approx((0.4 + 0.2) / 2)


def test_the_sums_of_two_recordings_are_those_of_both() -> None:
    posteriors = np.random.default_rng(0).dirichlet(np.ones(6), 9).tolist()
    truth, mu = [0, 1, 2, 3, 4, 5, 0, -1, 1], [0.1 * n for n in range(9)]

    both = surfaces(posteriors[:4], truth[:4], mu[:4]) + surfaces(
        posteriors[4:], truth[4:], mu[4:]
    )

    whole = surfaces(posteriors, truth, mu)
    assert both.count == whole.count == 9
    assert (both.matrices['friction'] == whole.matrices['friction']).all()
    assert both.coefficient_mae == pytest.approx(whole.coefficient_mae)


def test_without_outputs_there_is_no_score() -> None:
    nothing = no_surfaces() + no_surfaces()
    assert math.isnan(nothing.accuracy('friction'))
    assert math.isnan(nothing.average_recall('material'))
    assert math.isnan(nothing.coefficient_mae)
    assert math.isnan(SirenSums().true_positive_rate)
    assert math.isnan(SirenSums().false_positive_rate)
    assert not (no_road_truth() + no_road_truth()).known


def test_the_siren_is_scored_by_time() -> None:
    # Seconds 0 to 9, a siren from 3 to 6, the flag from 4 to 7; nobody hears at 5.
    stamps = np.arange(0, 10 * S, S // 4)
    truth = np.where((stamps >= 3 * S) & (stamps < 6 * S), 1, 0)
    raised = (stamps >= 4 * S) & (stamps < 7 * S)
    truth[(stamps >= 5 * S) & (stamps < 5.5 * S)] = -1
    truth[stamps == 4 * S] = -1  # so that the flag is believed from 4.25 on

    sums = score_siren_flag(stamps, raised, truth, [(3 * S, 6 * S)])

    assert (sums.siren_s, sums.raised_s) == (2.25, 1.25)
    assert (sums.quiet_s, sums.false_s) == (6.75, 1.0)  # the last output stands for no time
    assert sums.delays_s == (1.25,)
    assert sums.missed == 0
    assert sums.false_positive_rate == pytest.approx(1 / 6.75)


def test_an_output_before_a_gap_does_not_stand_for_all_of_it() -> None:
    sums = score_siren_flag(np.array([0, 60 * S]), np.array([True, True]), np.array([0, 0]), [])
    assert sums.quiet_s == sums.false_s == 0.5


def test_missed_sirens_are_counted_and_those_outside_are_not() -> None:
    stamps = np.arange(10, 20) * S
    raised = stamps == 18 * S
    events = [(0, 9 * S), (11 * S, 12 * S), (17 * S, 19 * S), (30 * S, 40 * S)]

    sums = score_siren_flag(stamps, raised, np.ones(10, np.int64), events)

    assert (sums.events, sums.missed, sums.delays_s) == (2, 1, (1.0,))
    both = sums + sums
    assert (both.events, both.missed, both.delays_s) == (4, 2, (1.0, 1.0))


def test_no_output_has_no_siren() -> None:
    nothing = np.zeros(0, np.int64)
    assert score_siren_flag(nothing, nothing.astype(bool), nothing, [(0, S)]).events == 0


def test_a_pause_of_the_same_siren_is_bridged() -> None:
    stamps = np.arange(12) * S
    assert siren_events(stamps, np.isin(np.arange(12), [1, 2, 4, 8])) == [
        (S, 2 * S),
        (4 * S, 4 * S),
        (8 * S, 8 * S),
    ]
    assert siren_events(stamps // 2, np.isin(np.arange(12), [1, 4, 9])) == [
        (S // 2, 2 * S),
        (9 * S // 2, 9 * S // 2),
    ]
    assert siren_events(stamps, np.zeros(12, bool)) == []
