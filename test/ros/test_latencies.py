# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from mm_fusion.ros.latencies import ALIGN, PUBLISH, Latencies, Window

pytestmark = pytest.mark.ros


def test_the_mean_follows_about_ten_values() -> None:
    window = Window()
    window.add(1.0)
    window.add(2.0)
    assert window.mean == pytest.approx(1.1)


def test_quantiles_are_those_of_what_was_added() -> None:
    window = Window()
    for value in range(101):
        window.add(float(value))
    assert window.quantiles().tolist() == pytest.approx([50.0, 95.0, 99.0])


def test_old_values_are_ousted_and_memory_does_not_grow() -> None:
    window = Window()
    for _ in range(1000):
        window.add(7.0)
    for _ in range(512):
        window.add(1.0)
    assert len(window) == 512
    assert window.quantiles().tolist() == [1.0, 1.0, 1.0]
    assert window._values.size == 512


def test_stages_are_in_the_order_of_the_way_and_only_those_that_ran() -> None:
    latencies = Latencies()
    for stage in (PUBLISH, 'fusion', ALIGN):
        latencies.add(stage, 0.1)
    assert list(latencies.stages) == [ALIGN, 'fusion', PUBLISH]


def test_a_stage_that_is_not_known_is_a_defect() -> None:
    with pytest.raises(KeyError):
        Latencies().add('coffee', 0.1)
