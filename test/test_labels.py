# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled folders: what is read, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from mm_fusion.errors import DatasetError, SampleError
from mm_fusion.labels import (
    read_photograph,
    read_road_labels,
    read_sound,
    read_sound_labels,
    sound_windows,
)

if TYPE_CHECKING:
    from pathlib import Path


def write_table(folder: Path, *lines: str) -> Path:
    (folder / 'labels.csv').write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return folder


def test_road_labels_become_indices_and_empty_ones_minus_one(tmp_path: Path) -> None:
    write_table(tmp_path, 'file,friction,material,unevenness', 'a.jpg,wet,,smooth')
    labels = read_road_labels(tmp_path)
    assert labels.files == ('a.jpg',)
    assert {task: values.tolist() for task, values in labels.targets.items()} == {
        'friction': [1],
        'material': [-1],
        'unevenness': [0],
    }


def test_sound_labels_keep_groups_and_further_columns_are_ignored(tmp_path: Path) -> None:
    write_table(
        tmp_path,
        'file,label,sublabel,group,seconds',
        'a.ogg,siren,police,g1,3.0',
        'b.ogg,nosiren,wind,g2,3.0',
        'c.ogg,,wind,g2,3.0',
    )
    labels = read_sound_labels(tmp_path)
    assert labels.siren.tolist() == [1, 0, -1]
    assert labels.groups == ('g1', 'g2', 'g2')
    assert labels.sublabels == ('police', 'wind', 'wind')


def test_every_label_that_is_no_class_is_named_with_its_line(tmp_path: Path) -> None:
    write_table(
        tmp_path,
        'file,friction,material,unevenness',
        'a.jpg,damp,asphalt,smooth',
        'b.jpg,dry,lava,smooth',
    )
    with pytest.raises(DatasetError, match=r"line 2: friction 'damp'.*line 3: material 'lava'"):
        read_road_labels(tmp_path)


def test_many_problems_are_counted_not_all_listed(tmp_path: Path) -> None:
    rows = [f'{i}.jpg,damp,,' for i in range(30)]
    write_table(tmp_path, 'file,friction,material,unevenness', *rows)
    with pytest.raises(DatasetError, match='and 20 more'):
        read_road_labels(tmp_path)


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        (('file,friction',), 'expected also'),
        (('file,friction,material,unevenness',), 'found no rows'),
        (('',), 'expected also'),
    ],
)
def test_a_table_without_columns_or_rows_is_refused(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    write_table(tmp_path, *lines)
    with pytest.raises(DatasetError, match=message):
        read_road_labels(tmp_path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='cannot be read'):
        read_road_labels(tmp_path / 'nowhere')


def test_a_clip_without_a_group_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path, 'file,label,sublabel,group', 'a.ogg,siren,police,')
    with pytest.raises(DatasetError, match='line 2: no group'):
        read_sound_labels(tmp_path)


def test_photographs_keep_their_bytes_and_codec(tmp_path: Path) -> None:
    for suffix, codec in (('.jpg', 'jpeg'), ('.png', 'png')):
        path = tmp_path / f'a{suffix}'
        cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
        sample = read_photograph(path)
        assert sample.encoding == codec
        assert sample.payload.tobytes() == path.read_bytes()


def test_what_is_no_photograph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.jpg'
    with pytest.raises(SampleError, match='No such file'):
        read_photograph(path)
    path.write_bytes(b'GIF89a')
    with pytest.raises(SampleError, match='neither JPEG nor PNG'):
        read_photograph(path)


def test_sound_is_mixed_down_to_mono(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    soundfile.write(path, np.tile([0.5, -0.25], (80, 1)), 8000, subtype='FLOAT')
    samples, rate_hz = read_sound(path)
    assert rate_hz == 8000
    assert samples.dtype == np.float32
    assert np.array_equal(samples, np.full(80, 0.125, np.float32))


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    path.write_bytes(b'no sound')
    with pytest.raises(SampleError, match=r'a\.wav'):
        read_sound(path)
    soundfile.write(path, np.zeros(0), 8000)
    with pytest.raises(SampleError, match='holds no sound'):
        read_sound(path)
    soundfile.write(path, np.full(9, np.nan), 8000, subtype='FLOAT')
    with pytest.raises(SampleError, match='not finite'):
        read_sound(path)


@given(st.integers(1, 500), st.integers(10, 100))
def test_windows_span_the_clip_and_end_with_its_end(size: int, count: int) -> None:
    samples = np.arange(1, size + 1, dtype=np.float32)
    windows = sound_windows(samples, 100, 100, count)
    assert windows.shape[1] == count
    assert 1 <= len(windows) <= 3
    assert windows[0, -1] == size
    if size <= count:
        assert len(windows) == 1
        assert np.array_equal(windows[0, count - size :], samples)
    else:
        assert len(windows) >= 2
        assert windows[-1, 0] == 1
        assert (np.diff(windows, axis=1) == 1).all()


def test_windows_are_resampled_to_the_rate_asked_for() -> None:
    windows = sound_windows(np.ones(1600, np.float32), 8000, 16_000, 1000)
    assert windows.shape == (3, 1000)
