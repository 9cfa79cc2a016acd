# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.simulation.scenario import Timing
from mm_fusion.simulation.sensors import Clock, instants
from mm_fusion.simulation.world import START_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MS = 1_000_000
SECOND = 1000 * MS


def timed(timing: Timing, count: int, period_ns: int = 20 * MS) -> NDArray[np.int64]:
    """Give (true, stamp, arrival) since the start, ns, of measurements that take 5 ms."""
    clock = Clock(timing, np.random.default_rng(3))
    rows = []
    for index in range(count):
        true_ns = START_NS + index * period_ns
        rows.append((true_ns, *clock.time(true_ns, true_ns + 5 * MS)))
    return np.array(rows) - START_NS


def test_instants_keep_the_rate_and_end_with_the_drive() -> None:
    stamps = list(instants(30.0, START_NS + SECOND))

    assert stamps[0] == START_NS
    assert stamps[-1] == START_NS + SECOND
    assert len(stamps) == 31
    # The rate holds over hours: nothing adds up.
    assert next(islice(instants(30.0, START_NS + 10**15), 30 * 3600, None)) == (
        START_NS + 3600 * SECOND
    )


def test_a_perfect_clock_stamps_the_truth_and_the_latency_counts_from_the_end() -> None:
    true, stamp, arrival = timed(Timing(latency_s=0.03), 50).T

    assert (stamp == true).all()
    assert (arrival == true + 35 * MS).all()


def test_the_offset_grows_with_the_drift() -> None:
    true, stamp, _ = timed(Timing(clock_offset_s=-0.5, clock_drift_ppm=100.0), 60_001).T

    assert stamp[0] == -500 * MS
    # 100 ppm of 1200 s.
    assert stamp[-1] - true[-1] == -380 * MS


def test_the_stamps_have_the_stated_deviation() -> None:
    true, stamp, _ = timed(Timing(stamp_jitter_s=0.002), 4000).T
    error = (stamp - true) * 1e-9

    assert np.std(error) == pytest.approx(0.002, rel=0.06)
    assert abs(np.mean(error)) < 4 * 0.002 / np.sqrt(4000)
    assert abs(np.corrcoef(error[1:], error[:-1])[0, 1]) < 0.06


def test_the_latency_has_the_stated_mean_and_is_skewed() -> None:
    true, _, arrival = timed(Timing(latency_s=0.01, latency_jitter_s=0.004), 4000, SECOND).T
    latency = (arrival - true) * 1e-9 - 0.005

    assert latency.min() >= 0.01
    assert np.mean(latency) == pytest.approx(0.014, rel=0.03)
    assert np.median(latency) == pytest.approx(0.01 + 0.004 * np.log(2), rel=0.03)


@given(
    jitter_s=st.floats(0.0, 0.1),
    latency_s=st.floats(0.0, 2.0),
    latency_jitter_s=st.floats(0.0, 1.0),
    period_ns=st.integers(2 * MS, 100 * MS),
)
def test_stamps_and_arrivals_increase_whatever_the_jitter(
    jitter_s: float, latency_s: float, latency_jitter_s: float, period_ns: int
) -> None:
    timing = Timing(
        stamp_jitter_s=jitter_s, latency_s=latency_s, latency_jitter_s=latency_jitter_s
    )
    true, stamp, arrival = timed(timing, 40, period_ns).T

    assert (np.diff(stamp) > 0).all()
    assert (np.diff(arrival) > 0).all()
    assert (arrival >= true + 5 * MS).all()
