# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated drives as embeddings, for the demonstrations of the fusion network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.errors import DatasetError
from mm_fusion.training.augment.variation import BagVariation, vary_sample
from mm_fusion.training.data.altered import Altered
from mm_fusion.training.data.bags import BagSamples
from mm_fusion.training.data.sample import IMAGE_SIZE
from mm_fusion.training.embed import EmbeddedBatch, concatenate, embed_source, keep_modalities
from mm_fusion.training.predict import SUBSETS
from mm_fusion.training.sources import find_bags

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.data.altered import Change
    from mm_fusion.training.data.sample import Sample
    from mm_fusion.training.data.source import Source

_VARIATION = BagVariation(ageing=0.0, siren=0.0, mirror=0.0, dropout={})
"""As in the training; what is missing is drawn later, from the embeddings."""


@dataclass(frozen=True, slots=True, eq=False)
class Drives:
    """Embedded moments of drives that have all modalities; n of them.

    Attributes:
        samples: The embeddings, with targets.
        drives: str (n,), the drive of each.
    """

    samples: EmbeddedBatch
    drives: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.drives)

    @property
    def targets(self) -> dict[str, NDArray[np.generic]]:
        """The targets as arrays."""
        return {name: value.numpy() for name, value in self.samples.targets.items()}


def add_data_arguments(parser: argparse.ArgumentParser, *folders: str) -> None:
    """Add the arguments that every demonstration takes."""
    for name in folders:
        parser.add_argument(f'--{name}', type=Path, required=True, help=f'folder of {name} drives')
    parser.add_argument('--out', type=Path, required=True, help='folder of tables and figures')
    parser.add_argument(
        '--cache', type=Path, help='folder of decoded drives; default: ~/.cache/mm_fusion'
    )
    parser.add_argument('--workers', type=int, default=1, help='processes that decode')
    parser.add_argument('--threads', type=int, default=1, help='threads of torch')


def read_drives(folder: Path, arguments: argparse.Namespace, size: int = IMAGE_SIZE) -> BagSamples:
    """Decode every recording of a folder.

    Args:
        folder: Of recordings.
        arguments: Those of ``add_data_arguments``.
        size: Height and width of varied images.

    Raises:
        DatasetError: There is none, or one cannot be used.
    """
    home = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    cache = arguments.cache or home / 'mm_fusion'
    return BagSamples(
        find_bags([folder]), cache=cache, workers=arguments.workers, training_size=size
    )


def complete(source: BagSamples) -> NDArray[np.int64]:
    """List the samples with image, sound and motion at once, int64 (n,)."""
    found = [
        index
        for index in source.useful
        if all(value is not None for value in source.sample(int(index), None).inputs)
    ]
    if not found:
        raise DatasetError(f'{source.name}: found no moment with camera, sound and motion')
    return np.array(found, np.int64)


def embed_drives(
    network: FusionNetwork, source: BagSamples, *, views: int = 0, seed: int = 0
) -> Drives:
    """Embed moments as they are, and varied as in the training.

    Args:
        network: Its encoders are used.
        source: Drives.
        views: Varied copies of each moment beside the plain one.
        seed: Of the variation.
    """
    chosen = complete(source)
    sources: list[Source] = [source]
    sources += [Altered(source, _varied(network), seed + view) for view in range(views)]
    parts = [embed_source(network, part, chosen) for part in sources]
    drives = np.array(source.groups, np.str_)[chosen]
    return Drives(concatenate(parts), np.tile(drives, len(parts)))


def fuse_subsets(
    network: FusionNetwork, samples: EmbeddedBatch
) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Run the fusion of a network on every choice of modalities: its outputs by the choice."""
    return {
        name: fuse(network, keep_modalities(samples, chosen)) for name, chosen in SUBSETS.items()
    }


@torch.no_grad()
def fuse(network: FusionNetwork, batch: EmbeddedBatch) -> dict[str, NDArray[np.float32]]:
    """Run the fusion of a network on embeddings: its outputs as arrays."""
    network.eval()
    outputs = network.fuse(batch.embeddings, batch.presence, batch.age_s)
    return {name: value.numpy() for name, value in outputs.items()}


def _varied(network: FusionNetwork) -> Change:
    def change(sample: Sample, random: np.random.Generator) -> Sample:
        size = network.config.image_size
        return vary_sample(sample, size, random, _VARIATION, lambda _modality: None, None)

    return change
