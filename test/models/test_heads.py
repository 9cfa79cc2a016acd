# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Heads: what they say before training, what they hear, and that they stay in their bounds."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.torch


def test_untrained_heads_know_nothing_and_predict_the_roll_out() -> None:
    import torch

    from mm_fusion.models.heads import TASK_SIZES, TASKS, Heads

    torch.manual_seed(0)
    votes = {task: torch.zeros(3, size) for task, size in TASK_SIZES.items()}
    outputs = Heads(16)(dict.fromkeys(TASKS, torch.randn(3, 16)), votes)
    for task, size in TASK_SIZES.items():
        assert outputs[task].shape == (3, size)
        assert not outputs[task].any()
    assert torch.allclose(outputs['friction_coefficient'], torch.tensor([0.6, -2.0]))
    assert outputs['modes'].shape == (3, 6)
    assert not outputs['modes'].any()
    path = outputs['trajectory']
    assert path.shape == (3, 6, 12, 5)
    assert not path[:, 0, :, :2].any()
    assert not path[..., 4].any()


def test_untrained_modes_differ_by_less_than_their_deviation() -> None:
    import torch

    from mm_fusion.models.heads import TrajectoryHead

    path = TrajectoryHead(8, 8)(torch.zeros(1, 8))[1][0].detach()
    ends = path[:, -1, :2]
    apart = torch.cdist(ends, ends) + torch.eye(6) * 9
    sigma = path[..., 2:4].exp()
    assert 0.1 < apart.min() < float(sigma[0, -1, 0])
    assert (sigma.diff(dim=1) > 0).all()
    assert 0.03 < sigma[0, 0, 0] < 0.3
    assert 1.0 < sigma[0, -1, 1] < 5.0


def test_votes_are_heard_by_the_classes_and_through_them_by_the_coefficient() -> None:
    import torch

    from mm_fusion.models.heads import TASK_SIZES, TASKS, Heads

    torch.manual_seed(0)
    heads, fused = Heads(16).requires_grad_(False), dict.fromkeys(TASKS, torch.randn(2, 16))  # noqa: FBT003
    votes = {task: torch.zeros(2, size) for task, size in TASK_SIZES.items()}
    for parameter in heads.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    silent = heads(fused, votes)
    votes['friction'][1, 1] = 30.0
    votes['material'][1, 2] = 4.0
    heard = heads(fused, votes)
    for task in TASK_SIZES:
        assert torch.equal(heard[task], silent[task] + votes[task]), task
    assert torch.equal(heard['friction_coefficient'], silent['friction_coefficient'])

    head = heads.friction_coefficient
    head.by_class[:, 1] = torch.tensor([-2.0, 1.0])
    outputs = heads(fused, votes)
    shares = outputs['friction'].softmax(dim=1)[:, 1]
    assert 0.1 < shares[0] < 0.3
    assert shares[1] > 0.999
    mean, spread = (
        head.layers(fused['friction_coefficient']) + shares[:, None] * head.by_class[:, 1]
    ).T
    expected = torch.stack([1.2 * mean.sigmoid(), -2.0 + 2.0 * spread.tanh()], dim=1)
    assert torch.allclose(outputs['friction_coefficient'], expected, atol=1e-6)


def test_no_input_leads_out_of_the_bounds() -> None:
    import torch

    from mm_fusion.models.heads import TASK_SIZES, TASKS, Heads, initial_log_sigma

    torch.manual_seed(0)
    heads = Heads(16)
    for parameter in heads.parameters():
        torch.nn.init.normal_(parameter, std=10.0)
    fused = dict.fromkeys(TASKS, torch.randn(64, 16) * 100)
    torch.nn.init.normal_(heads.friction_coefficient.by_class, std=10.0)
    votes = {task: torch.randn(64, size) * 100 for task, size in TASK_SIZES.items()}
    outputs = heads(fused, votes)
    mean, log_std = outputs['friction_coefficient'].unbind(dim=1)
    assert mean.min() >= 0.0
    assert mean.max() <= 1.2 + 1e-6
    assert log_std.min() >= -4.0
    assert log_std.max() <= 0.0
    assert log_std.max() - log_std.min() > 3.9
    path = outputs['trajectory']
    assert path[..., 4].abs().max() <= 0.95 + 1e-6
    log_sigma = path[..., 2:4] - initial_log_sigma()[:, None]
    assert 2.9 < log_sigma.abs().max() <= 3.0 + 1e-5
