# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One training from sources to a network: what every command and every fold calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.errors import DatasetError
from mm_fusion.labels import SURFACE_CLASSES
from mm_fusion.models.network import build_network
from mm_fusion.training.checkpoint import BEST, is_marked, replace_best
from mm_fusion.training.data.mixture import Mixture, Part
from mm_fusion.training.data.source import class_counts
from mm_fusion.training.distributed import join_world
from mm_fusion.training.embed import EmbeddedMixture, embed_source
from mm_fusion.training.held_out import HELD_OUT, learn_held_out
from mm_fusion.training.losses import Losses, class_weights
from mm_fusion.training.objective import Supervised
from mm_fusion.training.progress import of_job, silent
from mm_fusion.training.stages import Learner, learn_sound, refine_path
from mm_fusion.training.trainer import Trainer
from mm_fusion.training.validation import Validation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import DataConfig, LossConfig, TrainingConfig
    from mm_fusion.training.data.source import Source
    from mm_fusion.training.distributed import World
    from mm_fusion.training.progress import Progress


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """What a training does with a source.

    Attributes:
        source: Of samples.
        kind: ``photographs``, ``sounds``, ``bags`` or ``motion_bags``: its share of a batch.
        train: int64 (n,), indices of the samples to learn from.
        held_out: int64 (m,), indices of the samples to look at.
    """

    source: Source
    kind: str
    train: NDArray[np.int64]
    held_out: NDArray[np.int64]


def train_run(
    shares: Sequence[Share],
    config: TrainingConfig,
    folder: Path,
    *,
    start: FusionNetwork | None = None,
    validate: bool = True,
    weigh: bool = True,
    progress: Progress = silent,
) -> FusionNetwork:
    """Train, and leave checkpoints and curves in a folder; goes on where it was stopped.

    First sound by itself (``learn_sound``), then everything but the path of the motion, then how
    sound and the friction coefficient are read and what modalities are worth beside each other
    (``learn_held_out``), then that path by itself (``refine_path``).

    With ``freeze_encoders`` every sample is embedded once, as it is, and the fusion learns from
    that; else from augmented samples.

    Args:
        shares: Sources, and what of them is learned from.
        config: Everything else that decides the result.
        folder: Of this training alone.
        start: Weights to go on from, of the network that ``config`` describes; without them the
            image encoder starts from ImageNet, the rest at random.
        validate: Look at what is held out after each epoch, and take the best epoch.
        weigh: Learn from drives held out, too.
        progress: Told how far it has come.

    Returns:
        The trained network in evaluation mode.

    Raises:
        DatasetError: There is nothing to learn from, or as for ``Trainer.fit``.
    """
    learning = [share for share in shares if len(share.train)]
    if not learning:
        raise DatasetError('training: found no sample to learn from, expected some')
    network = make_network(config, start)
    held_out = [(share.source, share.held_out) for share in shares if len(share.held_out)]
    weights = surface_weights(
        [(share.source, share.train, getattr(config.data, share.kind)) for share in learning],
        config.losses,
    )
    losses = Losses(config.losses, weights)
    network.path.requires_grad_(False)  # noqa: FBT003  # it learns in stages of its own
    with join_world(config.optimization.device) as world:
        learner = Learner(losses, learning, config, folder, world, progress)
        learn_sound(network, learner)
        trainer = Trainer(
            Supervised(
                network,
                losses,
                bfloat16=config.optimization.bfloat16,
                mixup=config.data.mixup,
            ),
            make_mixture(network, learning, config, world, progress),
            Validation(held_out, losses) if validate and held_out else None,
            config,
            folder,
            world,
            fingerprints(shares),
            progress,
        )
        network = trainer.fit()
        learned = is_marked(folder / BEST, HELD_OUT)
        world.wait()  # all have looked before one writes
        if weigh and not learned and learn_held_out(network, shares, start, progress):
            if world.writes:
                replace_best(folder / BEST, network, HELD_OUT)
            world.wait()
        return refine_path(network, learner)


def make_network(config: TrainingConfig, start: FusionNetwork | None) -> FusionNetwork:
    """Make the network that a configuration describes, from a start or from ImageNet."""
    torch.manual_seed(config.seed)
    network = build_network(config.network, pretrained=start is None)
    if start is not None:
        network.load_state_dict(start.state_dict())
    return network


def surface_weights(
    parts: Iterable[tuple[Source, NDArray[np.int64], int]], config: LossConfig
) -> dict[str, Tensor]:
    """Weigh the classes of each surface task by how rare they are in a batch.

    A source counts by its share of the batches, however many samples it has: a thousand
    simulated moments must not decide how rare a class is among the photographs.

    Args:
        parts: Source, samples that are learned from, and how many of them are in a batch.
        config: Powers and limit.
    """
    listed = list(parts)
    return {
        task: class_weights(
            np.sum(
                [
                    class_counts(source, task, chosen) * (size / max(len(chosen), 1))
                    for source, chosen, size in listed
                ],
                axis=0,
            ),
            float(getattr(config, f'{task}_power')),
            config.most_class_weight,
        )
        for task in SURFACE_CLASSES
    }


def fingerprints(shares: Iterable[Share]) -> dict[str, str]:
    """Give the checksum of each source, with how much of it is learned from."""
    found: dict[str, str] = {}
    for share in shares:
        # Recordings to look at are of a kind that others to learn from may be of as well.
        name = f'{share.source.name}: {share.kind}' if share.kind in found else share.kind
        found[name] = f'{share.source.fingerprint}:{len(share.train)}'
    return found


def make_mixture(
    network: FusionNetwork,
    shares: Sequence[Share],
    config: TrainingConfig,
    world: World,
    progress: Progress,
) -> Mixture | EmbeddedMixture:
    """Make the batches: of augmented samples, or of embeddings where encoders do not learn.

    Raises:
        DatasetError: No source has a share in a batch.
    """
    parts = [part for share in shares if (part := _part(share, config.data)) is not None]
    if not parts:
        raise DatasetError('training: found batches of no sample, expected some')
    steps = config.optimization.steps_per_epoch or -(
        -len(parts[0].chosen) // (parts[0].batch_size * world.size)
    )
    if not config.optimization.freeze_encoders:
        return Mixture(parts, steps, config.seed, world.rank, world.size)
    embedded = [
        embed_source(network, part.source, part.chosen, of_job(progress, 'embedding'))
        for part in parts
    ]
    return EmbeddedMixture(
        embedded,
        [part.batch_size for part in parts],
        steps,
        config.seed,
        config.data.hide_modality,
        world.rank,
        world.size,
    )


def _part(share: Share, config: DataConfig) -> Part | None:
    """Say how much of a source is in a batch; None where none of it shall be."""
    balances = {
        'photographs': config.photograph_balance,
        'sounds': config.sound_balance,
        'bags': config.bag_balance,
    }
    size = int(getattr(config, share.kind))
    if not size:
        return None
    return Part(share.source, share.train, size, balances.get(share.kind) or None)
