# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Limits of inputs that stand in no folder of tests of their own: pictures, sounds and tables."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from mm_fusion.documents import MAX_TABLE_BYTES
from mm_fusion.errors import BundleError, DatasetError, SampleError
from mm_fusion.features.images import decode
from mm_fusion.labels import LABELS_FILE, read_photograph, read_road_labels, read_sound
from mm_fusion.runtime import Bundle
from mm_fusion.training.data.sidecar import read_sidecar
from mm_fusion.types.sensors import CompressedImage

if TYPE_CHECKING:
    from collections.abc import Iterator

PEAK_BYTES = 16 * 1024**2


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Fail where a test takes more memory than the input is worth."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < PEAK_BYTES


def sparse(path: Path, size: int, head: bytes = b'') -> Path:
    """Write a file of a size that takes no room on the disk."""
    with path.open('wb') as file:
        file.write(head)
        file.truncate(size)
    return path


@pytest.mark.usefixtures('little_memory')
def test_a_sound_that_claims_hours_in_its_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'claims.flac'
    soundfile.write(path, np.zeros(64), 8000, format='FLAC')
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F  # the number of samples: 36 bits, not compared with anything
    content[22:26] = b'\xff' * 4
    path.write_bytes(content)

    with pytest.raises(
        SampleError, match='claims 68719476735 samples, expected at most 100000000'
    ):
        read_sound(path)


@pytest.mark.usefixtures('little_memory')
def test_a_picture_that_claims_more_than_a_camera_has_is_not_decoded() -> None:
    head = bytes.fromhex('89504e470d0a1a0a0000000d49484452')
    payload = head + (60_000).to_bytes(4, 'big') * 2 + bytes([8, 2, 0, 0, 0]) + bytes(32)
    sample = CompressedImage(1, 1, '', 'png', np.frombuffer(payload, np.uint8))
    with pytest.raises(SampleError, match='found 60000 x 60000 pixels'):
        decode(sample)


def test_a_photograph_of_a_hundred_megabytes_is_refused(tmp_path: Path) -> None:
    path = sparse(tmp_path / 'large.jpg', 100 * 1024**2, b'\xff\xd8\xff')
    with pytest.raises(SampleError, match='found more than 67108864 bytes'):
        read_photograph(path)


def test_tables_without_end_are_refused(tmp_path: Path) -> None:
    path = sparse(tmp_path / LABELS_FILE, MAX_TABLE_BYTES + 1)
    for read in (lambda: read_road_labels(tmp_path), lambda: read_sidecar(path, 1.0)):
        with pytest.raises(DatasetError, match=f'found more than {MAX_TABLE_BYTES} bytes'):
            read()


@pytest.mark.usefixtures('little_memory')
def test_a_manifest_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'manifest.json').symlink_to(Path('/dev/zero'))
    with pytest.raises(BundleError, match='found more than 4194304 bytes'):
        Bundle.load(tmp_path)
