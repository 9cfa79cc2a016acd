# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of a bundle on labelled folders, by the path that a drive takes through the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.decoding import RoadDecoder
from mm_fusion.errors import DatasetError, SampleError
from mm_fusion.features.images import network_image
from mm_fusion.labels import (
    SURFACE_CLASSES,
    read_photograph,
    read_road_labels,
    read_sound,
    read_sound_labels,
    sound_windows,
)
from mm_fusion.metrics.road_state import score_siren, score_surface
from mm_fusion.pipeline import Network, Stopwatch, featurizer_shape
from mm_fusion.runtime import Bundle, create_backend
from mm_fusion.settings import DecodingSettings, InferenceSettings
from mm_fusion.types.features import FeatureBatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.types.predictions import SurfacePosterior


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores on one folder.

    Attributes:
        bundle: Name and version of what was scored.
        scores: From ``metrics.road_state``, ready for JSON.
        used: Number of files that were scored.
        skipped: One sentence for each file that could not be read.
    """

    bundle: str
    scores: dict[str, Any]
    used: int
    skipped: tuple[str, ...]


class _Judge:
    """Run a bundle on one sensor's input at a time, without a filter's memory."""

    def __init__(self, name_or_path: str, settings: InferenceSettings) -> None:
        bundle = Bundle.load(name_or_path)
        self.manifest = bundle.manifest
        self.shape = featurizer_shape(bundle.manifest)
        self._network = Network(bundle.manifest, create_backend(bundle, settings))
        self._decoder = RoadDecoder(bundle.manifest, DecodingSettings())

    def posterior(
        self, image: NDArray[np.uint8] | None, audio: NDArray[np.float32] | None
    ) -> SurfacePosterior:
        present = [image is not None, audio is not None, False]
        batch = FeatureBatch(
            image=image,
            audio=audio,
            motion=None,
            presence=np.array([present], np.float32),
            age_s=np.zeros((1, 3), np.float32),
        )
        outputs = self._network.run(batch, Stopwatch())
        state = self._decoder.decode(
            outputs, 0, surface_observed=image is not None, siren_observed=audio is not None
        )
        return state.unfiltered


def score_roads(
    folder: Path,
    bundle: str,
    settings: InferenceSettings,
    progress: Callable[[int, int], None],
) -> Scores:
    """Score a bundle on a folder of labelled photographs.

    Args:
        folder: With ``labels.csv``.
        bundle: Name or path.
        settings: What runs it.
        progress: Told the files done and their total.

    Raises:
        DatasetError: The table is wrong, or no photograph can be read.
        BundleError: The bundle cannot be loaded, or takes no images.
    """
    labels = read_road_labels(folder)
    judge = _Judge(bundle, settings)
    if judge.shape.image is None:
        raise DatasetError(f'{bundle}: takes no images, so photographs cannot score it')
    used: list[int] = []
    skipped: list[str] = []
    posteriors: dict[str, list[NDArray[np.float32]]] = {task: [] for task in SURFACE_CLASSES}
    for index, name in enumerate(labels.files):
        progress(index, len(labels.files))
        try:
            image = network_image(read_photograph(folder / name), *judge.shape.image)
        except SampleError as error:
            skipped.append(f'{name}: {error}')
            continue
        posterior = judge.posterior(image[np.newaxis], None)
        for task, values in posteriors.items():
            values.append(getattr(posterior, task))
        used.append(index)
    progress(len(labels.files), len(labels.files))
    _refuse_empty(folder, used, skipped)
    scores = score_surface(
        {task: np.array(values, np.float64) for task, values in posteriors.items()},
        {task: labels.targets[task][used] for task in SURFACE_CLASSES},
    )
    return Scores(_title(judge), scores, len(used), tuple(skipped))


def score_sounds(
    folder: Path,
    bundle: str,
    settings: InferenceSettings,
    progress: Callable[[int, int], None],
) -> Scores:
    """Score a bundle on a folder of labelled clips; a clip scores the mean over its windows.

    Args and errors: as for ``score_roads``. Clips without a label are left out.
    """
    labels = read_sound_labels(folder)
    judge = _Judge(bundle, settings)
    if judge.shape.audio_samples is None:
        raise DatasetError(f'{bundle}: takes no sound, so clips cannot score it')
    used: list[int] = []
    skipped: list[str] = []
    heard: list[float] = []
    for index in np.flatnonzero(labels.siren >= 0).tolist():
        progress(index, len(labels.files))
        name = labels.files[index]
        try:
            samples, rate_hz = read_sound(folder / name)
        except SampleError as error:
            skipped.append(f'{name}: {error}')
            continue
        windows = sound_windows(
            samples, rate_hz, judge.shape.audio_rate_hz, judge.shape.audio_samples
        )
        heard.append(
            float(np.mean([judge.posterior(None, window[np.newaxis]).siren for window in windows]))
        )
        used.append(index)
    progress(len(labels.files), len(labels.files))
    _refuse_empty(folder, used, skipped)
    scores = score_siren(
        labels.siren[used],
        np.array(heard),
        [labels.sublabels[index] for index in used],
        judge.manifest.calibration.siren_threshold,
    )
    return Scores(_title(judge), scores, len(used), tuple(skipped))


def _refuse_empty(folder: Path, used: list[int], skipped: list[str]) -> None:
    if not used:
        first = f'; the first: {skipped[0]}' if skipped else ''
        raise DatasetError(f'{folder}: found no file that can be scored{first}')


def _title(judge: _Judge) -> str:
    return f'{judge.manifest.name} {judge.manifest.version}'
