# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Labels of intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.training.data.sidecar import lay_over, read_sidecar, sidecar_path

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, *lines: str) -> Path:
    path = folder / 'drive.labels.csv'
    path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return path


def test_intervals_are_laid_over_the_samples_within_them(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'start_s,end_s,friction,siren,friction_coefficient',
        '0,1,dry,,',
        '1.0,2.5,wet,siren,0.55',
    )
    labels: dict[str, Any] = {
        'friction': np.array([5, 5, 5, 5, -1]),
        'siren': np.zeros(5, np.int64),
        'friction_coefficient': np.full(5, np.nan, np.float32),
    }
    times_s = np.array([0.0, 0.9, 1.0, 2.4, 2.5])
    lay_over(read_sidecar(path, 10.0), times_s, labels)
    assert labels['friction'].tolist() == [0, 0, 1, 1, -1]
    assert labels['siren'].tolist() == [0, 0, 1, 1, 0]
    assert np.isnan(labels['friction_coefficient']).tolist() == [True, True, False, False, True]
    assert labels['friction_coefficient'][2] == pytest.approx(0.55)


def test_every_problem_is_listed_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'start_s,end_s,friction,siren,friction_coefficient',
        'a,2,dry,,',
        '3,2,damp,loud,',
        '20,21,dry,,7',
        '1,2,dry,,,,',
    )
    with pytest.raises(DatasetError) as caught:
        read_sidecar(path, 10.0)
    message = str(caught.value)
    for part in (
        "line 2: start_s 'a' is no number",
        'line 3: starts at 3 s and ends at 2 s',
        "line 3: friction 'damp'",
        "line 3: siren 'loud'",
        'line 4: starts at 20 s, but the recording has 10 s',
        "line 4: friction_coefficient '7'",
        'line 5: has more cells',
    ):
        assert part in message


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        (('start_s,end_s,grip', '0,1,high'), "column 'grip'"),
        (('start_s,friction', '0,dry'), 'no column end_s'),
        (('start_s,end_s', '0,1'), 'none of the columns friction'),
        (('start_s,end_s,friction',), 'found no rows'),
        (('start_s,end_s,friction', '0,3,dry', '2,4,wet'), 'from 2 s to 3 s two labels'),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        read_sidecar(write(tmp_path, *lines), 10.0)


def test_intervals_that_agree_may_overlap(tmp_path: Path) -> None:
    path = write(tmp_path, 'start_s,end_s,friction,siren', '0,3,dry,', '2,4,dry,siren')
    assert len(read_sidecar(path, 10.0)) == 2


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'drive\.mcap\.labels\.csv: cannot be read'):
        read_sidecar(sidecar_path(tmp_path / 'drive.mcap'), 1.0)
