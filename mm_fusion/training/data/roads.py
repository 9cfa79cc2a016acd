# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A labelled folder of photographs of roads, as a source of samples."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from mm_fusion.errors import DatasetError, SampleError
from mm_fusion.features.images import decode, network_image
from mm_fusion.labels import (
    LABELS_FILE,
    UNLABELLED,
    read_photograph,
    read_road_labels,
)
from mm_fusion.training.augment.images import ImageVariation, mirror, vary_image
from mm_fusion.training.data.sample import IMAGE_SIZE, Sample, Targets
from mm_fusion.training.folds import near_duplicate_groups
from mm_fusion.types.predictions import FRICTION_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.types.sensors import CompressedImage

_Given = TypeVar('_Given')
_Made = TypeVar('_Made')

_LARGEST = 512
"""Crops are cut from photographs scaled to at most this many pixels a side."""
_DRY = FRICTION_CLASSES.index('dry')


class RoadPhotographs:
    """Photographs of roads, each a sample of the camera alone.

    The originals are kept in memory, 190 kB for one of 250 x 250. What is evaluated is read
    anew and scaled as the node does it.

    Args:
        folder: Holds ``labels.csv``.
        training_size: Height and width of augmented images.
        variation: How they are augmented.
        progress: Told the photographs read and their number.

    Raises:
        DatasetError: The table is refused, or a photograph cannot be read.
    """

    name = 'photographs'

    def __init__(
        self,
        folder: Path,
        training_size: int = IMAGE_SIZE,
        variation: ImageVariation | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._labels = read_road_labels(folder)
        self._size = training_size
        self._variation = ImageVariation() if variation is None else variation
        digest = hashlib.sha256((folder / LABELS_FILE).read_bytes())
        self._originals: list[NDArray[np.uint8]] = []
        for index in range(len(self)):
            photograph = self._read(index)
            digest.update(hashlib.sha256(photograph.payload.data).digest())
            self._originals.append(self._checked(index, _original, photograph))
            if progress is not None:
                progress(index + 1, len(self))
        self.fingerprint = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._labels.files)

    @property
    def targets(self) -> Mapping[str, NDArray[np.int64]]:
        """Class of each photograph by task; nothing is known of the siren."""
        return {**self._labels.targets, 'siren': np.full(len(self), UNLABELLED, np.int64)}

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Scene of each photograph: near-duplicates share one."""
        return tuple(f'scene {number}' for number in near_duplicate_groups(self._originals))

    @property
    def strata(self) -> tuple[str, ...]:
        """Friction and material of each photograph."""
        friction, material = self._labels.targets['friction'], self._labels.targets['material']
        return tuple(f'{f}/{m}' for f, m in zip(friction, material, strict=True))

    def describe(self, index: int) -> str:
        """Name the file."""
        return self._labels.files[index]

    def sample(
        self,
        index: int,
        random: np.random.Generator | None,
        partners: NDArray[np.int64] | None = None,
    ) -> Sample:
        """Make the sample of a photograph: as the node sees it, or cropped, mirrored and varied.

        Raises:
            DatasetError: The file can no longer be read.
        """
        classes = {task: int(values[index]) for task, values in self._labels.targets.items()}
        targets = Targets(
            classes['friction'],
            classes['material'],
            classes['unevenness'],
        )
        if random is None:
            image = self._checked(index, _as_the_node, self._read(index))
        else:
            original = self._originals[index]
            image = vary_image(
                mirror(original) if random.random() < 0.5 else original,
                self._size,
                random,
                self._variation,
                may_rain=targets.friction != _DRY,
            )
        return Sample(image=image, audio=None, motion=None, targets=targets)

    def _read(self, index: int) -> CompressedImage:
        return self._checked(index, read_photograph, self._labels.folder / self.describe(index))

    def _checked(self, index: int, make: Callable[[_Given], _Made], value: _Given) -> _Made:
        try:
            return make(value)
        except SampleError as error:
            raise DatasetError(f'{self._labels.folder / self.describe(index)}: {error}') from error


def _as_the_node(photograph: CompressedImage) -> NDArray[np.uint8]:
    return network_image(photograph, IMAGE_SIZE, IMAGE_SIZE)


def _original(photograph: CompressedImage) -> NDArray[np.uint8]:
    pixels = cv2.cvtColor(decode(photograph), cv2.COLOR_BGR2RGB)
    scale = _LARGEST / max(pixels.shape[:2])
    if scale < 1.0:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(pixels, np.uint8)
