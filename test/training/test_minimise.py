# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The least of a smooth loss is found, in place."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.torch


def test_the_least_is_found_in_place() -> None:
    import torch

    from mm_fusion.training.minimise import minimise

    x, y = torch.tensor([-1.2]), torch.tensor([[1.0, 5.0]])

    def rosenbrock() -> torch.Tensor:
        curved = 100.0 * (y[0, 0] - x[0] ** 2) ** 2
        return (1.0 - x[0]) ** 2 + curved + (y[0, 1] - 2.0) ** 2

    minimise([x, y], rosenbrock, 200)
    torch.testing.assert_close(x, torch.tensor([1.0]), atol=1e-3, rtol=0.0)
    torch.testing.assert_close(y, torch.tensor([[1.0, 2.0]]), atol=1e-3, rtol=0.0)
    assert not x.requires_grad
    assert x.grad is None


def test_it_ends() -> None:
    import torch

    from mm_fusion.training.minimise import minimise

    value, asked = torch.zeros(1), []

    def bottomless() -> torch.Tensor:
        asked.append(value.detach().item())
        return -value.sum() - torch.sin(7.0 * value).sum() / 14.0

    minimise([value], bottomless, 20)
    assert 20 <= len(asked) <= 22
    assert value > 0.0
