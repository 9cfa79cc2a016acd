# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from benchmarks import synchronizer
from benchmarks.synchronizer import Result, find_message_filters, measure, run_aligner, traffic

if TYPE_CHECKING:
    from pathlib import Path

FOUR = ('camera', 'audio', 'gnss', 'velocity')

# The shape of the library, so that nothing of it is needed here: the first of each topic.
STAND_IN = """
class SimpleFilter:
    def __init__(self):
        self.callbacks = []
    def registerCallback(self, callback, *arguments):
        self.callbacks.append((callback, arguments))
    def signalMessage(self, *messages):
        for callback, arguments in self.callbacks:
            callback(*messages, *arguments)
class ApproximateTimeSynchronizer(SimpleFilter):
    def __init__(self, filters, queue_size, slop):
        super().__init__()
        self.newest, self.count = {}, len(filters)
        for index, each in enumerate(filters):
            each.registerCallback(self.add, index)
    def add(self, message, index):
        self.newest[index] = message
        if len(self.newest) == self.count:
            self.signalMessage(*(self.newest[i] for i in range(self.count)))
            self.newest.clear()
"""


def test_traffic_has_the_rates_and_repeats_the_stamps() -> None:
    first, second = traffic(FOUR, 2.0, passes=2)
    counts = Counter(topic for _, _, topic in first)
    assert counts['velocity'] == 200
    assert counts['gnss'] == 20
    assert counts['camera'] == 55  # less the last 0.2 s
    assert [event[1:] for event in first] == [event[1:] for event in second]
    assert first[-1][0] < second[0][0]


def test_every_frame_gets_a_set_in_each_pass() -> None:
    result = run_aligner(traffic(FOUR, 3.0, passes=2))
    assert result.sets == [result.frames // 2] * 2
    # From the stamp: the frame takes 20 ms to arrive, the sound that covers it up to 52 ms more.
    assert 20.0 < result.latency_ms < 100.0
    assert 0.0 < result.mean_us < result.worst_us


def test_sets_are_counted_by_pass_and_latency_by_the_clock_of_the_pass() -> None:
    passes = [[(30_000_000, 0, 'camera')], [(9_030_000_000, 0, 'camera')]]
    result = measure(passes, lambda event: event, lambda event, _: [event[1]])
    assert (result.messages, result.frames, result.sets) == (2, 2, [1, 1])
    assert result.latency_ms == pytest.approx(30.0)


@pytest.mark.ros
def test_a_synchroniser_that_is_named_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'message_filters').mkdir()
    (tmp_path / 'message_filters' / '__init__.py').write_text(STAND_IN, encoding='utf-8')
    monkeypatch.setattr(sys, 'path', [*sys.path])
    try:
        found = find_message_filters(tmp_path)
        result = synchronizer.run_synchronizer(traffic(FOUR, 2.0), FOUR, found)
    finally:
        sys.modules.pop('message_filters', None)
    assert result.sets[0] == pytest.approx(20, abs=2)  # as often as the slowest topic


def test_a_folder_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'message_filters/__init__\.py'):
        find_message_filters(tmp_path)


def test_the_report_compares_and_says_where_it_cannot() -> None:
    own = Result(160, 30, [30], mean_us=5.0, worst_us=50.0, latency_ms=21.0)
    peer = Result(160, 30, [10], mean_us=50.0, worst_us=5000.0, latency_ms=60.0)
    both = synchronizer.outcome({'four': {'aligner': own, 'message_filters': peer}})
    assert [(target.found, target.kept) for target in both.targets] == [(0, True), (10.0, True)]
    assert '| four | message_filters | 10 of 30 | 50.0 µs | 5.00 ms | 60 ms |' in both.lines
    alone = synchronizer.outcome({'four': {'aligner': own}})
    assert any('not installed' in line for line in alone.lines)
