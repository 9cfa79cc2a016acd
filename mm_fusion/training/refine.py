# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The second stage of a training: the path goes on learning from motion alone.

A batch without images costs a hundredth of one with them, and the path needs far more batches
than the classes, which would by then know their examples by heart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from mm_fusion.training.checkpoint import AVERAGE, BEST, load_checkpoint, save_checkpoint
from mm_fusion.training.data.bags import BagSamples
from mm_fusion.training.data.mixture import Mixture, Part
from mm_fusion.training.objective import Supervised
from mm_fusion.training.progress import named
from mm_fusion.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.distributed import World
    from mm_fusion.training.losses import Losses
    from mm_fusion.training.progress import Progress
    from mm_fusion.training.run import Share

FOLDER = 'path'
"""Of the stage's own checkpoints and curves, in the folder of the run."""

_EPOCHS = 5
_RATE, _WARM_UP, _AVERAGING = 3e-3, 0.1, 0.99


def refine_path(
    network: FusionNetwork,
    losses: Losses,
    shares: Sequence[Share],
    config: TrainingConfig,
    folder: Path,
    world: World,
    progress: Progress,
) -> FusionNetwork:
    """Train the correction of the path, and nothing else; goes on where it was stopped.

    Args:
        network: What the first stage gave.
        losses: Of the first stage.
        shares: What is learned from; recordings are taken without images and sound.
        config: Of the whole training.
        folder: Of the run, whose best checkpoint is replaced.
        world: This process among those that train together.
        progress: Told how far it has come.

    Returns:
        The network with the correction; the same as was given where no path is learned from.

    Raises:
        DatasetError: As for ``Trainer.fit``.
    """
    parts = [
        Part(share.source.motion_alone(), chosen, config.data.motion_bags, None)
        for share in shares
        if isinstance(share.source, BagSamples)
        and len(chosen := _with_path(share.source, share.train))
    ]
    if not config.optimization.path_steps or not config.data.motion_bags or not parts:
        return network
    optimization = replace(
        config.optimization,
        epochs=_EPOCHS,
        steps_per_epoch=-(-config.optimization.path_steps // _EPOCHS),
        learning_rate=_RATE,
        warm_up=_WARM_UP,
        averaging=_AVERAGING,
        frozen_blocks=0,
        freeze_encoders=False,
        patience=0,
    )
    stage = replace(
        config,
        optimization=optimization,
        data=replace(config.data, spectrogram_masks=False),
    )
    network.requires_grad_(False)  # noqa: FBT003  # torch's own signature
    network.path.requires_grad_(True)  # noqa: FBT003
    trainer = Trainer(
        Supervised(network, losses, bfloat16=False),
        Mixture(parts, optimization.steps_per_epoch, config.seed, world.rank, world.size),
        None,
        stage,
        folder / FOLDER,
        world,
        {share.kind: share.source.fingerprint for share in shares},
        named(progress, 'path'),
    )
    refined = trainer.fit()
    if world.writes:
        _replace_best(folder / BEST, refined)
    world.wait()
    return refined


def _replace_best(path: Path, network: FusionNetwork) -> None:
    """Put the refined weights in the place of the others, unless they are there already."""
    found, meta = load_checkpoint(path)
    tensors = {AVERAGE + name: value for name, value in network.state_dict().items()}
    if not all(torch.equal(found[name], value.cpu()) for name, value in tensors.items()):
        save_checkpoint(path, tensors, meta)


def _with_path(source: BagSamples, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the samples whose future is known."""
    paths = source.paths
    both = np.concatenate([paths.rollout, paths.future], axis=2).reshape(len(source), -1)
    unknown = np.isnan(both).sum(axis=1)
    return np.asarray(chosen[unknown[chosen] == 0], np.int64)
