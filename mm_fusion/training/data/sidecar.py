# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Labels of intervals of a recording: a table beside it.

The columns ``start_s`` and ``end_s`` count from the first message of the recording; any of
``friction``, ``material``, ``unevenness``, ``siren`` and ``friction_coefficient`` follow. An empty
cell says nothing.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.documents import MAX_TABLE_BYTES, read_text
from mm_fusion.errors import DatasetError, DocumentError
from mm_fusion.labels import SIREN_LABELS, SURFACE_CLASSES, refuse

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_CLASSES = {
    task: {name: index for index, name in enumerate(classes)}
    for task, classes in SURFACE_CLASSES.items()
} | {'siren': SIREN_LABELS}
_COEFFICIENT = 'friction_coefficient'
_LARGEST_COEFFICIENT = 1.5
_SURPLUS = 'further cells'
LABEL_COLUMNS = (*_CLASSES, _COEFFICIENT)


@dataclass(frozen=True, slots=True)
class Interval:
    """What is true from one time to another.

    Attributes:
        start_s: Seconds from the first message of the recording.
        end_s: The same; this instant is not in the interval.
        labels: By column: index of a class, or the friction coefficient.
    """

    start_s: float
    end_s: float
    labels: dict[str, float]


def sidecar_path(bag: Path) -> Path:
    """Name the table that is looked for beside a recording: ``<bag>.labels.csv``."""
    return bag.with_name(f'{bag.name}.labels.csv')


def read_sidecar(path: Path, duration_s: float) -> tuple[Interval, ...]:
    """Read the table of a recording.

    Args:
        path: Of the table.
        duration_s: Of the recording.

    Raises:
        DatasetError: It cannot be read, has no rows, or has problems; all are listed: unknown
            columns, labels that are no class, intervals that are none, lie behind the end of the
            recording, or contradict each other.
    """
    columns, rows = _read(path)
    problems = _column_problems(columns)
    refuse(path, problems)
    intervals = []
    for line, row in enumerate(rows, 2):
        interval, found = _interval(row, duration_s)
        problems += [f'line {line}: {problem}' for problem in found]
        if interval is not None:
            intervals.append(interval)
    refuse(path, problems or _overlaps(intervals))
    return tuple(intervals)


def lay_over(
    intervals: tuple[Interval, ...],
    times_s: NDArray[np.float64],
    labels: dict[str, NDArray[np.int64] | NDArray[np.float32]],
) -> None:
    """Write the labels of intervals over those of samples, in place.

    Args:
        intervals: What the table says.
        times_s: float64 (n,), of the samples, from the first message of the recording.
        labels: By column, (n,).
    """
    for interval in intervals:
        inside = (times_s >= interval.start_s) & (times_s < interval.end_s)
        for column, value in interval.labels.items():
            labels[column][inside] = value


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with io.StringIO(read_text(path, MAX_TABLE_BYTES), newline='') as stream:
            reader = csv.DictReader(stream, restkey=_SURPLUS, restval='')
            rows = [{name: str(row[name]).strip() for name in row} for row in reader]
            columns = list(reader.fieldnames or ())
    except DocumentError as error:
        raise DatasetError(str(error)) from error
    except csv.Error as error:
        raise DatasetError(f'{path}: cannot be read: {error}') from error
    if not rows:
        raise DatasetError(f'{path}: found no rows')
    return columns, rows


def _column_problems(columns: list[str]) -> list[str]:
    expected = ('start_s', 'end_s', *LABEL_COLUMNS)
    problems = [
        f'column {name!r} is none of {", ".join(expected)}'
        for name in columns
        if name not in expected
    ]
    problems += [f'there is no column {name}' for name in expected[:2] if name not in columns]
    if not set(columns) & set(LABEL_COLUMNS):
        problems.append(f'there is none of the columns {", ".join(LABEL_COLUMNS)}')
    return problems


def _interval(row: dict[str, str], duration_s: float) -> tuple[Interval | None, list[str]]:
    problems: list[str] = []
    if _SURPLUS in row:
        problems.append('has more cells than there are columns')
    start_s = _number(row, 'start_s', 0.0, math.inf, problems)
    end_s = _number(row, 'end_s', 0.0, math.inf, problems)
    if start_s >= end_s:
        problems.append(f'starts at {start_s:g} s and ends at {end_s:g} s')
    elif start_s > duration_s:
        problems.append(f'starts at {start_s:g} s, but the recording has {duration_s:g} s')
    labels: dict[str, float] = {}
    for column in LABEL_COLUMNS:
        text = row.get(column, '')
        if not text:
            continue
        if column == _COEFFICIENT:
            labels[column] = _number(row, column, 0.0, _LARGEST_COEFFICIENT, problems)
        elif text in _CLASSES[column]:
            labels[column] = _CLASSES[column][text]
        else:
            problems.append(f'{column} {text!r} is none of {list(_CLASSES[column])}')
    return (None if problems else Interval(start_s, end_s, labels)), problems


def _number(
    row: dict[str, str], column: str, lower: float, upper: float, problems: list[str]
) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and lower <= value <= upper):
        problems.append(
            f'{column} {row[column]!r} is no number from {lower:g}'
            + (f' to {upper:g}' if math.isfinite(upper) else ' on')
        )
    return value


def _overlaps(intervals: list[Interval]) -> list[str]:
    problems = []
    for column in LABEL_COLUMNS:
        told = sorted(
            (i.start_s, i.end_s, i.labels[column]) for i in intervals if column in i.labels
        )
        problems += [
            f'{column}: from {after[0]:g} s to {min(before[1], after[1]):g} s two labels are given'
            for before, after in itertools.pairwise(told)
            if after[0] < before[1] and after[2] != before[2]
        ]
    return problems
