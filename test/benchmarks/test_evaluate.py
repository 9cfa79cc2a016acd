# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import evaluate
from benchmarks.evaluate import Cost
from mm_fusion.bags.raw import RawBag

if TYPE_CHECKING:
    from pathlib import Path


def test_the_recording_has_the_rates_that_are_claimed_and_is_decoded_whole(tmp_path: Path) -> None:
    path = evaluate.record(tmp_path / 'drive', 2)
    with RawBag(path) as bag:
        assert bag.counts == {
            '/velocity': 200,
            '/audio': 100,
            '/fix': 20,
            '/odometry': 20,
            '/image/compressed': 20,
        }
    assert evaluate.decode(path) == 360
    cost = evaluate.cost('decode', path)
    assert cost.messages == 360
    assert cost.peak_mib > 10.0


def test_growth_is_of_the_two_longest() -> None:
    def costs(cpu_s: float, messages: int, peak_mib: float) -> dict[str, Cost]:
        return {
            'decode': Cost(0.1, 0.1, 80.0, messages),
            'evaluate': Cost(cpu_s, cpu_s, peak_mib, messages),
        }

    found = evaluate.outcome(
        {1: costs(9.0, 100, 100.0), 10: costs(10.0, 1000, 200.0), 100: costs(150.0, 10_000, 220.0)}
    )
    cost, memory = found.targets
    assert cost.found == pytest.approx(1.5)
    assert not cost.kept
    assert memory.found == pytest.approx(1.1)
    assert memory.kept
