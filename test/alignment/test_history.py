# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, settings

from mm_fusion.alignment.history import History
from mm_fusion.types.sensors import DropReason

stamps = st.lists(st.integers(0, 2000), max_size=100)


@settings(deadline=None)
@given(stamps, st.integers(1, 3000), st.integers(1, 40))
def test_holds_what_a_plain_sorted_list_would(
    stamps: list[int], span: int, max_items: int
) -> None:
    history: History[str] = History(span, max_items)
    expected: list[int] = []
    for stamp in stamps:
        reason = history.add(stamp, str(stamp))
        if stamp in expected:
            assert reason is DropReason.DUPLICATE
            continue
        expected = sorted([*expected, stamp])
        expected = [held for held in expected if held >= expected[-1] - span]
        assert reason is (DropReason.OVERFLOW if len(expected) > max_items else None)
        expected = expected[-max_items:]
    assert len(history) == len(expected)
    assert history.between(0, 2000) == tuple(map(str, expected))
    assert history.newest_ns == (expected[-1] if expected else None)


def test_a_full_history_says_so() -> None:
    history: History[int] = History(1000, 2)
    assert [history.add(stamp, stamp) for stamp in (10, 20)] == [None, None]
    assert history.add(30, 30) is DropReason.OVERFLOW
    assert history.add(25, 25) is DropReason.OVERFLOW
    assert history.between(0, 100) == (25, 30)


def test_memory_is_bounded_over_many_appends() -> None:
    history: History[int] = History(100, 10_000)
    for stamp in range(100_000):
        history.add(stamp, stamp)
        assert len(history) <= 101
        assert len(history._stamps_ns) <= 512
    assert history.between(0, 100_000) == tuple(range(99_899, 100_000))


def test_finds_the_neighbours_of_an_instant() -> None:
    history: History[int] = History(1000, 100)
    assert history.around(5) == (None, None)
    for stamp in (10, 20, 30):
        history.add(stamp, stamp)
    assert history.around(9) == (None, 10)
    assert history.around(10) == (10, 20)
    assert history.around(29) == (20, 30)
    assert history.around(99) == (30, None)


def test_neighbours_and_slices_pass_over_what_was_let_go() -> None:
    history: History[int] = History(10, 100)
    for stamp in (0, 5, 100):
        history.add(stamp, stamp)
    assert history.around(50) == (None, 100)
    assert history.between(0, 200) == (100,)
    assert 5 not in history
    assert 100 in history


def test_slices_include_both_ends() -> None:
    history: History[int] = History(1000, 100)
    for stamp in (10, 20, 30):
        history.add(stamp, stamp)
    assert history.between(10, 20) == (10, 20)
    assert history.between(11, 19) == ()


def test_clearing_says_how_much_was_held() -> None:
    history: History[int] = History(10, 100)
    for stamp in (0, 95, 100):
        history.add(stamp, stamp)
    assert history.clear() == 2
    assert (len(history), history.newest_ns, history.between(0, 200)) == (0, None, ())
