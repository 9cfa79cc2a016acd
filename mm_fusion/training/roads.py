# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Training of the image encoder and its heads on labelled photographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mm_fusion.errors import DatasetError, SampleError
from mm_fusion.features.images import decode, network_image
from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED, read_photograph
from mm_fusion.models.encoders.image import IMAGE_SIZE, ImageEncoder, load_imagenet_weights
from mm_fusion.models.heads import TaskHeads
from mm_fusion.training.loop import Schedule, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.labels import RoadLabels
    from mm_fusion.training.loop import Progress
    from mm_fusion.types.sensors import CompressedImage

FROZEN_BLOCKS = 14
"""Blocks of the encoder that keep their ImageNet weights; their output is computed only once."""

TASK_WEIGHTS = {'friction': 1.0, 'material': 1.0, 'unevenness': 0.5}
"""Share of each task in the loss; unevenness has the weakest labels."""

_BATCH = 32
_HEAD_RATE_FACTOR = 10.0
_DROPOUT = 0.2
_SMOOTHING = 0.05
_CLASS_WEIGHT_POWER = 1.0
_MOST_CLASS_WEIGHT = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class RoadData:
    """Photographs ready for training.

    Attributes:
        images: uint8 (n, height, width, 3), RGB: what the network sees in production.
        features: float16 (n, views, channels, h, w): outputs of the frozen blocks; view 0 is the
            photograph as it is, the others are augmented.
        targets: By task, int64 (n,), ``UNLABELLED`` where it cannot be told.
    """

    images: NDArray[np.uint8]
    features: NDArray[np.float16]
    targets: Mapping[str, NDArray[np.int64]]


class RoadNetwork(nn.Module):
    """Image encoder with its heads.

    Args:
        width: Multiplier of the encoder's channels.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.encoder = ImageEncoder(width)
        self.heads = TaskHeads(self.encoder.embedding_size)

    def train(self, mode: bool = True) -> RoadNetwork:
        """Leave batch normalisation in evaluation mode: the statistics of ImageNet are kept."""
        super().train(mode)
        for module in self.encoder.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def learning(self) -> list[tuple[list[nn.Parameter], float]]:
        """Give the parameters that learn, with their factors on the learning rate."""
        late = [*self.encoder.blocks[FROZEN_BLOCKS:].parameters(), *self.encoder.head.parameters()]
        surface = [p for task in SURFACE_CLASSES for p in self.heads.tasks[task].parameters()]
        return [(late, 1.0), (surface, _HEAD_RATE_FACTOR)]


def pretrained_network(width: float) -> RoadNetwork:
    """Make a network with ImageNet weights, or with random ones where it is not full size."""
    torch.manual_seed(0)
    network = RoadNetwork(width)
    if width == 1.0:
        load_imagenet_weights(network.encoder)
    return network


def load_roads(
    labels: RoadLabels, width: float, views: int, seed: int, cache: Path, progress: Progress
) -> RoadData:
    """Read the photographs, augment them, and run the frozen blocks on every view.

    Args:
        labels: Table of the photographs.
        width: Multiplier of the encoder's channels.
        views: Versions of each photograph: itself, and augmented ones.
        seed: Of the augmentation.
        cache: File (.npy) that keeps the outputs of the frozen blocks.
        progress: Told the photographs done.

    Raises:
        DatasetError: A photograph cannot be read.
    """
    samples = [_read(labels.folder / name) for name in labels.files]
    images = [network_image(sample, IMAGE_SIZE, IMAGE_SIZE) for sample in samples]
    if not cache.exists():
        encoder = pretrained_network(width).encoder.eval()
        features = []
        for index, (sample, image) in enumerate(zip(samples, images, strict=True)):
            random = np.random.default_rng((seed, index))
            original = np.asarray(cv2.cvtColor(decode(sample), cv2.COLOR_BGR2RGB), np.uint8)
            batch = np.stack([image, *(augment(original, random) for _ in range(views - 1))])
            with torch.no_grad():
                early = encoder.early_features(torch.from_numpy(batch), FROZEN_BLOCKS)
            features.append(early.contiguous().numpy().astype(np.float16))
            progress('views of the photographs', index + 1, len(samples))
        partial = cache.with_suffix('.partial.npy')
        np.save(partial, np.stack(features))
        partial.replace(cache)
    return RoadData(np.stack(images), np.load(cache), labels.targets)


def _read(path: Path) -> CompressedImage:
    try:
        sample = read_photograph(path)
        decode(sample)
    except SampleError as error:
        raise DatasetError(f'{path}: {error}') from error
    return sample


def augment(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Crop, mirror and relight a photograph at random, and scale it to the network's size."""
    height, width = image.shape[:2]
    scale = random.uniform(0.6, 1.0)
    aspect = np.exp(random.uniform(-0.2, 0.2))
    rows = min(height, int(height * scale / aspect))
    columns = min(width, int(width * scale * aspect))
    top = int(random.integers(height - rows + 1))
    left = int(random.integers(width - columns + 1))
    crop = image[top : top + rows, left : left + columns]
    if random.random() < 0.5:
        crop = crop[:, ::-1]
    scaled = cv2.resize(
        np.ascontiguousarray(crop), (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    grey = scaled.mean(axis=2, keepdims=True)
    scaled = grey + (scaled - grey) * random.uniform(0.6, 1.4)
    scaled = (scaled - 127.0) * random.uniform(0.75, 1.25) + 127.0 + random.uniform(-30, 30)
    scaled = scaled * random.uniform(0.93, 1.07, 3).astype(np.float32)
    return np.asarray(np.clip(scaled, 0, 255), np.uint8)


def class_weights(targets: NDArray[np.int64], classes: int) -> Tensor:
    """Weigh classes by their rarity, up to a limit: 3 photographs of ice must not rule."""
    counts = np.bincount(targets[targets != UNLABELLED], minlength=classes).astype(np.float64)
    seen = counts > 0
    weights = np.zeros(classes)
    weights[seen] = (counts[seen].sum() / counts[seen]) ** _CLASS_WEIGHT_POWER
    weights[seen] = np.minimum(weights[seen] / weights[seen].min(), _MOST_CLASS_WEIGHT)
    return torch.from_numpy(weights).float()


def train_roads(
    data: RoadData,
    chosen: NDArray[np.int64],
    width: float,
    schedule: Schedule,
    *,
    seed: int,
    checkpoint: Path,
    progress: Callable[[int, int], None],
) -> RoadNetwork:
    """Train on the chosen photographs.

    Args:
        data: All photographs.
        chosen: Indices of those to train on.
        width: Multiplier of the encoder's channels.
        schedule: Length and rates.
        seed: Of everything random.
        checkpoint: File to resume from.
        progress: Told the epochs done and their total.
    """
    network = pretrained_network(width)
    weights = {
        task: class_weights(data.targets[task][chosen], len(classes))
        for task, classes in SURFACE_CLASSES.items()
    }

    def epoch_losses(epoch: int) -> Iterator[Tensor]:
        random = np.random.default_rng((seed, epoch))
        order = random.permutation(chosen)
        views = random.integers(data.features.shape[1], size=len(order))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            features = torch.from_numpy(data.features[rows, views[start : start + _BATCH]])
            yield _loss(network, features.float(), rows, data.targets, weights)

    steps = -(-len(chosen) // _BATCH)
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


def _loss(
    network: RoadNetwork,
    features: Tensor,
    rows: NDArray[np.int64],
    targets: Mapping[str, NDArray[np.int64]],
    weights: Mapping[str, Tensor],
) -> Tensor:
    embedding = network.encoder.embed_features(features, FROZEN_BLOCKS)
    logits = network.heads(functional.dropout(embedding, _DROPOUT))
    total = embedding.new_zeros(())
    for task, weight in TASK_WEIGHTS.items():
        target = torch.from_numpy(targets[task][rows])
        if (target != UNLABELLED).any():
            total = total + weight * functional.cross_entropy(
                logits[task],
                target,
                weights[task],
                ignore_index=UNLABELLED,
                label_smoothing=_SMOOTHING,
            )
    return total


@torch.no_grad()
def embed_roads(network: RoadNetwork, data: RoadData, chosen: NDArray[np.int64]) -> Tensor:
    """Embed the chosen photographs as they are, float32 (n, size)."""
    parts = [
        network.encoder.embed_features(
            torch.from_numpy(data.features[rows, 0]).float(), FROZEN_BLOCKS
        )
        for rows in np.array_split(chosen, -(-len(chosen) // _BATCH))
    ]
    return torch.cat(parts)
