# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Both sessions run, whatever the first one gives, and nothing that failed is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import run_tests


class Pytest:
    """Notes what it is called with, and gives one status after the other."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.calls: list[list[str]] = []

    def __call__(self, arguments: list[str]) -> int:
        self.calls.append(arguments)
        return self.statuses.pop(0)


@pytest.mark.parametrize(
    ('statuses', 'expected'),
    [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((2, 1), 2), ((5, 0), 0), ((0, 5), 0), ((5, 1), 1)]
    + [((5, 5), 5)],
)
def test_the_first_bad_status_counts_and_an_empty_half_is_none(
    statuses: tuple[int, int], expected: int
) -> None:
    calls = Pytest(*statuses)
    assert run_tests.run_tests(['-k', 'aligner'], calls) == expected
    assert [call[-2:] for call in calls.calls] == [['-k', 'aligner']] * 2
    chosen = [call[call.index('-m') + 1] for call in calls.calls]
    assert chosen == ['not ros', 'ros']
    assert ['-n' in call for call in calls.calls] == [True, False]


@pytest.mark.parametrize('arguments', [['-m', 'slow'], ['-n4'], ['--numprocesses=3', 'test']])
def test_who_chooses_gets_what_was_chosen(arguments: list[str]) -> None:
    calls = Pytest(3)
    assert run_tests.run_tests(arguments, calls) == 3
    assert calls.calls == [arguments]


def test_side_by_side_each_has_one_core_unless_somebody_says_otherwise() -> None:
    name = 'OMP_NUM_THREADS'
    for several in (['-n', 'auto'], ['-n4'], ['--numprocesses=3']):
        assert run_tests.environment(several, {'A': 'b'}) == {'A': 'b', name: '1'}
    assert run_tests.environment(['-n', 'auto'], {name: '3'}) == {name: '3'}
    assert run_tests.environment(['-m', 'ros'], {'A': 'b'}) == {'A': 'b'}


def test_no_test_is_left_out_and_none_runs_twice(pytester: pytest.Pytester) -> None:
    pytester.makeini('[pytest]\nmarkers =\n    ros: x\n')
    pytester.makepyfile(
        """
        import os, pathlib, pytest
        def note(): pathlib.Path('ran').open('a').write(os.environ['PYTEST_CURRENT_TEST'] + '\\n')
        def test_one(): note()
        def test_two(): note()
        @pytest.mark.ros
        def test_three(): note()
        """
    )
    assert run_tests.run_tests([], lambda found: pytester.runpytest_subprocess(*found).ret) == 0
    ran = Path(pytester.path, 'ran').read_text(encoding='utf-8').splitlines()
    assert sorted(line.split('::')[1] for line in ran) == [
        f'test_{name} (call)' for name in ('one', 'three', 'two')
    ]
