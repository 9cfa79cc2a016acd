# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as a source of samples: what the node would see, and what became of it."""

from __future__ import annotations

import copy
import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.errors import DatasetError
from mm_fusion.labels import UNLABELLED
from mm_fusion.training.augment.variation import BagVariation, vary_sample
from mm_fusion.training.data.cache import Entry, decoded
from mm_fusion.training.data.drive import Drive
from mm_fusion.training.data.recorded import DecodingOptions
from mm_fusion.training.data.sample import CLASS_TASKS, IMAGE_SIZE, answerable, only
from mm_fusion.training.data.sidecar import sidecar_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.training.augment.variation import Siren
    from mm_fusion.training.data.sample import Sample


@dataclass(frozen=True, slots=True, eq=False)
class DrivenPaths:
    """Roll-outs and what was driven, in ``base_link`` at each stamp.

    Attributes:
        rollout: float32 (n, 12, 3), x and y in metres and heading in rad; NaN where unknown.
        future: float32 (n, 12, 3), the same; NaN where unknown or where the vehicle stands.
    """

    rollout: NDArray[np.float32]
    future: NDArray[np.float32]


class BagSamples:
    """Samples of recordings.

    Args:
        bags: The recordings.
        labels: Table of intervals by recording, where it is not ``<bag>.labels.csv``.
        cache: Folder that keeps what was decoded.
        options: How recordings become samples.
        workers: Processes that decode.
        training_size: Height and width of augmented images.
        variation: How samples are augmented.
        siren: Gives sirens to mix into drives that have none.
        labelled: Whether each recording must have something to learn from.
        progress: Told the recordings done, parts included, and a name.

    Raises:
        BagError: A recording is missing or unreadable.
        DatasetError: There is none; one gives no sample or, where it must, no target; a table is
            refused; or the cache cannot be written.
    """

    name = 'bags'

    def __init__(
        self,
        bags: Sequence[Path],
        labels: Mapping[Path, Path] | None = None,
        *,
        cache: Path,
        options: DecodingOptions | None = None,
        workers: int = 1,
        training_size: int = IMAGE_SIZE,
        variation: BagVariation | None = None,
        siren: Siren | None = None,
        labelled: bool = True,
        progress: Callable[[float, str], None] | None = None,
    ) -> None:
        if not bags:
            raise DatasetError('bags: found none, expected at least one recording')
        strangers = [str(bag) for bag in labels or {} if bag not in bags]
        if strangers:
            raise DatasetError(f'labels: {strangers} are none of the recordings')
        options = DecodingOptions() if options is None else options
        folders = _decode(bags, options, cache, workers, progress or _silent)
        digest = hashlib.sha256()
        self._drives: list[Drive] = []
        for bag, folder in zip(bags, folders, strict=True):
            table = (labels or {}).get(bag)
            beside = sidecar_path(bag)
            if table is None and beside.is_file():
                table = beside
            drive = Drive(bag, Entry(folder), table)
            drive.check(labelled=labelled)
            digest.update(folder.name.encode())
            digest.update(b'' if table is None else table.read_bytes())
            self._drives.append(drive)
        self.fingerprint = digest.hexdigest()
        self._ends = np.cumsum([len(drive) for drive in self._drives])
        self._size = training_size
        self._variation = BagVariation() if variation is None else variation
        self._siren = siren
        self._alone: str | None = None
        self._tells_sirens = True
        self._along_travel = False

    def __len__(self) -> int:
        return int(self._ends[-1])

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Recording of each sample; copies of one are one."""
        return tuple(drive.identity for drive in self._drives for _ in range(len(drive)))

    @property
    def strata(self) -> tuple[str, ...]:
        """Friction and siren of each sample."""
        friction, siren = self.targets['friction'], self.targets['siren']
        return tuple(f'{f}/{s}' for f, s in zip(friction, siren, strict=True))

    @cached_property
    def targets(self) -> Mapping[str, NDArray[np.int64]]:
        """Class of each sample by task."""
        return {
            task: np.concatenate([drive.labels[task] for drive in self._drives])
            for task in CLASS_TASKS
        }

    @cached_property
    def paths(self) -> DrivenPaths:
        """Roll-out and driven path of each sample."""
        return DrivenPaths(
            *(
                np.concatenate([drive.columns[name] for drive in self._drives])
                for name in ('rollout', 'future')
            )
        )

    @cached_property
    def useful(self) -> NDArray[np.int64]:
        """Indices of the samples that there is something to learn from, int64."""
        return np.flatnonzero(np.concatenate([drive.useful for drive in self._drives]))

    def alone(self, modality: str) -> BagSamples:
        """Give the same samples with one of ``NETWORK_MODALITIES`` and without the others."""
        bare = copy.copy(self)
        bare._alone = modality
        return bare

    def without_sirens(self) -> BagSamples:
        """Give the same samples, of which none tells whether a siren can be heard."""
        silent = copy.copy(self)
        silent._tells_sirens = False
        return silent

    def along_travel(self) -> BagSamples:
        """Give the same samples, driven by a vehicle that heads where it travels."""
        aligned = copy.copy(self)
        aligned._along_travel = True
        return aligned

    @cached_property
    def heard(self) -> NDArray[np.bool_]:
        """Whether each sample has sound, bool (n,)."""
        return np.concatenate([drive.heard for drive in self._drives])

    @cached_property
    def simulated(self) -> NDArray[np.bool_]:
        """Whether the recording of each sample holds the true road state, bool (n,)."""
        return self._by_drive([drive.simulated for drive in self._drives])

    @cached_property
    def bare(self) -> NDArray[np.bool_]:
        """Whether the recording of each sample has neither images nor sound, bool (n,)."""
        return self._by_drive([drive.bare for drive in self._drives])

    def _by_drive(self, values: Sequence[bool]) -> NDArray[np.bool_]:
        return np.repeat(np.array(values, np.bool_), [len(drive) for drive in self._drives])

    def describe(self, index: int) -> str:
        """Name the recording and the time."""
        drive, row = self._place(index)
        return f'{drive.path.name} at {drive.columns["times_s"][row]:.1f} s'

    def sample(
        self,
        index: int,
        random: np.random.Generator | None,
        partners: NDArray[np.int64] | None = None,
    ) -> Sample:
        """Make one sample: as the node sees it, or varied."""
        drive, row = self._place(index)
        sample = drive.sample(row, along_travel=self._along_travel)
        if self._alone is not None:
            sample = only(sample, self._alone)
        if random is None:
            return self._told(answerable(sample))

        def earlier(modality: str) -> tuple[Sample, float] | None:
            return drive.earlier(row, modality, random)

        return self._told(
            vary_sample(sample, self._size, random, self._variation, earlier, self._siren)
        )

    def _told(self, sample: Sample) -> Sample:
        if self._tells_sirens:
            return sample
        return replace(sample, targets=replace(sample.targets, siren=UNLABELLED))

    def _place(self, index: int) -> tuple[Drive, int]:
        number = int(np.searchsorted(self._ends, index, side='right'))
        drive = self._drives[number]
        return drive, index - int(self._ends[number]) + len(drive)


def _decode(
    bags: Sequence[Path],
    options: DecodingOptions,
    cache: Path,
    workers: int,
    progress: Callable[[float, str], None],
) -> list[Path]:
    """Decode recordings, one after the other or in processes; the entries come in their order."""
    count = min(workers, len(bags))
    if count > 1:
        # A fresh interpreter for each: a fork would carry over locks of torch's threads.
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(count, mp_context=context) as pool:
            futures = {pool.submit(decoded, bag, options, cache): bag for bag in bags}
            for done, future in enumerate(as_completed(futures), 1):
                progress(done, futures[future].name)
            return [future.result() for future in futures]
    folders = []
    for index, bag in enumerate(bags):

        def part(share: float, index: int = index, bag: Path = bag) -> None:
            progress(index + share, bag.name)

        folders.append(decoded(bag, options, cache, part))
        progress(index + 1, bag.name)
    return folders


def _silent(_done: float, _name: str) -> None:
    """Report no progress."""
