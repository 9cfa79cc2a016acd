# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Each loss against a second way to compute it, and what it ignores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mm_fusion.errors import DatasetError
from mm_fusion.labels import SURFACE_CLASSES, UNLABELLED

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.training.losses import Losses

pytestmark = pytest.mark.torch
SIZES = {task: len(classes) for task, classes in SURFACE_CLASSES.items()}


def make(**changes: Any) -> Losses:
    import torch

    from mm_fusion.training.config import LossConfig
    from mm_fusion.training.losses import Losses

    weights = {task: torch.ones(size) for task, size in SIZES.items()}
    return Losses(LossConfig(**changes), weights)


def outputs(batch: int = 2) -> dict[str, Tensor]:
    import torch

    torch.manual_seed(0)
    trajectory = torch.randn(batch, 6, 12, 5)
    trajectory[..., 4] = torch.tanh(trajectory[..., 4]) * 0.9
    return {
        **{task: torch.randn(batch, size) for task, size in SIZES.items()},
        'siren': torch.randn(batch, 1),
        'friction_coefficient': torch.randn(batch, 2),
        'modes': torch.randn(batch, 6),
        'trajectory': trajectory,
        'modality_weights': torch.softmax(torch.randn(batch, 3), dim=1),
    }


def no_targets(batch: int = 2) -> dict[str, Tensor]:
    import torch

    return {
        **{task: torch.full((batch,), UNLABELLED) for task in (*SIZES, 'siren')},
        'friction_coefficient': torch.full((batch,), torch.nan),
        'trajectory': torch.full((batch, 12, 2), torch.nan),
    }


def test_a_sample_contributes_only_what_it_has_labels_for() -> None:
    import torch

    found = {name: value.requires_grad_() for name, value in outputs().items()}
    targets = no_targets()
    targets['friction'] = torch.tensor([UNLABELLED, 3])
    total, terms = make(regularisation=0.0)(found, targets, torch.ones(2, 3))
    assert set(terms) == {'friction', 'regularisation'}
    total.backward()
    gradient = found['friction'].grad
    assert gradient is not None
    assert gradient[0].abs().sum() == 0
    assert gradient[1].abs().sum() > 0
    assert found['siren'].grad is None


def test_a_batch_without_labels_costs_nothing_and_has_a_gradient() -> None:
    import torch

    found = {name: value.requires_grad_() for name, value in outputs().items()}
    total, _ = make(regularisation=0.0)(found, no_targets(), torch.ones(2, 3))
    total.backward()
    assert float(total.detach()) == 0.0


def test_the_likelihood_of_a_path_is_that_of_a_bivariate_gaussian() -> None:
    import torch
    from torch.distributions import MultivariateNormal

    from mm_fusion.training.losses import path_divergence

    form = torch.tensor([0.3, -0.2, math.log(2.0), math.log(0.5), 0.6])
    errors = torch.tensor([0.7, -1.1])
    across = 0.6 * 2.0 * 0.5
    covariance = torch.tensor([[4.0, across], [across, 0.25]])
    expected = -MultivariateNormal(torch.zeros(2), covariance).log_prob(  # type: ignore[no-untyped-call]
        errors
    )
    assert float(path_divergence(errors, form)) == pytest.approx(float(expected), rel=1e-5)


def test_the_nearest_mode_and_mode_0_learn() -> None:
    import torch

    from mm_fusion.training.losses import trajectory_terms

    trajectory = torch.zeros(1, 6, 12, 5)
    trajectory[0, :, :, 1] = torch.arange(6.0)[:, None]
    trajectory.requires_grad_()
    logits = torch.zeros(1, 6, requires_grad=True)
    truth = torch.zeros(1, 12, 2)
    truth[..., 1] = 2.2
    truth[0, 8:] = torch.nan
    terms = trajectory_terms(logits, trajectory, truth)
    assert float(terms['winner'].detach()) == pytest.approx(0.2, rel=1e-3)
    assert float(terms['central_mode'].detach()) == pytest.approx(2.2, rel=1e-3)
    expected = 0.5 * 0.2**2 + math.log(2 * math.pi)
    assert float(terms['trajectory'].detach()) == pytest.approx(expected, rel=1e-5)
    central = 0.5 * 2.2**2 + math.log(2 * math.pi)
    assert float(terms['central_likelihood'].detach()) == pytest.approx(central, rel=1e-5)
    (terms['trajectory'] + terms['central_mode'] + terms['modes']).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad[0].argsort().tolist()[:3] == [2, 3, 1]  # the nearer, the likelier
    assert trajectory.grad is not None
    moved = trajectory.grad[0, :, :, 1].sum(dim=1)
    assert moved.tolist() == pytest.approx([-1.0, 0.0, -0.2, 0.0, 0.0, 0.0], rel=1e-3)
    assert trajectory.grad[0, :, 8:].abs().sum() == 0


def test_the_sound_stage_learns_less_of_the_road() -> None:
    import torch

    targets = no_targets()
    targets['friction'] = torch.tensor([1, 3])
    targets['siren'] = torch.tensor([1, 0])
    losses = make(friction=2.0, siren=0.7)
    joint, terms = losses(outputs(), targets, torch.ones(2, 3))
    sound, _ = losses.of_sound()(outputs(), targets, torch.ones(2, 3))
    less = 0.8 * 2.0 * terms['friction']
    assert float((joint - sound).detach()) == pytest.approx(float(less.detach()), rel=1e-5)


def test_the_stages_of_the_path_learn_by_shares_of_their_own() -> None:
    import torch

    targets = no_targets()
    targets['trajectory'] = torch.full((2, 12, 2), 3.0)
    losses = make(path=0.5, trajectory=0.7, winner=2.0, central_mode=1.5, modes=0.3)
    joint, terms = losses(outputs(), targets, torch.ones(2, 3))
    rest = 0.5 * (0.7 * terms['trajectory'] + 2.0 * terms['winner'] + 0.3 * terms['modes'])
    first, _ = losses.of_central_mode()(outputs(), targets, torch.ones(2, 3))
    assert float((joint - first).detach()) == pytest.approx(float(rest.detach()), rel=1e-5)
    last, _ = losses.of_all_modes()(outputs(), targets, torch.ones(2, 3))
    more = 0.5 * 0.7 * terms['central_likelihood']
    assert float((last - joint).detach()) == pytest.approx(float(more.detach()), rel=1e-5)


def test_a_sample_far_off_does_not_rule_the_likelihood() -> None:
    import torch

    from mm_fusion.training.losses import trajectory_terms

    trajectory = torch.zeros(1, 6, 12, 5, requires_grad=True)
    terms = trajectory_terms(torch.zeros(1, 6), trajectory, torch.full((1, 12, 2), 50.0))
    assert float(terms['trajectory'].detach()) == 20.0
    terms['winner'].backward()  # type: ignore[no-untyped-call]
    assert trajectory.grad is not None
    assert trajectory.grad.abs().sum() > 0


def test_rare_classes_weigh_more_up_to_a_limit() -> None:
    from mm_fusion.training.losses import class_weights

    weights = class_weights(np.array([100, 50, 1, 0]), 1.0, 20.0).numpy()
    assert weights[1] / weights[0] == pytest.approx(2.0)
    assert weights[2] / weights[0] == pytest.approx(20.0)
    assert (weights[:3] * [100, 50, 1]).sum() / 151 == pytest.approx(1.0)
    assert weights[3] == 1.0
    assert class_weights(np.zeros(3, np.int64), 1.0, 20.0).tolist() == [1, 1, 1]


def test_even_weights_cost_nothing_and_one_alone_has_no_choice() -> None:
    import torch

    from mm_fusion.training.losses import weight_divergence

    present = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    even = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert float(weight_divergence(even, present)) == pytest.approx(0.0, abs=1e-6)
    leaning = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    leaning.requires_grad_()
    found = weight_divergence(leaning, present)
    assert float(found.detach()) == pytest.approx(math.log(2) / 3)
    found.backward()  # type: ignore[no-untyped-call]
    assert leaning.grad is not None
    assert torch.isfinite(leaning.grad).all()


def test_learned_shares_settle_where_a_term_is_as_large_as_its_variance() -> None:
    import torch

    losses = make(uncertainty=True, regularisation=0.0, smoothing=0.0)
    targets = no_targets()
    targets['friction'] = torch.tensor([1, 2])
    found = outputs()
    total, terms = losses(found, targets, torch.ones(2, 3))
    assert float(total.detach()) == pytest.approx(float(terms['friction']))
    optimizer = torch.optim.Adam(losses.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        losses(found, targets, torch.ones(2, 3))[0].backward()
        optimizer.step()
    learned = float(losses.log_variances['friction'].detach())
    assert math.exp(learned) == pytest.approx(float(terms['friction']), rel=1e-2)


def test_a_loss_that_is_no_number_names_terms_and_batch() -> None:
    import torch

    from mm_fusion.training.losses import check_finite

    terms = {'friction': torch.tensor(1.5), 'siren': torch.tensor(torch.inf)}
    with pytest.raises(DatasetError, match=r'friction 1\.5, siren inf; step 3, batch of a: b'):
        check_finite(torch.tensor(torch.nan), terms, 'step 3, batch of a: b')
    check_finite(torch.tensor(2.0), terms, '')
