# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: it learns, it resumes to the same result, it averages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor, nn

pytestmark = pytest.mark.torch


class StopHereError(Exception):
    """Stands for a run that was killed."""


def train(checkpoint: Path, *, stop_after: int | None = None) -> tuple[nn.Module, list[int]]:
    import torch
    from torch.nn import functional

    from mm_fusion.training.loop import Schedule, fit

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    x = torch.linspace(-1, 1, 32).reshape(16, 2)
    y = x.sum(dim=1, keepdim=True)
    epochs: list[int] = []

    def losses(epoch: int) -> Iterator[Tensor]:
        epochs.append(epoch)
        for _ in range(4):
            chosen = torch.randperm(16)[:8]  # from the generator that the loop seeds
            yield functional.mse_loss(model(functional.dropout(x[chosen], 0.1)), y[chosen])

    def progress(done: int, total: int) -> None:
        assert total == 6
        if done == stop_after:
            raise StopHereError

    fit(
        model,
        [(list(model.parameters()), 1.0)],
        losses,
        4,
        Schedule(epochs=6, rate=0.05, weight_decay=0.0, averaging=0.9),
        seed=1,
        checkpoint=checkpoint,
        progress=progress,
    )
    return model, epochs


def test_it_learns(tmp_path: Path) -> None:
    import torch

    model, epochs = train(tmp_path / 'a.safetensors')
    assert epochs == list(range(6))
    x = torch.tensor([[0.5, -0.25]])
    assert float(model(x).detach()) == pytest.approx(0.25, abs=0.1)
    assert not model.training


def test_a_stopped_run_goes_on_to_the_same_result(tmp_path: Path) -> None:
    import torch

    whole, _ = train(tmp_path / 'whole.safetensors')
    with pytest.raises(StopHereError):
        train(tmp_path / 'stopped.safetensors', stop_after=2)
    resumed, epochs = train(tmp_path / 'stopped.safetensors')
    assert epochs == [2, 3, 4, 5]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    import torch

    first, _ = train(tmp_path / 'a.safetensors')
    again, epochs = train(tmp_path / 'a.safetensors')
    assert epochs == []
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
