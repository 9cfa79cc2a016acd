# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Photographs as samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.features.images import network_image
from mm_fusion.labels import read_photograph
from mm_fusion.training.augment.images import ImageVariation
from mm_fusion.training.data.roads import RoadPhotographs
from support.labelled import write_roads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_roads(tmp_path / 'roads', 2)


def test_a_plain_sample_is_what_the_node_makes_of_the_file(folder: Path) -> None:
    source = RoadPhotographs(folder, training_size=32)
    assert len(source) == 6
    for index in range(6):
        sample = source.sample(index, None)
        path = folder / source.describe(index)
        assert np.array_equal(sample.image, network_image(read_photograph(path), 224, 224))  # type: ignore[arg-type]
        assert sample.audio is sample.motion is sample.targets.trajectory is None
        assert sample.targets.siren == -1
    assert [source.sample(i, None).targets.friction for i in range(3)] == [0, 1, 5]
    assert source.sample(0, None).targets.material == -1
    assert source.targets['friction'].tolist() == [0, 1, 5] * 2


def test_varied_samples_have_the_size_of_the_training_and_differ(folder: Path) -> None:
    source = RoadPhotographs(folder, training_size=32)
    random = np.random.default_rng(0)
    images = [source.sample(1, random).image for _ in range(6)]
    assert {image.shape for image in images if image is not None} == {(32, 32, 3)}
    assert len({image.tobytes() for image in images if image is not None}) == 6


def test_rain_does_not_fall_on_dry_roads(folder: Path) -> None:
    rain = ImageVariation(smallest_crop=1.0, light=0, blur=0, rain=1, drops=0, glare=0, dusk=0)
    source = RoadPhotographs(folder, training_size=32, variation=rain)

    def brightest(index: int) -> int:
        images = [source.sample(index, np.random.default_rng(i)).image for i in range(6)]
        return max(int(image[..., 1].max()) for image in images if image is not None)

    dry, ice = 0, 2
    assert brightest(dry) < 80
    assert brightest(ice) > 90


def test_large_photographs_are_kept_small(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.jpg'), np.zeros((600, 1600, 3), np.uint8))
    (tmp_path / 'labels.csv').write_text('file,friction,material,unevenness\na.jpg,dry,,\n')
    source = RoadPhotographs(tmp_path)
    assert source._originals[0].shape == (192, 512, 3)


def test_copies_of_a_scene_are_one_group(folder: Path) -> None:
    random = np.random.default_rng(0)
    scene = np.kron(random.integers(0, 256, (10, 10, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    for name, pixels in (('a', scene), ('b', scene[:, ::-1]), ('c', 255 - scene)):
        cv2.imwrite(str(folder / f'{name}.png'), pixels)
    rows = ''.join(f'{name}.png,wet,mud,severe\n' for name in 'abc')
    (folder / 'labels.csv').write_text('file,friction,material,unevenness\n' + rows)
    source = RoadPhotographs(folder)
    assert source.groups[0] == source.groups[1] != source.groups[2]
    assert source.strata == ('1/4',) * 3


def test_the_fingerprint_follows_photographs_and_labels(folder: Path) -> None:
    first = RoadPhotographs(folder).fingerprint
    assert RoadPhotographs(folder).fingerprint == first
    table = folder / 'labels.csv'
    table.write_text(table.read_text().replace('smooth', 'slight', 1))
    second = RoadPhotographs(folder).fingerprint
    cv2.imwrite(str(folder / 'images' / '0.jpg'), np.zeros((9, 9, 3), np.uint8))
    assert len({first, second, RoadPhotographs(folder).fingerprint}) == 3


@pytest.mark.parametrize('content', [b'', b'\xff\xd8\xff damaged'])
def test_a_photograph_that_cannot_be_read_is_named(folder: Path, content: bytes) -> None:
    (folder / 'images' / '3.jpg').write_bytes(content)
    with pytest.raises(DatasetError, match=r'images/3\.jpg'):
        RoadPhotographs(folder)


def test_progress_is_told(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    RoadPhotographs(folder, progress=lambda *args: told.append(args))
    assert told == [(i, 6) for i in range(1, 7)]
