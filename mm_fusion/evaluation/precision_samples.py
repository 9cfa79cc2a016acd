# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Real samples of a precision's measurement: some to calibrate on, others to score."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.errors import DatasetError, SampleError
from mm_fusion.labels import UNLABELLED, read_road_labels, read_sound_labels
from mm_fusion.runtime.precision_layers import sensitive
from mm_fusion.runtime.precision_ranges import RangeObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.evaluation.labelled import Reader
    from mm_fusion.labels import RoadLabels, SoundLabels
    from mm_fusion.runtime import Bundle

CALIBRATION_FILES = 128
"""Photographs, and clips, to calibrate on; at most a quarter of what is there."""
_SHARE = 4
_LAYER_SAMPLES = 16
"""Photographs, and clips, on which each convolution is tried alone."""
_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Labelled photographs and clips; none is in both parts, nor is a recording of clips.

    Attributes:
        roads: Table of the photographs.
        sounds: Table of the clips.
        calibration_roads: Rows to calibrate on.
        calibration_sounds: Rows to calibrate on.
        scored_roads: Rows to score.
        scored_sounds: Rows to score.
    """

    roads: RoadLabels
    sounds: SoundLabels
    calibration_roads: tuple[int, ...]
    calibration_sounds: tuple[int, ...]
    scored_roads: tuple[int, ...]
    scored_sounds: tuple[int, ...]


def choose_samples(roads: Path, sounds: Path, limit: int | None) -> Samples:
    """Draw the samples of both folders, always the same.

    Args:
        roads: Folder of photographs with ``labels.csv``.
        sounds: Folder of clips with ``labels.csv``.
        limit: Most photographs, and most clips, to score; None scores all that are left.

    Raises:
        DatasetError: A table is wrong, or too short to be split.
    """
    random = np.random.default_rng(_SEED)
    photographs = read_road_labels(roads)
    order = random.permutation(len(photographs.files)).tolist()
    count = min(CALIBRATION_FILES, len(order) // _SHARE)
    clips = read_sound_labels(sounds)
    heard, scored = _split_clips(clips, random)
    samples = Samples(
        roads=photographs,
        sounds=clips,
        calibration_roads=tuple(order[:count]),
        calibration_sounds=heard,
        scored_roads=tuple(sorted(order[count:][:limit])),
        scored_sounds=tuple(sorted(scored[:limit])),
    )
    for folder, chosen in ((roads, samples.calibration_roads), (sounds, heard)):
        if not chosen:
            raise DatasetError(f'{folder}: found too few files to calibrate on some, score others')
    return samples


def _split_clips(
    clips: SoundLabels, random: np.random.Generator
) -> tuple[tuple[int, ...], list[int]]:
    """Take whole recordings until there are enough clips; those of the others are scored."""
    labelled = [index for index, label in enumerate(clips.siren) if label != UNLABELLED]
    wanted = min(CALIBRATION_FILES, len(labelled) // _SHARE)
    taken: dict[str, list[int]] = {}
    for index in random.permutation(labelled).tolist() if labelled else []:
        taken.setdefault(clips.groups[index], []).append(index)
    heard: list[int] = []
    scored: list[int] = []
    for members in taken.values():
        if len(heard) + len(members) <= wanted:
            heard += members
        else:
            scored += members
    random.shuffle(scored)
    return tuple(heard), scored


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """What int8 is to hold.

    Attributes:
        intervals: Lowest and highest value by stage and tensor.
        left_out: Inputs of convolutions that are not among them, since int8 would harm those
            too much, by stage.
    """

    intervals: Mapping[str, Mapping[str, tuple[float, float]]]
    left_out: Mapping[str, Sequence[str]]


def collect_ranges(
    bundle: Bundle,
    reader: Reader,
    samples: Samples,
    threads: int,
    progress: Callable[[int, int], None],
) -> Ranges:
    """Run the encoders on the samples to calibrate on, and note what int8 is to hold.

    Files that cannot be read are passed over.

    Args:
        bundle: Whose float32 graphs are run.
        reader: Reads files as the bundle takes them.
        samples: Those to calibrate on are used.
        threads: Of one run.
        progress: Told the files done and their total.
    """
    observers = {
        stage: RangeObserver(bundle.graphs[stage], threads)
        for stage in ('image_encoder', 'audio_encoder')
    }
    first: dict[str, list[dict[str, NDArray[Any]]]] = {stage: [] for stage in observers}
    total = len(samples.calibration_roads) + len(samples.calibration_sounds)
    for done, (stage, name, value) in enumerate(_calibration_inputs(reader, samples)):
        progress(min(done, total), total)
        observers[stage].observe({name: value})
        if len(first[stage]) < _LAYER_SAMPLES:
            first[stage].append({name: value})
    progress(total, total)
    found = {stage: observer.intervals() for stage, observer in observers.items()}
    left_out = {
        stage: sensitive(bundle.graphs[stage], found[stage], first[stage], threads)
        for stage in found
    }
    intervals = {
        stage: {name: ends for name, ends in tensors.items() if name not in left_out[stage]}
        for stage, tensors in found.items()
    }
    return Ranges(intervals, left_out)


def _calibration_inputs(
    reader: Reader, samples: Samples
) -> Iterator[tuple[str, str, NDArray[np.uint8] | NDArray[np.float32]]]:
    for index in samples.calibration_roads:
        try:
            image = reader.photograph(samples.roads.folder / samples.roads.files[index])
        except SampleError:
            continue
        yield 'image_encoder', 'image', image
    for index in samples.calibration_sounds:
        try:
            windows = reader.windows(samples.sounds.folder / samples.sounds.files[index])
        except SampleError:
            continue
        # One window of a clip: those of a recording are alike.
        yield 'audio_encoder', 'audio', windows[0]


def joint_inputs(
    reader: Reader, samples: Samples, count: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]]:
    """Make snapshots of scored photographs and clips, with motions drawn at random.

    No labelled photograph has a motion, and outputs that depend on one must be compared too.

    Yields:
        Image, audio and motion history as ``FeatureBatch`` has them: speeds of 0 to 40 m/s, yaw
        rates within 0.5 rad/s, accelerations within 3 m/s², with a little noise.
    """
    random = np.random.default_rng(_SEED)
    steps = reader.shape.motion_steps or 0
    pairs = zip(samples.scored_roads, itertools.cycle(samples.scored_sounds), strict=False)
    for photograph, clip in itertools.islice(pairs, count):
        centre = random.uniform((0.0, -0.5, -3.0), (40.0, 0.5, 3.0))
        motion = centre + random.normal(0.0, (0.2, 0.01, 0.2), (1, steps, 3))
        try:
            image = reader.photograph(samples.roads.folder / samples.roads.files[photograph])
            windows = reader.windows(samples.sounds.folder / samples.sounds.files[clip])
        except SampleError:
            continue
        yield image, windows[0], motion.astype(np.float32)
