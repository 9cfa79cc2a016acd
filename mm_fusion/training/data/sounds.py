# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A labelled folder of sounds, as a source of samples."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.errors import DatasetError, SampleError
from mm_fusion.features.sounds import network_audio
from mm_fusion.labels import (
    LABELS_FILE,
    SURFACE_CLASSES,
    UNLABELLED,
    read_sound,
    read_sound_labels,
    sound_windows,
)
from mm_fusion.training.augment.sounds import (
    SoundVariation,
    coloured,
    coloured_noise,
    levelled,
    mix,
    random_window,
    shortened,
    tonal_events,
)
from mm_fusion.training.data.sample import AUDIO_RATE_HZ, AUDIO_SAMPLES, Sample, Targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.training.augment.variation import Siren


class SoundClips:
    """Windows of labelled clips, each a sample of the microphone alone.

    As it is, a sample is one of the up to three windows that score its clip. Augmented, it is a
    window anywhere in that clip, in other sounds, through another microphone.

    Args:
        folder: Holds ``labels.csv``.
        variation: How the windows are augmented.
        progress: Told the clips read and their number.

    Raises:
        DatasetError: The table is refused, or a clip cannot be read.

    Attributes:
        clips: int64 (n,), the clip of each window: its place in the table.
    """

    name = 'sounds'

    def __init__(
        self,
        folder: Path,
        variation: SoundVariation | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._labels = read_sound_labels(folder)
        self._variation = SoundVariation() if variation is None else variation
        digest = hashlib.sha256((folder / LABELS_FILE).read_bytes())
        self._sounds: list[NDArray[np.float32]] = []
        owners: list[int] = []
        self._ordinals: list[int] = []
        for index, name in enumerate(self._labels.files):
            sound = _read(folder / name)
            digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
            windows = len(_windows(sound))
            owners += [index] * windows
            self._ordinals += range(windows)
            self._sounds.append(sound)
            if progress is not None:
                progress(index + 1, len(self._labels.files))
        self.fingerprint = digest.hexdigest()
        self.clips = np.array(owners, np.int64)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def targets(self) -> Mapping[str, NDArray[np.int64]]:
        """Whether each window has a siren; nothing is known of the road."""
        unknown = np.full(len(self), UNLABELLED, np.int64)
        return dict.fromkeys(SURFACE_CLASSES, unknown) | {'siren': self._labels.siren[self.clips]}

    @property
    def groups(self) -> tuple[str, ...]:
        """Recording of each window."""
        return tuple(self._labels.groups[clip] for clip in self.clips)

    @property
    def strata(self) -> tuple[str, ...]:
        """Collection (the folder that the file lies in) and label of each window."""
        return tuple(
            f'{self._labels.files[clip].rpartition("/")[0]}/{self._labels.siren[clip]}'
            for clip in self.clips
        )

    @property
    def sublabels(self) -> tuple[str, ...]:
        """What each window holds, for a breakdown of false alarms."""
        return tuple(self._labels.sublabels[clip] for clip in self.clips)

    def describe(self, index: int) -> str:
        """Name the file and the window."""
        return f'{self._labels.files[self.clips[index]]}, window {self._ordinals[index]}'

    def sample(
        self,
        index: int,
        random: np.random.Generator | None,
        partners: NDArray[np.int64] | None = None,
    ) -> Sample:
        """Make the sample of a window, or of a varied one of the same clip."""
        clip = int(self.clips[index])
        siren = int(self._labels.siren[clip])
        if random is None:
            audio = _windows(self._sounds[clip])[self._ordinals[index]]
        else:
            audio = self._varied(clip, random, partners)
        return Sample(image=None, audio=audio, motion=None, targets=Targets(siren=siren))

    def siren(self, chosen: NDArray[np.int64]) -> Siren:
        """Give what cuts windows with a siren out of the chosen clips at random.

        Args:
            chosen: Indices of windows; those that are trained on.

        Raises:
            DatasetError: None of them has a siren.
        """
        clips = np.unique(self.clips[chosen])
        sirens = clips[self._labels.siren[clips] == 1]
        if not len(sirens):
            raise DatasetError(f'{self._labels.folder}: found no siren to mix in')
        return functools.partial(_cut, [self._sounds[clip] for clip in sirens])

    def _varied(
        self, clip: int, random: np.random.Generator, partners: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        variation = self._variation
        heard = self._labels.siren[clip] != 0  # an unlabelled clip is not overwritten either
        window = random_window(self._sounds[clip], AUDIO_SAMPLES, random)
        ratio = variation.siren_to_noise_db if heard else variation.noise_to_noise_db
        if partners is not None and random.random() < variation.mix:
            background = self._background(partners, random)
            if background is not None:
                window = mix(window, background, random.uniform(*ratio))
        if random.random() < variation.noise:
            noise = coloured_noise(AUDIO_SAMPLES, random, variation.colour_db)
            window = mix(window, noise, random.uniform(*ratio))
        if random.random() < variation.tones:
            tones = tonal_events(AUDIO_SAMPLES, AUDIO_RATE_HZ, random)
            window = mix(window, tones, random.uniform(*ratio))
        if not heard and random.random() < variation.nothing:
            window = random.standard_normal(AUDIO_SAMPLES, np.float32)
        window = coloured(window, random, variation.colour_db)
        if random.random() < variation.silence:
            window = shortened(window, random)
        return levelled(window, random)

    def _background(
        self, partners: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.float32] | None:
        """Cut a window of a partner that has no siren; None where a few draws find none."""
        for index in random.choice(partners, 8):
            clip = int(self.clips[index])
            if self._labels.siren[clip] == 0:
                return random_window(self._sounds[clip], AUDIO_SAMPLES, random)
        return None


def _cut(sounds: list[NDArray[np.float32]], random: np.random.Generator) -> NDArray[np.float32]:
    return random_window(sounds[int(random.integers(len(sounds)))], AUDIO_SAMPLES, random)


def _read(path: Path) -> NDArray[np.float32]:
    try:
        samples, rate_hz = read_sound(path)
    except SampleError as error:
        raise DatasetError(f'{path}: {error}') from error
    count = round(samples.size * AUDIO_RATE_HZ / rate_hz)
    return network_audio(samples, rate_hz, AUDIO_RATE_HZ, count)


def _windows(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    return sound_windows(sound, AUDIO_RATE_HZ, AUDIO_RATE_HZ, AUDIO_SAMPLES)
