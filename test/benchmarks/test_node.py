# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of the benchmarks over DDS."""

from __future__ import annotations

import math
import os

import pytest

pytest.importorskip('rclpy')

from benchmarks import node
from benchmarks.feed import Window, latencies_ms
from benchmarks.processes import cpu_seconds, resident_mib

pytestmark = pytest.mark.ros


def window(
    rate_hz: float, answered: int, *, latency_ms: float = 20.0, in_time: int | None = None
) -> Window:
    latencies = (latency_ms,) * answered
    early = answered if in_time is None else in_time
    return Window(rate_hz, 1.0, round(rate_hz), latencies, early, cpu_s=0.1)


def test_sustained_is_what_is_answered_and_throughput_the_most_at_any_rate() -> None:
    ladder = [window(10, 10), window(20, 20), window(30, 26), window(40, 28)]
    turn = node.Turn(ladder, window(15, 10))
    assert turn.sustained_hz == 20.0
    assert turn.throughput_hz == 28.0
    assert turn.cpu_ms == pytest.approx(10.0)


def test_answers_after_the_end_are_answers_but_no_throughput() -> None:
    late = window(20, 20, in_time=15)
    assert late.share == 1.0
    assert late.answers_hz == 15.0


def test_the_ladder_ends_beyond_saturation() -> None:
    asked: list[float] = []

    def measure(rate_hz: float) -> Window:
        asked.append(rate_hz)
        return window(rate_hz, min(round(rate_hz), 22))

    found = node.climb(measure, (10, 20, 30, 40, 50))
    assert asked == [10, 20, 30, 40]
    assert [round(one.share, 2) for one in found] == [1.0, 1.0, 0.73, 0.55]


def test_the_report_takes_the_better_peer_and_the_mean_of_the_turns() -> None:
    def turn(rate_hz: int, latency_ms: float = 20.0) -> node.Turn:
        return node.Turn([window(rate_hz, rate_hz)], window(15, 15, latency_ms=latency_ms))

    default, single = node.STRAIGHTFORWARD
    found = node.outcome(
        {node.FUSION: [turn(40), turn(60, 40.0)], default: [turn(10)], single: [turn(20)]},
        'int8',
        'it is faster',
    )
    sustained, tail, ratio = found.targets
    assert sustained.found == 50.0
    assert tail.found == pytest.approx(40.0 / 30.0)
    assert ratio.found == pytest.approx(2.5)
    assert ratio.kept
    assert '50.0 (40.0, 60.0)' in found.lines[4]
    assert found.lines[0] == 'The fusion node chose int8: it is faster.'


def test_without_a_peer_nothing_is_compared_and_a_silent_peer_proves_nothing() -> None:
    turn = node.Turn([window(20, 20)], window(15, 15))
    silent = node.Turn([window(20, 0)], window(15, 0))
    alone = node.outcome({node.FUSION: [turn]}, 'fp32', 'no reason')
    assert len(alone.targets) == 2
    assert 'torch is not installed' in alone.lines[-1]
    peers = {node.FUSION: [turn], node.STRAIGHTFORWARD[0]: [silent]}
    compared = node.outcome(peers, 'fp32', 'no reason')
    assert math.isnan(compared.targets[2].found)
    assert not compared.targets[2].kept


def test_latencies_are_of_frames_only() -> None:
    answers = {1_000_000: 21_000_000, 2_000_000: 5_000_000, 7_000_000: 9_000_000}
    assert latencies_ms({1_000_000, 7_000_000}, answers) == (20.0, 2.0)


def test_cpu_time_is_read_behind_any_name_of_a_program() -> None:
    ticks = os.sysconf('SC_CLK_TCK')
    stat = f'7 (a (b) c) R 1 2 3 4 5 6 7 8 9 10 {3 * ticks} {ticks} 0 0'
    assert cpu_seconds(stat) == pytest.approx(4.0)


def test_resident_memory_is_read_in_mib() -> None:
    status = 'Name:\tnode\nVmRSS:\t  2048 kB\nRssAnon:\t 1024 kB\nRssFile:\t 512 kB\n'
    assert resident_mib(status) == (2.0, 1.0)
