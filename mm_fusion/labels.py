# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled folders of photographs and of sounds: ``labels.csv`` beside the files it names.

Photographs: columns ``file, friction, material, unevenness``; sounds: ``file, label, sublabel,
group``. Further columns are ignored; an empty label means that it cannot be told.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from mm_fusion.documents import MAX_TABLE_BYTES, read_bytes, read_text
from mm_fusion.errors import DatasetError, DocumentError, SampleError
from mm_fusion.features.sounds import network_audio
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES
from mm_fusion.types.sensors import CompressedImage, DropReason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

SURFACE_CLASSES = {
    'friction': FRICTION_CLASSES,
    'material': MATERIAL_CLASSES,
    'unevenness': UNEVENNESS_CLASSES,
}
SIREN_LABELS = {'nosiren': 0, 'siren': 1}
UNLABELLED = -1
LABELS_FILE = 'labels.csv'
_LISTED_PROBLEMS = 10
_WINDOWS_PER_CLIP = 3
_MAX_PICTURE_BYTES = 64 * 1024**2
_MAX_SOUND_SAMPLES = 100_000_000
"""Over all channels, 400 MB; a header of a hundred bytes can claim a million times as much."""
_SIGNATURES = {b'\xff\xd8\xff': 'jpeg', b'\x89PNG\r\n\x1a\n': 'png'}


@dataclass(frozen=True, slots=True, eq=False)
class RoadLabels:
    """Labelled photographs.

    Attributes:
        folder: Where the file names start from.
        files: Names as in the table.
        targets: By task, int64 (n,): index into the task's classes, or ``UNLABELLED``.
    """

    folder: Path
    files: tuple[str, ...]
    targets: Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class SoundLabels:
    """Labelled clips.

    Attributes:
        folder: Where the file names start from.
        files: Names as in the table.
        siren: int64 (n,): 1 siren, 0 none, or ``UNLABELLED``.
        sublabels: What is heard, for a breakdown of false alarms.
        groups: Name of the recording; clips of one recording must not be split.
    """

    folder: Path
    files: tuple[str, ...]
    siren: NDArray[np.int64]
    sublabels: tuple[str, ...]
    groups: tuple[str, ...]


def read_road_labels(folder: Path) -> RoadLabels:
    """Read the table of a folder of photographs.

    Raises:
        DatasetError: The table is missing or empty, lacks a column, or has a label that is no
            class; all problems are listed.
    """
    rows = _read_table(folder, ('file', *SURFACE_CLASSES))
    problems: list[str] = []
    targets = {
        task: _indices(rows, task, {name: i for i, name in enumerate(classes)}, problems)
        for task, classes in SURFACE_CLASSES.items()
    }
    refuse(folder / LABELS_FILE, problems)
    return RoadLabels(folder, tuple(row['file'] for row in rows), targets)


def read_sound_labels(folder: Path) -> SoundLabels:
    """Read the table of a folder of clips.

    Raises:
        DatasetError: As for ``read_road_labels``, or a clip has no group.
    """
    rows = _read_table(folder, ('file', 'label', 'sublabel', 'group'))
    problems: list[str] = []
    siren = _indices(rows, 'label', SIREN_LABELS, problems)
    problems += [f'line {i}: no group' for i, row in enumerate(rows, 2) if not row['group']]
    refuse(folder / LABELS_FILE, problems)
    return SoundLabels(
        folder=folder,
        files=tuple(row['file'] for row in rows),
        siren=siren,
        sublabels=tuple(row['sublabel'] for row in rows),
        groups=tuple(row['group'] for row in rows),
    )


def read_photograph(path: Path) -> CompressedImage:
    """Read an image file as the camera sample that a driver would publish.

    Raises:
        SampleError: It cannot be read, or is neither JPEG nor PNG.
    """
    try:
        payload = read_bytes(path, _MAX_PICTURE_BYTES)
    except DocumentError as error:
        raise SampleError(DropReason.MALFORMED, str(error)) from error
    for signature, encoding in _SIGNATURES.items():
        if payload.startswith(signature):
            return CompressedImage(
                stamp_ns=0,
                received_ns=0,
                frame_id='',
                encoding='jpeg' if encoding == 'jpeg' else 'png',
                payload=np.frombuffer(payload, np.uint8),
            )
    raise SampleError(DropReason.UNSUPPORTED, 'found neither JPEG nor PNG')


def read_sound(path: Path) -> tuple[NDArray[np.float32], int]:
    """Read a sound file as mono float32 (n,) in [-1, 1], and its rate in Hz.

    Raises:
        SampleError: It cannot be read, or holds nothing.
    """
    try:
        with soundfile.SoundFile(path) as file:
            claimed = file.frames * file.channels
            if claimed > _MAX_SOUND_SAMPLES:
                raise SampleError(
                    DropReason.MALFORMED,
                    f'claims {claimed} samples, expected at most {_MAX_SOUND_SAMPLES}',
                )
            samples, rate_hz = file.read(dtype='float32', always_2d=True), file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise SampleError(DropReason.MALFORMED, str(error)) from error
    if samples.shape[0] == 0:
        raise SampleError(DropReason.MALFORMED, 'holds no sound')
    if not np.isfinite(samples).all():
        raise SampleError(DropReason.NOT_FINITE, 'holds a number that is not finite')
    return np.ascontiguousarray(samples.mean(axis=1), np.float32), int(rate_hz)


def sound_windows(
    samples: NDArray[np.float32], rate_hz: int, target_rate_hz: int, count: int
) -> NDArray[np.float32]:
    """Cut a clip into the windows that score it, as the pipeline would at several instants.

    Args:
        samples: float32 (n,), the whole clip.
        rate_hz: Its rate.
        target_rate_hz: Rate of the windows.
        count: Samples of a window.

    Returns:
        float32 (windows, count), evenly spread, the first at the clip's end; a clip no longer
        than one window gives one, with zeros in front.
    """
    length = count * rate_hz / target_rate_hz
    spare = max(samples.size - length, 0.0)
    number = min(_WINDOWS_PER_CLIP, 1 + math.ceil(2.0 * spare / length))
    ends = samples.size - np.linspace(0.0, spare, number).astype(np.int64)
    return np.stack([network_audio(samples[:end], rate_hz, target_rate_hz, count) for end in ends])


def _read_table(folder: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    path = folder / LABELS_FILE
    try:
        with io.StringIO(read_text(path, MAX_TABLE_BYTES), newline='') as stream:
            reader = csv.DictReader(stream, restval='')
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise DatasetError(
                    f'{path}: found columns {reader.fieldnames}, expected also {missing}'
                )
            rows = [{name: row[name].strip() for name in columns} for row in reader]
    except DocumentError as error:
        raise DatasetError(str(error)) from error
    except csv.Error as error:
        raise DatasetError(f'{path}: cannot be read: {error}') from error
    if not rows:
        raise DatasetError(f'{path}: found no rows')
    return rows


def _indices(
    rows: list[dict[str, str]], column: str, classes: Mapping[str, int], problems: list[str]
) -> NDArray[np.int64]:
    indices = np.full(len(rows), UNLABELLED, np.int64)
    for position, row in enumerate(rows):
        name = row[column]
        if name in classes:
            indices[position] = classes[name]
        elif name:
            problems.append(f'line {position + 2}: {column} {name!r} is none of {list(classes)}')
    return indices


def refuse(path: Path, problems: list[str]) -> None:
    """Refuse a table that has problems.

    Raises:
        DatasetError: There are some; the first are listed and the others counted.
    """
    if not problems:
        return
    listed = '; '.join(problems[:_LISTED_PROBLEMS])
    more = len(problems) - _LISTED_PROBLEMS
    rest = f'; and {more} more' if more > 0 else ''
    raise DatasetError(f'{path}: {listed}{rest}')
