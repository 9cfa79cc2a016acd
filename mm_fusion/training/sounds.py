# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Training of the sound encoder and its siren head on labelled clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mm_fusion.errors import DatasetError, SampleError
from mm_fusion.features.sounds import network_audio
from mm_fusion.labels import read_sound, sound_windows
from mm_fusion.models.encoders.sound import SAMPLE_RATE_HZ, WINDOW_SAMPLES, SoundEncoder
from mm_fusion.models.heads import TaskHeads
from mm_fusion.training.augment_sound import augment_batch
from mm_fusion.training.loop import Schedule, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.labels import SoundLabels
    from mm_fusion.training.loop import Progress

_BATCH = 32
_DROPOUT = 0.3
_SMOOTHING = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class SoundData:
    """Clips ready for training.

    Attributes:
        clips: float32 (n,) each, at the network's rate.
        siren: int64 (clips,): 1, 0 or ``UNLABELLED``.
    """

    clips: tuple[NDArray[np.float32], ...]
    siren: NDArray[np.int64]


class SoundNetwork(nn.Module):
    """Sound encoder with its heads."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = SoundEncoder()
        self.heads = TaskHeads(self.encoder.embedding_size)

    def learning(self) -> list[tuple[list[nn.Parameter], float]]:
        """Give the parameters that learn, with their factors on the learning rate."""
        return [
            (list(self.encoder.parameters()), 1.0),
            (list(self.heads.tasks['siren'].parameters()), 1.0),
        ]


def load_sounds(labels: SoundLabels, progress: Progress) -> SoundData:
    """Read the clips at the network's rate.

    Raises:
        DatasetError: A clip cannot be read.
    """
    clips = []
    for index, name in enumerate(labels.files):
        try:
            samples, rate_hz = read_sound(labels.folder / name)
        except SampleError as error:
            raise DatasetError(f'{labels.folder / name}: {error}') from error
        count = round(samples.size * SAMPLE_RATE_HZ / rate_hz)
        clips.append(network_audio(samples, rate_hz, SAMPLE_RATE_HZ, count))
        progress('clips', index + 1, len(labels.files))
    return SoundData(tuple(clips), labels.siren)


def train_sounds(
    data: SoundData,
    chosen: NDArray[np.int64],
    schedule: Schedule,
    *,
    seed: int,
    checkpoint: Path,
    progress: Callable[[int, int], None],
) -> SoundNetwork:
    """Train on the chosen clips, as many with a siren as without in each batch.

    Args:
        data: All clips.
        chosen: Indices of those to train on.
        schedule: Length and rates.
        seed: Of everything random.
        checkpoint: File to resume from.
        progress: Told the epochs done and their total.

    Raises:
        DatasetError: One of the two classes is missing among the chosen clips.
    """
    torch.manual_seed(seed)
    network = SoundNetwork()
    sirens = chosen[data.siren[chosen] == 1]
    others = chosen[data.siren[chosen] == 0]
    if not len(sirens) or not len(others):
        raise DatasetError(
            f'sounds: found {len(sirens)} clips with a siren and {len(others)} without, '
            'expected both in every part of the split'
        )
    steps = -(-2 * max(len(sirens), len(others)) // _BATCH)

    def epoch_losses(epoch: int) -> Iterator[Tensor]:
        random = np.random.default_rng((seed, epoch))
        half = _BATCH // 2
        heard = _endless(sirens, steps * half, random)
        rest = _endless(others, steps * half, random)
        for step in range(steps):
            part = slice(step * half, (step + 1) * half)
            audio, target = augment_batch(
                data.clips, heard[part], rest[part], others, WINDOW_SAMPLES, random
            )
            yield _loss(network, torch.from_numpy(audio), torch.from_numpy(target))

    fit(
        network,
        network.learning(),
        epoch_losses,
        steps,
        schedule,
        seed=seed,
        checkpoint=checkpoint,
        progress=progress,
    )
    return network


def _endless(
    indices: NDArray[np.int64], count: int, random: np.random.Generator
) -> NDArray[np.int64]:
    rounds = [random.permutation(indices) for _ in range(-(-count // len(indices)))]
    return np.asarray(np.concatenate(rounds)[:count], np.int64)


def _loss(network: SoundNetwork, audio: Tensor, target: Tensor) -> Tensor:
    with torch.no_grad():
        spectrogram = network.encoder.spectrogram(audio)
    embedding = network.encoder.embed_spectrogram(spectrogram)
    logit = network.heads.tasks['siren'](functional.dropout(embedding, _DROPOUT))[:, 0]
    smooth = target * (1.0 - _SMOOTHING) + 0.5 * _SMOOTHING
    return functional.binary_cross_entropy_with_logits(logit, smooth)


@torch.no_grad()
def embed_sounds(
    network: SoundNetwork, data: SoundData, chosen: NDArray[np.int64]
) -> tuple[Tensor, NDArray[np.int64]]:
    """Embed every window of the chosen clips.

    Returns:
        float32 (windows, size), and int64 (windows,): the clip of each.
    """
    parts, owners = [], []
    for index in chosen:
        windows = sound_windows(data.clips[index], SAMPLE_RATE_HZ, SAMPLE_RATE_HZ, WINDOW_SAMPLES)
        parts.append(network.encoder(torch.from_numpy(windows)))
        owners.append(np.full(len(windows), index, np.int64))
    return torch.cat(parts), np.concatenate(owners)
