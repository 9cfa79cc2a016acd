# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: AdamW, averaged weights, and a checkpoint after each epoch."""

from __future__ import annotations

import copy
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mm_fusion.errors import DatasetError
from mm_fusion.training.checkpoint import (
    AVERAGE,
    BEST,
    LAST,
    git_state,
    load_checkpoint,
    restore,
    save_checkpoint,
)
from mm_fusion.training.curves import draw_curves, write_curves
from mm_fusion.training.losses import check_finite
from mm_fusion.training.masks import masked_spectrograms
from mm_fusion.training.objective import to_device
from mm_fusion.training.optimization import follow, freeze, parameter_groups, rate_at
from mm_fusion.training.progress import silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.config import TrainingConfig
    from mm_fusion.training.data.batch import Batch
    from mm_fusion.training.data.mixture import Mixture
    from mm_fusion.training.distributed import World
    from mm_fusion.training.embed import EmbeddedBatch, EmbeddedMixture
    from mm_fusion.training.objective import Objective
    from mm_fusion.training.progress import Progress
    from mm_fusion.training.validation import Validation

_SEED_STRIDE = 100_003
_DRAW_EVERY_S = 10.0
"""A figure of the curves takes as long as a short epoch; the last one is always drawn."""


class Trainer:
    """Train a network, and leave checkpoints and curves in a folder.

    After each epoch all state goes to ``last.safetensors``, and the averaged weights of the epoch
    with the lowest validation loss to ``best.safetensors``. A later call with the same arguments
    goes on from there to the same result, bit by bit on a CPU: what an epoch draws depends on the
    seed and its number alone.

    Args:
        objective: What learns, and by what; trained in place.
        mixture: Batches.
        validation: Looked at after each epoch; None where nothing is held out.
        config: Everything else that decides the result.
        folder: Of checkpoints and curves.
        world: This process among those that train together.
        data: Fingerprints of the data, for the checkpoints.
        progress: Told how far it has come.
    """

    def __init__(
        self,
        objective: Objective,
        mixture: Mixture | EmbeddedMixture,
        validation: Validation | None,
        config: TrainingConfig,
        folder: Path,
        world: World,
        data: Mapping[str, str],
        progress: Progress = silent,
    ) -> None:
        self._mixture, self._validation, self._config = mixture, validation, config
        self._folder, self._world, self._data, self._progress = folder, world, data, progress
        freeze(objective.network, config.optimization)
        objective.to(world.device)
        self._network, self._losses = objective.network, objective.losses
        self._average = copy.deepcopy(self._network).eval()
        self._average.requires_grad_(False)  # noqa: FBT003  # torch's own signature
        # As the convolutions of the image encoder are fastest with.
        self._network.encoders['camera'].to(  # type: ignore[call-overload]  # not in its types
            memory_format=torch.channels_last
        )
        # Not every batch has every modality and every label.
        self._objective: nn.Module = (
            DistributedDataParallel(objective, find_unused_parameters=True)
            if world.size > 1
            else objective
        )
        self._optimizer = torch.optim.AdamW(
            parameter_groups(self._network, self._losses, config.optimization),
            lr=config.optimization.learning_rate,
        )
        self._history: list[dict[str, float]] = []
        self._best = float('inf')
        self._drawn_s = time.monotonic()

    def fit(self) -> FusionNetwork:
        """Train to the end.

        Returns:
            The averaged weights of the best epoch, where something is held out, else of the
            last, in evaluation mode.

        Raises:
            DatasetError: The loss is no number; a checkpoint is of another training, or cannot
                be written.
        """
        self._resume()
        self._world.wait()
        first = len(self._history)
        for epoch in range(first, self._config.optimization.epochs):
            if self._stops():
                break
            self._epoch(epoch)
        self._world.wait()
        if not self._history:
            raise DatasetError('epochs: found 0, expected at least 1')
        if self._world.writes:
            self._draw()
        tensors, _ = load_checkpoint(self._folder / BEST)
        restore(self._average, tensors, AVERAGE, str(self._folder / BEST))
        return self._average

    def _epoch(self, epoch: int) -> None:
        began = time.monotonic()
        seed = self._config.seed * _SEED_STRIDE + epoch
        torch.manual_seed(seed * self._world.size + self._world.rank)
        self._mixture.set_epoch(epoch)
        self._network.train()
        if self._config.optimization.freeze_encoders:
            self._network.encoders.eval()  # statistics of the batches count as weights here
        sums: dict[str, list[float]] = {}
        steps = len(self._mixture)
        with self._spectrogram_masks():
            for index, batch in enumerate(self._mixture.loader(self._config.data.workers)):
                total, terms = self._step(epoch * steps + index, batch)
                for name, term in {'loss': total, **terms}.items():
                    sums.setdefault(name, []).append(float(term.detach()))
                self._progress(
                    'training', epoch * steps + index + 1, self._config.optimization.epochs * steps
                )
        row = {'epoch': epoch + 1.0, 'rate': self._rate((epoch + 1) * steps - 1)}
        row |= {f'train {name}': sum(values) / len(values) for name, values in sums.items()}
        self._close(row, began)

    def _step(self, step: int, batch: Batch | EmbeddedBatch) -> tuple[Tensor, dict[str, Tensor]]:
        rate = self._rate(step)
        for group in self._optimizer.param_groups:
            group['lr'] = rate * group['factor']
        self._optimizer.zero_grad()
        total, terms = self._objective(to_device(batch, self._world.device))
        place = f'step {step}, batch of {", ".join(batch.sources)}'
        check_finite(total, terms, place)
        total.backward()
        norm = nn.utils.clip_grad_norm_(
            [parameter for group in self._optimizer.param_groups for parameter in group['params']],
            self._config.optimization.gradient_norm,
        )
        check_finite(norm, {'gradient': norm, **terms}, place)
        self._optimizer.step()
        decay = min(self._config.optimization.averaging, (step + 1) / (step + 10))
        follow(self._average, self._network, decay)
        return total, terms

    def _close(self, row: dict[str, float], began: float) -> None:
        """Validate, and write everything down."""
        loss = 0.0
        if self._validation is not None and self._world.writes:
            found = self._validation.look(self._average)
            row |= {f'validation {name}': value for name, value in found.items()}
            loss = found['loss']
        loss = self._world.agree(loss)
        # Where nothing is held out, the last epoch is the best.
        best = self._validation is None or loss < self._best
        self._best = loss if best else self._best
        row |= {'best': float(best), 'seconds': time.monotonic() - began}
        self._history.append(row)
        if not self._world.writes:
            return
        if best:
            save_checkpoint(self._folder / BEST, self._averaged(), self._meta())
        save_checkpoint(self._folder / LAST, self._state(), self._meta())
        write_curves(self._folder, self._history)
        if time.monotonic() - self._drawn_s >= _DRAW_EVERY_S:
            self._draw()

    def _draw(self) -> None:
        draw_curves(self._folder, self._history)
        self._drawn_s = time.monotonic()

    def _rate(self, step: int) -> float:
        steps = self._config.optimization.epochs * len(self._mixture)
        return rate_at(step / steps, self._config.optimization)

    def _stops(self) -> bool:
        """Tell whether as many epochs as ``patience`` have passed since the best one."""
        patience = self._config.optimization.patience
        if self._validation is None or not patience:
            return False
        recent = self._history[-patience:]
        return len(recent) == patience and not any(row['best'] for row in recent)

    def _spectrogram_masks(self) -> AbstractContextManager[None]:
        if not self._config.data.spectrogram_masks:
            return nullcontext()
        return masked_spectrograms(self._network)

    def _averaged(self) -> dict[str, Tensor]:
        return {AVERAGE + name: value for name, value in self._average.state_dict().items()}

    def _state(self) -> dict[str, Tensor]:
        tensors = self._averaged()
        tensors |= {f'model.{k}': value for k, value in self._network.state_dict().items()}
        tensors |= {f'losses.{k}': value for k, value in self._losses.state_dict().items()}
        for index, state in self._optimizer.state_dict()['state'].items():
            tensors |= {f'optimizer.{index}.{name}': value for name, value in state.items()}
        return tensors

    def _meta(self) -> dict[str, Any]:
        return {
            'network': self._config.network.to_dict(),
            'training': self._config.to_dict(),
            'data': dict(self._data),
            'git': git_state(),
            'epoch': len(self._history),
            'history': self._history,
            'best': self._best,
        }

    def _resume(self) -> None:
        path = self._folder / LAST
        if not path.exists():
            return
        tensors, meta = load_checkpoint(path)
        for name, mine in (('training', self._config.to_dict()), ('data', dict(self._data))):
            if meta.get(name) != mine:
                raise DatasetError(
                    f'{path}: found the checkpoint of another training ({name} differs); '
                    'give another folder, or delete this one'
                )
        restore(self._network, tensors, 'model.', str(path))
        restore(self._average, tensors, AVERAGE, str(path))
        restore(self._losses, tensors, 'losses.', str(path))
        self._optimizer.load_state_dict(
            {
                'state': _optimizer_state(tensors),
                'param_groups': self._optimizer.state_dict()['param_groups'],
            }
        )
        self._history = list(meta['history'])
        self._best = float(meta['best'])


def _optimizer_state(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith('optimizer.'):
            _, index, name = key.split('.', 2)
            state.setdefault(int(index), {})[name] = value
    return state
