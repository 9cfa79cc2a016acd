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
from mm_fusion.settings import DecodingSettings
from mm_fusion.types.features import FeatureBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.labels import RoadLabels, SoundLabels
    from mm_fusion.runtime import Backend
    from mm_fusion.settings import InferenceSettings
    from mm_fusion.types.bundle import Manifest
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


class Reader:
    """Read labelled files as the network of a bundle takes them.

    Args:
        manifest: Contract of the bundle.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.title = f'{manifest.name} {manifest.version}'
        self.shape = featurizer_shape(manifest)

    def photograph(self, path: Path) -> NDArray[np.uint8]:
        """Read an image file, uint8 (1, height, width, 3).

        Raises:
            DatasetError: The bundle takes no images.
            SampleError: The file cannot be read.
        """
        if self.shape.image is None:
            raise DatasetError(f'{self.title}: takes no images, so photographs cannot score it')
        return network_image(read_photograph(path), *self.shape.image)[np.newaxis]

    def windows(self, path: Path) -> list[NDArray[np.float32]]:
        """Read a sound file as the windows that are judged one by one, float32 (1, n) each.

        Raises:
            DatasetError: The bundle takes no sound.
            SampleError: The file cannot be read.
        """
        if self.shape.audio_samples is None:
            raise DatasetError(f'{self.title}: takes no sound, so clips cannot score it')
        samples, rate_hz = read_sound(path)
        windows = sound_windows(
            samples, rate_hz, self.shape.audio_rate_hz, self.shape.audio_samples
        )
        return [window[np.newaxis] for window in windows]


class Judge:
    """Run a bundle on one snapshot at a time, without a filter's memory.

    Args:
        bundle: The contract.
        backend: Runs its stages.
    """

    def __init__(self, bundle: Bundle, backend: Backend) -> None:
        self.reader = Reader(bundle.manifest)
        self.siren_threshold = bundle.manifest.calibration.siren_threshold
        self._network = Network(bundle.manifest, backend)
        self._decoder = RoadDecoder(bundle.manifest, DecodingSettings())

    def posterior(
        self,
        image: NDArray[np.uint8] | None,
        audio: NDArray[np.float32] | None,
        motion: NDArray[np.float32] | None = None,
    ) -> SurfacePosterior:
        """Judge what is not None; see ``FeatureBatch`` for the arrays."""
        present = [image is not None, audio is not None, motion is not None]
        batch = FeatureBatch(
            image=image,
            audio=audio,
            motion=motion,
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
    return judge_roads(labels, _judge(bundle, settings), range(len(labels.files)), progress)


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
    return judge_sounds(labels, _judge(bundle, settings), range(len(labels.files)), progress)


def judge_roads(
    labels: RoadLabels,
    judge: Judge,
    chosen: Sequence[int],
    progress: Callable[[int, int], None],
) -> Scores:
    """Score some of the photographs of a table; see ``score_roads``.

    Args:
        labels: The table.
        judge: What is scored.
        chosen: Rows of the table.
        progress: Told the files done and their total.
    """
    used: list[int] = []
    skipped: list[str] = []
    posteriors: dict[str, list[NDArray[np.float32]]] = {task: [] for task in SURFACE_CLASSES}
    for done, index in enumerate(chosen):
        progress(done, len(chosen))
        name = labels.files[index]
        try:
            image = judge.reader.photograph(labels.folder / name)
        except SampleError as error:
            skipped.append(f'{name}: {error}')
            continue
        posterior = judge.posterior(image, None)
        for task, values in posteriors.items():
            values.append(getattr(posterior, task))
        used.append(index)
    progress(len(chosen), len(chosen))
    _refuse_empty(labels.folder, used, skipped)
    scores = score_surface(
        {task: np.array(values, np.float64) for task, values in posteriors.items()},
        {task: labels.targets[task][used] for task in SURFACE_CLASSES},
    )
    return Scores(judge.reader.title, scores, len(used), tuple(skipped))


def judge_sounds(
    labels: SoundLabels,
    judge: Judge,
    chosen: Sequence[int],
    progress: Callable[[int, int], None],
) -> Scores:
    """Score some of the clips of a table; see ``score_sounds`` and ``judge_roads``."""
    used: list[int] = []
    skipped: list[str] = []
    heard: list[float] = []
    for done, index in enumerate(chosen):
        progress(done, len(chosen))
        if labels.siren[index] < 0:
            continue
        name = labels.files[index]
        try:
            windows = judge.reader.windows(labels.folder / name)
        except SampleError as error:
            skipped.append(f'{name}: {error}')
            continue
        heard.append(float(np.mean([judge.posterior(None, window).siren for window in windows])))
        used.append(index)
    progress(len(chosen), len(chosen))
    _refuse_empty(labels.folder, used, skipped)
    scores = score_siren(
        labels.siren[used],
        np.array(heard),
        [labels.sublabels[index] for index in used],
        judge.siren_threshold,
    )
    return Scores(judge.reader.title, scores, len(used), tuple(skipped))


def _judge(name_or_path: str, settings: InferenceSettings) -> Judge:
    bundle = Bundle.load(name_or_path, settings.bundle_public_key)
    return Judge(bundle, create_backend(bundle, settings))


def _refuse_empty(folder: Path, used: list[int], skipped: list[str]) -> None:
    if not used:
        first = f'; the first: {skipped[0]}' if skipped else ''
        raise DatasetError(f'{folder}: found no file that can be scored{first}')
