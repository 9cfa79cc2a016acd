# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Embeddings made once: where encoders keep their weights, the fusion learns in seconds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mm_fusion.training.data.mixture import in_order
from mm_fusion.training.data.sample import only
from mm_fusion.training.objective import embed, to_device
from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.data.altered import Altered
    from mm_fusion.training.data.sample import Sample
    from mm_fusion.training.data.source import Source

_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedBatch:
    """Samples of one step, embedded; B of them.

    Attributes:
        embeddings: By modality, float32 (B, size), zeros where a sample lacks it.
        presence: float32 (B, 3).
        age_s: float32 (B, 3), seconds.
        targets: As in ``Batch``.
        sources: Which source each sample is from, and which of it.
    """

    embeddings: dict[str, Tensor]
    presence: Tensor
    age_s: Tensor
    targets: dict[str, Tensor]
    sources: tuple[str, ...]

    def rows(self, chosen: NDArray[np.int64]) -> EmbeddedBatch:
        """Give some of the samples."""
        index = torch.from_numpy(chosen)
        return EmbeddedBatch(
            {name: value[index] for name, value in self.embeddings.items()},
            self.presence[index],
            self.age_s[index],
            {name: value[index] for name, value in self.targets.items()},
            tuple(self.sources[int(row)] for row in chosen),
        )


def concatenate(batches: Sequence[EmbeddedBatch]) -> EmbeddedBatch:
    """Put embedded samples together, at least one batch."""
    first = batches[0]
    return EmbeddedBatch(
        {name: torch.cat([b.embeddings[name] for b in batches]) for name in first.embeddings},
        torch.cat([batch.presence for batch in batches]),
        torch.cat([batch.age_s for batch in batches]),
        {name: torch.cat([b.targets[name] for b in batches]) for name in first.targets},
        tuple(name for batch in batches for name in batch.sources),
    )


@torch.no_grad()
def embed_source(
    network: FusionNetwork,
    source: Source,
    chosen: NDArray[np.int64],
    progress: Callable[[int, int], None] | None = None,
) -> EmbeddedBatch:
    """Embed samples as they are, without augmentation.

    Args:
        network: Its encoders are used; set to evaluation mode.
        source: Of the samples.
        chosen: Indices of at least one.
        progress: Told the samples done and their number.
    """
    network.eval()
    device, found = next(network.parameters()).device, []
    for number, batch in enumerate(in_order(source, chosen, _BATCH)):
        embeddings = embed(network, to_device(batch, device))
        found.append(
            EmbeddedBatch(
                {name: value.cpu() for name, value in embeddings.items()},
                batch.presence,
                batch.age_s,
                batch.targets,
                batch.sources,
            )
        )
        if progress is not None:
            progress(min((number + 1) * _BATCH, len(chosen)), len(chosen))
    return concatenate(found)


def embed_changed(
    network: FusionNetwork,
    clean: EmbeddedBatch,
    changed: Altered,
    chosen: NDArray[np.int64],
    modality: str,
    progress: Callable[[int, int], None] | None = None,
) -> EmbeddedBatch:
    """Embed again the one modality that was changed.

    Args:
        network: As of ``embed_source``.
        clean: What ``embed_source`` gave for the same samples, unchanged.
        changed: Gives them changed in nothing but that modality.
        chosen: As of ``embed_source``.
        modality: Of ``NETWORK_MODALITIES``.
        progress: As of ``embed_source``.
    """

    def change(sample: Sample, random: np.random.Generator) -> Sample:
        return changed.change(only(sample, modality), random)

    alone = dataclasses.replace(changed, change=change)
    found = embed_source(network, alone, chosen, progress)
    column = NETWORK_MODALITIES.index(modality)
    presence, age_s = clean.presence.clone(), clean.age_s.clone()
    presence[:, column], age_s[:, column] = found.presence[:, column], found.age_s[:, column]
    embeddings = {**clean.embeddings, modality: found.embeddings[modality]}
    return dataclasses.replace(clean, embeddings=embeddings, presence=presence, age_s=age_s)


class EmbeddedMixture(Dataset[EmbeddedBatch]):
    """Batches of embedded samples, in shares as the parts have them, with modalities hidden.

    What a step draws depends on seed, epoch and step alone. A sample with several modalities
    lacks each with a probability, but never all.

    Args:
        embedded: All samples of each part.
        sizes: Samples of each part in a batch.
        steps: Batches of an epoch.
        seed: Of everything random.
        hide: Probability with which a modality is hidden.
        rank: Of this process among those that train together.
        world: Number of those processes.
    """

    def __init__(
        self,
        embedded: Sequence[EmbeddedBatch],
        sizes: Sequence[int],
        steps: int,
        seed: int,
        hide: float = 0.0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._embedded, self._sizes, self._steps = tuple(embedded), tuple(sizes), steps
        self._seed, self._hide, self._rank, self._world = seed, hide, rank, world
        self._epoch = 0

    def __len__(self) -> int:
        return self._steps

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next items are of."""
        self._epoch = epoch

    def __getitem__(self, step: int) -> EmbeddedBatch:
        if not 0 <= step < self._steps:
            raise IndexError(step)
        place = (self._epoch * self._steps + step) * self._world + self._rank
        random = np.random.default_rng((self._seed, place))
        drawn = [
            samples.rows(random.integers(len(samples.presence), size=size))
            for samples, size in zip(self._embedded, self._sizes, strict=True)
        ]
        return hide_modalities(concatenate(drawn), self._hide, random)

    def loader(self, workers: int) -> DataLoader[EmbeddedBatch]:
        """Make the batches of an epoch in order; there is nothing for workers to do."""
        del workers
        return DataLoader(self, batch_size=None)


def hide_modalities(
    batch: EmbeddedBatch, share: float, random: np.random.Generator
) -> EmbeddedBatch:
    """Hide each modality of a sample with a probability, but never all of them."""
    hidden = torch.from_numpy(random.random(tuple(batch.presence.shape)) < share)
    presence = torch.where(hidden, 0.0, batch.presence)
    blind = presence.sum(dim=1, keepdim=True) == 0
    return _kept(batch, torch.where(blind, batch.presence, presence))


def keep_modalities(batch: EmbeddedBatch, names: Sequence[str]) -> EmbeddedBatch:
    """Hide every modality of ``NETWORK_MODALITIES`` but some."""
    kept = torch.tensor([float(name in names) for name in NETWORK_MODALITIES])
    return _kept(batch, batch.presence * kept)


def _kept(batch: EmbeddedBatch, presence: Tensor) -> EmbeddedBatch:
    return dataclasses.replace(
        batch,
        embeddings={
            name: batch.embeddings[name] * presence[:, column : column + 1]
            for column, name in enumerate(NETWORK_MODALITIES)
        },
        presence=presence,
        age_s=batch.age_s * presence,
    )
