# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What every fusion strategy promises, whichever it is."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.models.fusion.base import Fusion

pytestmark = pytest.mark.torch

SIZES = {'camera': 12, 'microphone': 8, 'motion': 6}
SUBSETS = list(itertools.product((0, 1), repeat=3))
STRATEGY_NAMES = ['attention', 'gated', 'concat', 'decision', 'structure']

every_strategy = pytest.mark.parametrize('name', STRATEGY_NAMES)


def build(name: str) -> Fusion:
    """Build a strategy whose every parameter matters: none is at its neutral start."""
    import torch

    from mm_fusion.models.fusion import STRATEGIES

    torch.manual_seed(0)
    fusion = STRATEGIES[name](SIZES, 16)
    for parameter in fusion.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return fusion.eval()


def embeddings(batch: int = 1) -> dict[str, Tensor]:
    import torch

    torch.manual_seed(1)
    return {name: torch.randn(batch, size) for name, size in SIZES.items()}


def fuse(
    fusion: Fusion, held: dict[str, Tensor], present: tuple[int, ...], age_s: float = 0.1
) -> dict[str, Tensor]:
    import torch

    presence = torch.tensor([present]).float()
    with torch.no_grad():
        outputs: dict[str, Tensor] = fusion(held, presence, presence * age_s)
    return outputs


def test_the_tests_know_every_strategy() -> None:
    from mm_fusion.models.fusion import STRATEGIES

    assert set(STRATEGIES) == set(STRATEGY_NAMES)


@every_strategy
@pytest.mark.parametrize('present', SUBSETS)
@pytest.mark.parametrize('garbage', [1e3, float('nan')])
def test_what_an_absent_modality_holds_changes_nothing(
    name: str, present: tuple[int, ...], garbage: float
) -> None:
    import torch

    fusion, held = build(name), embeddings()
    absent = [m for m, there in zip(SIZES, present, strict=True) if not there]
    expected = fuse(fusion, {**held, **{m: torch.zeros_like(held[m]) for m in absent}}, present)
    polluted = {**held, **{m: torch.full_like(held[m], garbage) for m in absent}}
    ages = torch.where(torch.tensor([present]) > 0, 0.1, 9.0)
    with torch.no_grad():
        found = fusion(polluted, torch.tensor([present]).float(), ages)
    for key, value in expected.items():
        assert torch.isfinite(value).all(), key
        assert torch.equal(found[key], value), key


@every_strategy
@pytest.mark.parametrize('present', SUBSETS)
def test_weights_are_shares_of_those_present(name: str, present: tuple[int, ...]) -> None:
    weights = fuse(build(name), embeddings(), present)['modality_weights'][0].tolist()
    assert sum(weights) == pytest.approx(1.0 if any(present) else 0.0, abs=1e-6)
    for weight, there in zip(weights, present, strict=True):
        assert weight > 0.0 if there else weight == 0.0


@every_strategy
@pytest.mark.parametrize('modality', list(SIZES))
@pytest.mark.parametrize('with_others', [True, False])
def test_what_a_present_modality_holds_changes_every_task(
    name: str, modality: str, with_others: bool
) -> None:
    fusion, held = build(name), embeddings()
    present = tuple(int(with_others or m == modality) for m in SIZES)
    expected = fuse(fusion, held, present)
    found = fuse(fusion, {**held, modality: held[modality].flip(1)}, present)
    for key in expected.keys() - {'modality_weights'}:
        assert (found[key] - expected[key]).abs().max() > 1e-4, key


@every_strategy
def test_age_changes_every_task(name: str) -> None:
    fusion, held = build(name), embeddings()
    fresh, stale = (fuse(fusion, held, (1, 1, 1), age_s) for age_s in (0.0, 1.0))
    for key in fresh.keys() - {'modality_weights'}:
        assert (fresh[key] - stale[key]).abs().max() > 1e-4, key


@every_strategy
def test_age_is_nothing_before_it_is_learned(name: str) -> None:
    import torch

    from mm_fusion.models.fusion import STRATEGIES

    fusion = STRATEGIES[name](SIZES, 16)
    presence = torch.ones(1, 3)
    fresh, stale = (fusion.tokens(embeddings(), presence, presence * age) for age in (0.0, 3.0))
    assert torch.equal(fresh, stale)


@every_strategy
def test_each_sample_of_a_batch_is_fused_by_itself(name: str) -> None:
    import torch

    fusion, held = build(name), embeddings(len(SUBSETS))
    presence = torch.tensor(SUBSETS).float()
    with torch.no_grad():
        together = fusion(held, presence, presence * 0.1)
    for index, present in enumerate(SUBSETS):
        alone = fuse(fusion, {m: held[m][index : index + 1] for m in SIZES}, present)
        for key, value in alone.items():
            assert torch.allclose(together[key][index], value[0], rtol=1e-4, atol=1e-5), key


@every_strategy
def test_fusing_the_tokens_is_fusing_the_embeddings(name: str) -> None:
    import torch

    fusion, held = build(name), embeddings()
    presence, age_s = torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([[0.1, 0.0, 0.0]])
    tokens = fusion.tokens(held, presence, age_s)
    assert tokens.shape == (1, 3, 16)
    assert not tokens[0, 1].any()
    votes = fusion.votes(held, presence)
    assert votes['friction'].shape == (1, 3, 6)
    found, expected = fusion.fuse_tokens(tokens, presence, votes), fusion(held, presence, age_s)
    for key, value in expected.items():
        assert torch.equal(found[key], value), key


@pytest.mark.parametrize('name', ['attention', 'gated', 'decision', 'structure'])
def test_a_token_whose_presence_is_denied_is_not_read(name: str) -> None:
    import torch

    fusion = build(name)
    presence = torch.tensor([[1.0, 0.0, 1.0]])
    tokens = torch.randn(1, 3, 16)
    changed = tokens.clone()
    changed[0, 1] = torch.randn(16)
    votes = fusion.votes(embeddings(), presence)
    expected = fusion.fuse_tokens(tokens, presence, votes)
    found = fusion.fuse_tokens(changed, presence, votes)
    for key, value in expected.items():
        assert torch.equal(found[key], value), key


@every_strategy
def test_every_parameter_learns_although_modalities_are_missing(name: str) -> None:
    import torch

    fusion, held = build(name), embeddings(len(SUBSETS))
    presence = torch.tensor(SUBSETS).float()
    outputs = fusion(held, presence, presence * 0.1)
    sum((value * torch.randn_like(value)).sum() for value in outputs.values()).backward()
    for key, parameter in fusion.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().max() > 0.0, key


@every_strategy
def test_an_untrained_network_predicts_the_roll_out(name: str) -> None:
    import torch

    from mm_fusion.models.fusion import STRATEGIES

    torch.manual_seed(0)
    fusion = STRATEGIES[name](SIZES, 16)
    for present in SUBSETS:
        outputs = fuse(fusion, embeddings(), present)
        assert not outputs['friction'].any()
        assert outputs['modes'].argmax() == 0
        assert not outputs['trajectory'][0, 0, :, :2].any()
