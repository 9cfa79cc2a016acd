# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Heads: what they say before training, and that they stay in their bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = pytest.mark.torch


def test_untrained_heads_know_nothing_and_predict_the_roll_out() -> None:
    import torch

    from mm_fusion.models.heads import TASK_SIZES, TASKS, Heads

    torch.manual_seed(0)
    outputs = Heads(16)(dict.fromkeys(TASKS, torch.randn(3, 16)))
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


def test_no_input_leads_out_of_the_bounds() -> None:
    import torch

    from mm_fusion.models.heads import TASKS, Heads, initial_log_sigma

    torch.manual_seed(0)
    heads = Heads(16)
    for parameter in heads.parameters():
        torch.nn.init.normal_(parameter, std=10.0)
    outputs = heads(dict.fromkeys(TASKS, torch.randn(64, 16) * 100))
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


def correction_of_modes(learned: float, present: float) -> tuple[Tensor, ...]:
    import torch

    from mm_fusion.models.heads import PathCorrection

    torch.manual_seed(0)
    part = PathCorrection(8)
    for parameter in part.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    part.learned.fill_(learned)
    state = torch.tensor([[6.0, 0.2, -0.5, 0.0, 0.1, 0.4]]).expand(64, 6)
    modes, path = torch.randn(64, 6), torch.randn(64, 6, 12, 5)
    with torch.no_grad():
        return (
            modes,
            path,
            *part(torch.randn(64, 8), state, torch.tensor([[present]]), modes, path),
        )


@pytest.mark.parametrize(('learned', 'present'), [(0.0, 1.0), (1.0, 0.0)])
def test_what_has_not_learned_or_sees_no_motion_changes_no_path(
    learned: float, present: float
) -> None:
    import torch

    modes, path, corrected_modes, corrected_path = correction_of_modes(learned, present)
    assert torch.equal(corrected_modes, modes)
    assert torch.equal(corrected_path, path)


def test_once_learned_no_mode_is_more_likely_than_the_central_one() -> None:
    modes, path, corrected_modes, corrected_path = correction_of_modes(1.0, 1.0)
    assert (modes.argmax(dim=1) != 0).any()
    assert (corrected_modes <= corrected_modes[:, :1]).all()
    assert (corrected_modes.argmax(dim=1) == 0).all()
    assert (corrected_modes[:, 1:] < corrected_modes[:, :1]).any()
    central = corrected_path[:, 0, :, :2]
    assert (central == central[:1]).all()
    assert (corrected_path[:, 1:, :, :2] != path[:, 1:, :, :2]).all()
