# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.evaluation.records import LATENCY_EDGES_S, latency_sums, merge, no_totals
from mm_fusion.evaluation.replay import evaluate_bag
from mm_fusion.evaluation.scoring import thinned
from mm_fusion.settings import Settings
from mm_fusion.types.sensors import Modality

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.runtime import Bundle


def test_merging_nothing_gives_nothing() -> None:
    totals = merge([])
    assert totals.bags == totals.outputs == totals.samples == 0
    assert totals.latencies == {}


def test_merging_is_the_sum_of_both(circle: Path, bundle: Bundle, result: BagResult) -> None:
    blind = evaluate_bag(circle, bundle, Settings(), topics={'image': '', 'audio': ''})
    both = merge([result, blind])
    assert both.bags == 2
    assert both.outputs == result.totals.outputs + blind.totals.outputs
    assert both.road.count == result.totals.road.count
    assert both.modalities[Modality.VELOCITY].received == 480
    one, other = (r.totals.scores['mm_fusion']['all'] for r in (result, blind))
    ade = both.scores['mm_fusion']['all'].ade_m
    assert ade is not None
    assert one.ade_m is not None
    assert other.ade_m is not None
    weighted = (one.ade_m * one.count + other.ade_m * other.count) / (one.count + other.count)
    assert ade == pytest.approx(weighted)
    # The image encoder ran in one of them only.
    assert both.latencies['image_encoder'].count == 60
    assert both.latencies['fusion'].count == both.outputs
    assert (no_totals() + both).outputs == both.outputs


def test_latency_quantiles_are_within_a_bin() -> None:
    durations = np.random.default_rng(0).lognormal(-6, 1, 10_000)
    sums = latency_sums(durations[:5000]) + latency_sums(durations[5000:])
    for share in (0.5, 0.95, 0.99):
        assert sums.quantile_s(share) == pytest.approx(np.quantile(durations, share), rel=0.07)
    assert sums.mean_s == pytest.approx(durations.mean())
    assert sums.quantile_s(1.0) == sums.worst_s == durations.max()


def test_durations_beyond_the_bins_are_counted() -> None:
    sums = latency_sums([0.0, 1e-9, 500.0])
    assert sums.histogram.sum() == 3
    assert sums.quantile_s(0.99) == 500.0
    assert sums.histogram.size == LATENCY_EDGES_S.size - 1


@pytest.mark.parametrize(('count', 'most'), [(0, 5), (1, 5), (5, 5), (1000, 7)])
def test_thinning_keeps_both_ends(count: int, most: int) -> None:
    kept = thinned(count, most)
    assert len(kept) == min(count, most)
    assert list(kept[:1]) == list(range(count))[:1]
    assert list(kept[-1:]) == list(range(count))[-1:]
