# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What every benchmark has in common: targets, the printed lines, the JSON, the summary."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from benchmarks import machine
from benchmarks.__main__ import summary
from benchmarks.report import Outcome, Target, conclude, parser, quantiles, table

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = {'cores': '2', 'processor': 'a CPU', 'memory': '8 GiB', 'python': '3.11', 'load': '0.10'}


@pytest.mark.parametrize(
    ('target', 'kept'),
    [
        (Target('rate', 15.0, 15.0, 'frames/s', at_least=True), True),
        (Target('rate', 14.9, 15.0, 'frames/s', at_least=True), False),
        (Target('cost', 20.0, 20.0, '%'), True),
        (Target('cost', 20.1, 20.0, '%'), False),
        (Target('cost', math.nan, 20.0), False),
        (Target('rate', math.nan, 20.0, at_least=True), False),
    ],
)
def test_a_target_is_kept_up_to_its_bound(target: Target, kept: bool) -> None:
    assert target.kept is kept


def test_a_target_says_its_figures_with_units() -> None:
    target = Target('rate', 14.961, 1500.0, 'frames/s', at_least=True)
    assert (target.result, target.promise) == ('15 frames/s', '≥ 1,500 frames/s')
    assert Target('ratio', 2.678, 3.0).promise == '≤ 3'


def test_an_outcome_is_printed_written_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'figures.json'
    outcome = Outcome(
        'Thing',
        table(('a', 'b'), [('1', '2')]),
        {'a': 1},
        [Target('speed', 1.0, 2.0, 'm/s', at_least=True)],
    )
    lenient = parser(None).parse_args(['--json', str(path), '--short'])
    strict = parser(None).parse_args(['--check'])
    assert conclude(outcome, lenient, MACHINE) == 0
    assert conclude(outcome, strict, MACHINE) == 1
    printed = capsys.readouterr().out
    assert '2 cores of a CPU, 8 GiB; python 3.11; load 0.10 before.' in printed
    assert '| a | b |\n| --- | --- |\n| 1 | 2 |\n\n' in printed
    assert '- speed: 1 m/s, promised ≥ 2 m/s: **missed**' in printed
    written = json.loads(path.read_text(encoding='utf-8'))
    assert written['machine'] == MACHINE
    assert written['short'] is True
    assert written['figures'] == {'a': 1}
    assert written['targets'][0]['kept'] is False


def test_the_summary_has_a_row_for_each_target_and_each_failure() -> None:
    target = {'what': 'speed', 'kept': False, 'text': ['1 m/s', '≥ 2 m/s']}
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(summary({'thing': {'targets': [target]}}, ['other']))
    text = console.export_text()
    assert [line for line in text.splitlines() if 'thing' in line and 'missed' in line]
    assert [line for line in text.splitlines() if 'other' in line and 'failed' in line]


def test_quantiles_of_nothing_are_no_numbers() -> None:
    assert all(math.isnan(value) for value in quantiles([], 0.5, 0.99))
    assert quantiles([1.0, 2.0, 3.0], 0.5, 1.0) == (2.0, 3.0)


def test_the_machine_is_described() -> None:
    found = machine.describe()
    assert int(found['cores']) >= 1
    assert found['memory'].endswith('GiB')
    assert found['onnxruntime'][0].isdigit()
    assert found['python'] in machine.sentence(found)


def test_the_processor_is_named_or_else_the_architecture() -> None:
    assert machine.processor('processor\t: 0\nmodel name\t: A: fast one\n') == 'A: fast one'
    assert machine.processor('nothing of that kind\n')
