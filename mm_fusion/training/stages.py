# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The stages before and after the joint one: sound by itself first, the path last.

A batch without images costs a small part of one with them, and sirens and paths need far more
batches than the classes of photographs, which would by then know their examples by heart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.training.checkpoint import BEST, replace_best
from mm_fusion.training.courses import driven_samples, place_modes
from mm_fusion.training.data.bags import BagSamples
from mm_fusion.training.data.mixture import Mixture, Part
from mm_fusion.training.data.sounds import SoundClips
from mm_fusion.training.objective import Supervised
from mm_fusion.training.progress import named, of_job
from mm_fusion.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import OptimizationConfig, TrainingConfig
    from mm_fusion.training.distributed import World
    from mm_fusion.training.losses import Losses
    from mm_fusion.training.progress import Progress
    from mm_fusion.training.run import Share

SOUND, CENTRAL, MODES, PATH = 'sound', 'central', 'modes', 'path'
"""Of each stage's own checkpoints and curves, in the folder of the run; modes have none."""

_EPOCHS = 5
_PATH_RATE, _PATH_WARM_UP, _PATH_AVERAGING = 3e-3, 0.1, 0.99
_SIMULATED = 4
"""The path learns from so many times fewer simulated samples."""
_SOUND_TIMES = 4
"""A batch of the sound stage has so many times the clips of a joint one."""


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """What every stage of a training works with.

    Attributes:
        losses: Of the joint stage.
        shares: What is learned from.
        config: Of the whole training.
        folder: Of the run.
        world: This process among those that train together.
        progress: Told how far each stage has come.
    """

    losses: Losses
    shares: Sequence[Share]
    config: TrainingConfig
    folder: Path
    world: World
    progress: Progress

    def run(
        self,
        name: str,
        network: FusionNetwork,
        parts: Sequence[Part],
        optimization: OptimizationConfig,
        *,
        masks: bool,
    ) -> FusionNetwork:
        """Train in a folder of the stage's own; goes on where it was stopped."""
        data = replace(self.config.data, spectrogram_masks=masks)
        trainer = Trainer(
            Supervised(network, self.losses, bfloat16=optimization.bfloat16),
            Mixture(
                parts,
                optimization.steps_per_epoch,
                self.config.seed,
                self.world.rank,
                self.world.size,
            ),
            None,
            replace(self.config, optimization=optimization, data=data),
            self.folder / name,
            self.world,
            {share.kind: share.source.fingerprint for share in self.shares},
            named(self.progress, name),
        )
        return trainer.fit()


def learn_sound(network: FusionNetwork, learner: Learner) -> None:
    """Train on sound alone, in place, before the joint stage.

    Beside clips, moments of drives tell of the road alone, and count for little: what a simulator
    made taught to tell its own sirens, and cost real ones (docs/training.md).

    Args:
        network: As it starts.
        learner: What is learned from; recordings are taken without images and motion.

    Raises:
        DatasetError: As for ``Trainer.fit``.
    """
    config = learner.config
    clips = _clips(learner.shares, config)
    moments = _moments(learner.shares, config, sirens=not clips)
    if clips:
        learner = replace(learner, losses=learner.losses.of_sound())
    parts = [*clips, *moments]
    if not config.optimization.sound_steps or not parts:
        return
    optimization = replace(
        config.optimization,
        epochs=_EPOCHS,
        steps_per_epoch=-(-config.optimization.sound_steps // _EPOCHS),
        microphone_factor=1.0,
        patience=0,
    )
    masks = config.data.spectrogram_masks
    learned = learner.run(SOUND, network, parts, optimization, masks=masks)
    network.load_state_dict(learned.state_dict())


def refine_path(network: FusionNetwork, learner: Learner) -> FusionNetwork:
    """Train the path of the motion, and nothing else, after the joint stage.

    The central mode learns first, by its displacement alone; the other modes are placed around it
    (``place_modes``); last is learned how far drivers leave each, and which they take.

    Args:
        network: What the joint stage gave.
        learner: What is learned from; recordings are taken without images and sound. The best
            checkpoint of the run is replaced.

    Returns:
        The network with that path; the same as was given where no path is learned from.

    Raises:
        DatasetError: As for ``Trainer.fit``.
    """
    config = learner.config
    parts = driven_paths(learner.shares, config.data.motion_bags)
    if not config.optimization.path_steps or not parts:
        return network
    network.path.learned.fill_(1.0)
    first = replace(learner, losses=learner.losses.of_central_mode())
    network = _learn_path(CENTRAL, network, ('paths.central',), parts, first)
    place_modes(
        network.path.paths,
        driven_samples(parts, config.network.motion_steps),
        config.optimization.path_steps // 2,
        of_job(learner.progress, MODES),
        seed=config.seed,
    )
    last = replace(learner, losses=learner.losses.of_all_modes())
    network = _learn_path(PATH, network, ('deviations', 'preferences'), parts, last)
    if learner.world.writes:
        replace_best(learner.folder / BEST, network)
    learner.world.wait()
    return network


def _learn_path(
    name: str,
    network: FusionNetwork,
    learns: tuple[str, ...],
    parts: Sequence[Part],
    learner: Learner,
) -> FusionNetwork:
    """Train those parameters of the path whose names begin so, and nothing else."""
    network.requires_grad_(False)  # noqa: FBT003  # torch's own signature
    for found, parameter in network.path.named_parameters():
        parameter.requires_grad_(found.startswith(learns))
    optimization = replace(
        learner.config.optimization,
        epochs=_EPOCHS,
        steps_per_epoch=-(-learner.config.optimization.path_steps // _EPOCHS),
        learning_rate=_PATH_RATE,
        warm_up=_PATH_WARM_UP,
        averaging=_PATH_AVERAGING,
        frozen_blocks=0,
        freeze_encoders=False,
        bfloat16=False,
        patience=0,
    )
    return learner.run(name, network, parts, optimization, masks=False)


def _clips(shares: Sequence[Share], config: TrainingConfig) -> list[Part]:
    """Choose the clips of sound."""
    balance, size = config.data.sound_balance or None, config.data.sounds * _SOUND_TIMES
    return [
        Part(share.source, share.train, size, balance)
        for share in shares
        if isinstance(share.source, SoundClips) and size
    ]


def _moments(shares: Sequence[Share], config: TrainingConfig, *, sirens: bool) -> list[Part]:
    """Choose what is heard in recordings, with or without what they tell of sirens."""
    parts = []
    for share in shares:
        size = int(getattr(config.data, share.kind))
        if isinstance(share.source, BagSamples) and size:
            heard = share.train[share.source.heard[share.train]]
            sound = share.source.alone('microphone')
            if len(heard):
                parts.append(Part(sound if sirens else sound.without_sirens(), heard, size, None))
    return parts


def driven_paths(shares: Sequence[Share], size: int) -> list[Part]:
    """Choose the samples of recordings whose future is known, motion alone.

    Args:
        shares: What is learned from.
        size: Samples of each kind of recordings in a batch.

    Returns:
        Samples as they were driven, since varied histories blur what follows them, with fewer
        simulated ones, since people do not drive like that, and along the travel, since the modes
        cannot learn to leave a straight road to one side, nor should they.
    """
    parts = []
    for share in shares:
        if not isinstance(share.source, BagSamples):
            continue
        source = share.source.alone('motion').along_travel()
        chosen = _with_path(share.source, share.train)
        simulated = share.source.simulated[chosen]
        for part, count in ((chosen[~simulated], size), (chosen[simulated], size // _SIMULATED)):
            if len(part) and count:
                parts.append(Part(source, part, count, varied=False))
    return parts


def _with_path(source: BagSamples, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the samples whose future is known."""
    paths = source.paths
    both = np.concatenate([paths.rollout, paths.future], axis=2).reshape(len(source), -1)
    unknown = np.isnan(both).sum(axis=1)
    return np.asarray(chosen[unknown[chosen] == 0], np.int64)
