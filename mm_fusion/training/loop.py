# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The training loop that every network shares: one cycle of AdamW, averaged weights, resumable."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from torch import Tensor, nn

_WARM_UP = 0.2
_LEAST_RATE = 0.01
_GRADIENT_NORM = 5.0


class Progress(Protocol):
    """Told how far a job has come."""

    def __call__(self, job: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` steps of ``job`` are finished."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length and rates of one training.

    Attributes:
        epochs: Passes over the examples.
        rate: Highest learning rate of the first parameter group.
        weight_decay: Of AdamW.
        averaging: Decay of the averaged weights per step (an exponential moving average).
    """

    epochs: int
    rate: float
    weight_decay: float
    averaging: float


def fit(
    model: nn.Module,
    groups: Sequence[tuple[list[nn.Parameter], float]],
    epoch_losses: Callable[[int], Iterable[Tensor]],
    steps_per_epoch: int,
    schedule: Schedule,
    *,
    seed: int,
    checkpoint: Path,
    progress: Callable[[int, int], None],
) -> None:
    """Train ``model`` in place; it ends with the averaged weights, in evaluation mode.

    The rate rises for a fifth of the steps and falls as a cosine after that. After each epoch
    all state goes to ``checkpoint``; a later call with the same arguments goes on from there, to
    the same result: an epoch's random numbers depend on the seed and its number alone.

    Args:
        model: Whatever of it should learn is in ``groups``.
        groups: Parameters, and the factor on the learning rate for them.
        epoch_losses: Gives the losses of an epoch's batches, one after another; each is
            computed after the step before it.
        steps_per_epoch: How many it gives.
        schedule: Length and rates.
        seed: Of everything random.
        checkpoint: File to resume from and to write, in safetensors format.
        progress: Told the epochs done and their total.
    """
    optimizer = torch.optim.AdamW(
        [{'params': parameters, 'factor': factor} for parameters, factor in groups],
        lr=schedule.rate,
        weight_decay=schedule.weight_decay,
    )
    average = copy.deepcopy(model)
    first = _resume(checkpoint, model, average, optimizer)
    total = schedule.epochs * steps_per_epoch
    for epoch in range(first, schedule.epochs):
        torch.manual_seed(seed * 1009 + epoch)
        model.train()
        for index, loss in enumerate(epoch_losses(epoch)):
            step = epoch * steps_per_epoch + index
            for group in optimizer.param_groups:
                group['lr'] = schedule.rate * group['factor'] * _shape(step / total)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            torch.nn.utils.clip_grad_norm_(
                [p for parameters, _ in groups for p in parameters], _GRADIENT_NORM
            )
            optimizer.step()
            _follow(average, model, min(schedule.averaging, (step + 1) / (step + 10)))
        _save(checkpoint, epoch + 1, model, average, optimizer)
        progress(epoch + 1, schedule.epochs)
    model.load_state_dict(average.state_dict())
    model.eval()


def _shape(done: float) -> float:
    if done < _WARM_UP:
        return max(done / _WARM_UP, _LEAST_RATE)
    return max(0.5 * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))), _LEAST_RATE)


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    for mean, value in zip(
        average.state_dict().values(), model.state_dict().values(), strict=True
    ):
        if mean.is_floating_point():
            mean.lerp_(value, 1.0 - decay)
        else:
            mean.copy_(value)


def _save(
    path: Path, epoch: int, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    tensors = {f'model.{name}': value for name, value in model.state_dict().items()}
    tensors |= {f'average.{name}': value for name, value in average.state_dict().items()}
    for index, state in optimizer.state_dict()['state'].items():
        tensors |= {f'optimizer.{index}.{name}': value for name, value in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix('.partial')
    save_file(
        {name: value.contiguous() for name, value in tensors.items()},
        partial,
        metadata={'state': json.dumps({'epoch': epoch})},
    )
    partial.replace(path)


def _resume(
    path: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> int:
    if not path.exists():
        return 0
    tensors = load_file(path)
    model.load_state_dict(_part(tensors, 'model.'))
    average.load_state_dict(_part(tensors, 'average.'))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, 'optimizer.').items():
        index, name = key.split('.', 1)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(
        {'state': state, 'param_groups': optimizer.state_dict()['param_groups']}
    )
    with safe_open(path, framework='pt') as file:
        return int(json.loads(file.metadata()['state'])['epoch'])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }
