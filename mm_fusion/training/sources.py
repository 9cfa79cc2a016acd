# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Open the data of a training, and decide what of it is learned from and what is held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mm_fusion.errors import DatasetError
from mm_fusion.training.data.bags import BagSamples
from mm_fusion.training.data.roads import RoadPhotographs
from mm_fusion.training.data.sounds import SoundClips
from mm_fusion.training.data.split import hold_out
from mm_fusion.training.folds import grouped_folds
from mm_fusion.training.progress import of_job, silent
from mm_fusion.training.run import Share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.training.augment.variation import Siren
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.data.source import Source
    from mm_fusion.training.progress import Progress

BAG_SUFFIXES = ('.mcap', '.db3')
_LABELS_SUFFIX = '.labels.csv'
_PROGRESS_STEPS = 1000


@dataclass(frozen=True, slots=True)
class DataPaths:
    """Where the data of a training is; any of it may be missing.

    Attributes:
        roads: Folder of labelled photographs.
        sounds: Folder of labelled clips.
        bags: Recordings.
        labels: Recording and table of its intervals, where that does not lie beside it.
        validation_bags: Recordings that no encoder learns from (``learn_held_out``).
        cache: Folder that keeps what was decoded.
        workers: Processes that decode recordings.
    """

    roads: Path | None
    sounds: Path | None
    bags: tuple[Path, ...]
    labels: tuple[tuple[Path, Path], ...]
    validation_bags: tuple[Path, ...]
    cache: Path
    workers: int


class Split(Protocol):
    """Decides what of a source is learned from."""

    def labelled(self, source: Source, usable: NDArray[np.int64]) -> _Halves:
        """Split photographs or clips."""

    def drives(self, bags: BagSamples, usable: NDArray[np.int64]) -> _Halves:
        """Split recordings."""


_Halves = tuple['NDArray[np.int64]', 'NDArray[np.int64]']
_NONE = np.array([], np.int64)


@dataclass(frozen=True, slots=True)
class Everything:
    """Learn from everything."""

    def labelled(self, source: Source, usable: NDArray[np.int64]) -> _Halves:
        """Hold nothing out."""
        del source
        return usable, _NONE

    def drives(self, bags: BagSamples, usable: NDArray[np.int64]) -> _Halves:
        """Hold nothing out."""
        del bags
        return usable, _NONE


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Hold a share of the groups out.

    Attributes:
        share: 0 holds nothing out.
        seed: Decides between equals.
        drives_apart: Whether recordings to look at are given apart: of the others none is.
    """

    share: float
    seed: int
    drives_apart: bool

    def labelled(self, source: Source, usable: NDArray[np.int64]) -> _Halves:
        """Hold whole scenes or recordings of sound out."""
        if not self.share:
            return usable, _NONE
        groups = [source.groups[index] for index in usable]
        strata = [source.strata[index] for index in usable]
        train, held_out = hold_out(groups, strata, self.share, self.seed)
        return usable[train], usable[held_out]

    def drives(self, bags: BagSamples, usable: NDArray[np.int64]) -> _Halves:
        """Hold whole recordings out."""
        return (usable, _NONE) if self.drives_apart else self.labelled(bags, usable)


@dataclass(frozen=True, slots=True)
class Fold:
    """Hold one fold out.

    Of the recordings, fold i holds out the i-th drive and each ``count``-th one after it; those
    that a simulator made are learned from in every fold: they are no evidence.

    Attributes:
        number: From 0.
        count: How many folds there are.
        seed: Decides between equals.
    """

    number: int
    count: int
    seed: int

    def labelled(self, source: Source, usable: NDArray[np.int64]) -> _Halves:
        """Hold whole scenes or recordings of sound out."""
        groups = [source.groups[index] for index in usable]
        strata = [source.strata[index] for index in usable]
        folds = grouped_folds(groups, strata, self.count, self.seed)
        return usable[folds != self.number], usable[folds == self.number]

    def drives(self, bags: BagSamples, usable: NDArray[np.int64]) -> _Halves:
        """Hold whole drives out."""
        real = [index for index in usable if not bags.simulated[index]]
        names = list(dict.fromkeys(bags.groups[index] for index in real))
        held = set(names[self.number :: self.count])
        out = np.array([bags.groups[index] in held for index in usable], np.bool_)
        return usable[~out], usable[out]


def open_shares(
    paths: DataPaths, config: TrainingConfig, split: Split, progress: Progress = silent
) -> list[Share]:
    """Open everything, and split it.

    Returns:
        In the order photographs, sounds, bags, motion bags; the last are recordings without
        camera and sound.

    Raises:
        DatasetError: Data is missing, unreadable or too little for the split.
        BagError: A recording is missing or unreadable.
    """
    shares: list[Share] = []
    siren: Siren | None = None
    size = _image_size(config)
    if paths.roads is not None:
        report = of_job(progress, 'reading photographs')
        roads = RoadPhotographs(paths.roads, size, progress=report)
        shares.append(Share(roads, 'photographs', *split.labelled(roads, np.arange(len(roads)))))
    if paths.sounds is not None:
        sounds = SoundClips(paths.sounds, progress=of_job(progress, 'reading sounds'))
        halves = split.labelled(sounds, np.flatnonzero(sounds.targets['siren'] >= 0))
        shares.append(Share(sounds, 'sounds', *halves))
        if (sounds.targets['siren'][halves[0]] == 1).any():
            siren = sounds.siren(halves[0])
    if paths.bags:
        bags = _open_bags(paths.bags, paths, size, siren, progress)
        shares += _bag_shares(bags, *split.drives(bags, bags.useful))
    if paths.validation_bags:
        bags = _open_bags(paths.validation_bags, paths, size, None, progress)
        bags.name = 'validation bags'
        shares += _bag_shares(bags, _NONE, bags.useful)
    if not shares:
        raise DatasetError('training: found no data, expected photographs, sounds or recordings')
    return shares


def open_unlabelled(
    paths: DataPaths, config: TrainingConfig, progress: Progress = silent
) -> Share:
    """Open recordings to learn from without labels: moments with camera or sound.

    Raises:
        DatasetError: None of them has either.
        BagError: A recording is missing or unreadable.
    """
    bags = _open_bags(paths.bags, paths, _image_size(config), None, progress, labelled=False)
    chosen = np.flatnonzero(~bags.bare)
    if not len(chosen):
        raise DatasetError('bags: found neither images nor sound in any, expected some')
    return Share(bags, 'bags', chosen, _NONE)


def _open_bags(
    chosen: Sequence[Path],
    paths: DataPaths,
    size: int,
    siren: Siren | None,
    progress: Progress,
    *,
    labelled: bool = True,
) -> BagSamples:
    def report(done: float, name: str) -> None:
        del name
        share = round(_PROGRESS_STEPS * done / len(chosen))
        progress('reading recordings', share, _PROGRESS_STEPS)

    return BagSamples(
        chosen,
        {bag: table for bag, table in paths.labels if bag in chosen},
        cache=paths.cache,
        workers=paths.workers,
        training_size=size,
        siren=siren,
        labelled=labelled,
        progress=report,
    )


def _bag_shares(
    bags: BagSamples, train: NDArray[np.int64], held_out: NDArray[np.int64]
) -> list[Share]:
    """Tell moments of recordings with camera or sound from those of bare ones."""
    shares = []
    for kind, bare in (('bags', False), ('motion_bags', True)):
        share = Share(
            bags, kind, train[bags.bare[train] == bare], held_out[bags.bare[held_out] == bare]
        )
        if len(share.train) or len(share.held_out):
            shares.append(share)
    return shares


def _image_size(config: TrainingConfig) -> int:
    """Give the size to learn from; a transformer has one position for each patch."""
    network = config.network
    return network.image_size if network.image_encoder == 'transformer' else config.data.image_size


def find_bags(places: Sequence[Path]) -> tuple[Path, ...]:
    """Resolve recordings, and folders that hold recordings.

    Raises:
        DatasetError: A folder holds none.
    """
    found: list[Path] = []
    for place in places:
        if not place.is_dir() or (place / 'metadata.yaml').is_file():
            found.append(place)
            continue
        inside = sorted(
            path
            for path in place.iterdir()
            if path.suffix in BAG_SUFFIXES or (path / 'metadata.yaml').is_file()
        )
        if not inside:
            raise DatasetError(
                f'{place}: found no recording, expected {" or ".join(BAG_SUFFIXES)} files or '
                'folders with a metadata.yaml'
            )
        found += inside
    return tuple(dict.fromkeys(found))


def match_labels(bags: Sequence[Path], tables: Sequence[Path]) -> tuple[tuple[Path, Path], ...]:
    """Find the recording of each table by its name: ``<recording>.labels.csv``.

    Raises:
        DatasetError: A table fits no recording, or several.
    """
    pairs = []
    for table in tables:
        name = table.name.removesuffix(_LABELS_SUFFIX)
        fitting = [bag for bag in bags if name in (bag.name, bag.stem)]
        if len(fitting) != 1:
            raise DatasetError(
                f'{table}: fits {len(fitting)} of the recordings by its name, expected one; '
                f'{_LABELS_SUFFIX} follows the name of the recording'
            )
        pairs.append((fitting[0], table))
    return tuple(pairs)
