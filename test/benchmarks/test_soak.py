# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import pytest

from benchmarks import soak
from benchmarks.soak_record import Second, fitted_growth, uncounted, write_csv, write_figure


def second(time_s: float, rss_mib: float = 300.0) -> Second:
    sent = round(30 * time_s)
    return Second(time_s, rss_mib, 200.0, sent, sent - 2, 1, 3, 3, sent - 5, 40.0, 60.0)


def run(growth: float = 0.0, **books: int) -> dict[str, Any]:
    counts = {'sent': 900, 'received': 890, 'lost': 10, 'dropped': 4, 'superseded': 4}
    counts |= {'outputs': 886, 'uncounted': 0, **books}
    return {
        'seconds': [asdict(second(t, 300.0 + growth * t)) for t in range(1, 31)],
        'books': counts,
        'latencies_ms': (40.0, 60.0),
        'cpu_share': 0.7,
    }


def test_growth_is_fitted_after_the_warm_up() -> None:
    times = [float(t) for t in range(100)]
    flat = [100.0 + 10.0 * t for t in range(20)] + [300.0] * 80
    assert fitted_growth(times, flat) == pytest.approx(0.0, abs=1e-9)
    rising = [300.0] * 20 + [300.0 + 0.1 * t for t in range(80)]
    assert fitted_growth(times, rising) == pytest.approx(100 * 7.9 / 300)


def test_growth_of_one_value_is_no_number() -> None:
    assert math.isnan(fitted_growth([1.0], [300.0]))


def test_what_is_neither_received_nor_known_to_be_lost_is_uncounted() -> None:
    assert uncounted({'sent': 100, 'received': 90, 'lost': 7}) == 3


def test_the_report_holds_memory_and_losses_to_their_targets() -> None:
    good = soak.outcome({'profile': run()}, Path('bench'))
    assert all(target.kept for target in good.targets)
    assert '| 900 | 890 | 10 | 4 | 4 | 0 |' in good.lines[2]
    leaking = soak.outcome({'profile': run(growth=1.0)}, Path('bench'))
    shrinking = soak.outcome({'profile': run(growth=-1.0)}, Path('bench'))
    losing = soak.outcome({'profile': run(uncounted=1)}, Path('bench'))
    assert [target.kept for target in leaking.targets] == [False, True]
    assert [target.kept for target in shrinking.targets] == [False, True]
    assert [target.kept for target in losing.targets] == [True, False]


def test_without_the_profile_nothing_is_promised() -> None:
    assert not soak.outcome({'default': run(uncounted=500)}, Path('bench')).targets


def test_each_second_is_written_and_drawn(tmp_path: Path) -> None:
    records = [second(float(t)) for t in range(1, 6)]
    write_csv(tmp_path / 'soak.csv', records)
    write_figure(tmp_path / 'soak.png', records)
    with (tmp_path / 'soak.csv').open(encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['sent'] for row in rows] == ['30', '60', '90', '120', '150']
    picture = cv2.imread(str(tmp_path / 'soak.png'))
    assert picture is not None
    assert picture.std() > 10.0
