# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The path of the motion takes the place of the fused one, where it has learned and is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = pytest.mark.torch


def replaced(learned: float, present: float) -> tuple[Tensor, ...]:
    """Give the fused logits and Gaussians, and what the motion makes of them."""
    import torch

    from mm_fusion.models.path import MotionPath

    torch.manual_seed(0)
    part = MotionPath()
    for parameter in part.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    part.learned.fill_(learned)
    states = torch.rand(64, 6) * torch.tensor([12.0, 0.4, 2.0, 0.1, 0.1, 1.0])
    modes, path = torch.randn(64, 6), torch.randn(64, 6, 12, 5)
    with torch.no_grad():
        return modes, path, *part(states, torch.full((64, 1), present), modes, path)


@pytest.mark.parametrize(('learned', 'present'), [(0.0, 1.0), (1.0, 0.0)])
def test_what_has_not_learned_or_sees_no_motion_changes_no_path(
    learned: float, present: float
) -> None:
    import torch

    modes, path, found_modes, found_path = replaced(learned, present)
    assert torch.equal(found_modes, modes)
    assert torch.equal(found_path, path)


def test_a_missing_motion_may_be_anything() -> None:
    import torch

    from mm_fusion.models.path import MotionPath

    part = MotionPath()
    part.learned.fill_(1.0)
    modes, path = torch.randn(1, 6), torch.randn(1, 6, 12, 5)
    found = part(torch.full((1, 6), torch.nan), torch.zeros(1, 1), modes, path)
    assert torch.equal(found[0], modes)
    assert torch.equal(found[1], path)


def test_once_learned_nothing_of_the_fused_path_is_left() -> None:
    modes, path, found_modes, found_path = replaced(1.0, 1.0)
    assert (found_path[..., :4] != path[..., :4]).all()
    assert (found_path[..., 4] == 0.0).all()
    assert (found_modes != modes).all()


def test_no_mode_is_more_likely_than_the_central_one() -> None:
    _, _, modes, _ = replaced(1.0, 1.0)
    assert (modes.argmax(dim=1) == 0).all()
    assert (modes[:, 1:] < modes[:, :1]).any()
    assert (modes[:, 1:] == modes[:, :1]).any()


def test_deviations_follow_horizon_and_situation_within_bounds() -> None:
    import torch

    from mm_fusion.models.heads import initial_log_sigma
    from mm_fusion.models.path import Deviations

    part = Deviations()
    slow, fast = torch.tensor([[2.0, 0, 0, 0, 0, 0]]), torch.tensor([[12.0, 0, 0, 0, 0, 0]])
    base = initial_log_sigma()[None, :, None].expand(6, 12, 2)
    with torch.no_grad():
        assert torch.allclose(part(slow)[0], base)
        part.levels[1, 2] = 0.5  # mode 1 along the path, by the speed
        part.slopes[0, 5] = 1.0  # mode 2 across it, by the horizon
        wider = part(fast)[0] - base
        assert torch.allclose(wider[1, :, 0], torch.tensor(0.1), atol=1e-3)
        assert (part(slow)[0] - base)[1, 0, 0] == pytest.approx(-0.4, abs=0.01)
        assert wider[2, 5, 1] == pytest.approx(0.0, abs=1e-6)
        assert (wider[2, :, 1].diff() > 0.0).all()
        wider[1, :, 0] = wider[2, :, 1] = 0.0
        assert wider.abs().max() < 1e-6
        part.levels.fill_(1e3)
        assert part(fast).sub(base).abs().max() <= 3.0 + 1e-5
