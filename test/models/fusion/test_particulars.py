# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What is particular to one strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mm_fusion.models.fusion.decision import DecisionFusion

pytestmark = pytest.mark.torch

SIZES = {'camera': 12, 'microphone': 8, 'motion': 6}


def test_a_gate_weighs_tokens_by_their_scores() -> None:
    import torch

    from mm_fusion.models.fusion.base import road_weights
    from mm_fusion.models.fusion.gated import GatedFusion
    from mm_fusion.models.heads import ROAD_TASKS, TASKS

    torch.manual_seed(0)
    fusion = GatedFusion(SIZES, 16)
    tokens, presence = torch.randn(1, 3, 16), torch.tensor([[1.0, 0.0, 1.0]])
    fused, shares = fusion.trunk(tokens * presence[..., None], presence)
    assert shares[0, 0].tolist() == pytest.approx([0.5, 0.0, 0.5])
    assert torch.allclose(fused['siren'], (tokens[:, 0] + tokens[:, 2]) / 2)

    torch.nn.init.normal_(fusion.scores.weight)
    fused, shares = fusion.trunk(tokens * presence[..., None], presence)
    scores = fusion.scores(torch.nn.functional.layer_norm(tokens[0, [0, 2]], (16,)))
    alpha = torch.softmax(scores, dim=0)
    for index, task in enumerate(TASKS):
        expected = alpha[0, index] * tokens[0, 0] + alpha[1, index] * tokens[0, 2]
        assert torch.allclose(fused[task][0], expected, atol=1e-5), task
    road = [TASKS.index(task) for task in ROAD_TASKS]
    expected_weight = alpha[0, road].mean().item()
    weights = road_weights(shares)
    assert weights[0].tolist() == pytest.approx([expected_weight, 0.0, 1 - expected_weight])


def test_concatenation_shares_the_weight_evenly() -> None:
    import torch

    from mm_fusion.models.fusion.concat import ConcatFusion

    fusion = ConcatFusion(SIZES, 16)
    presence = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    shares = fusion.trunk(torch.zeros(2, 3, 16), presence)[1]
    assert shares[:, 0].tolist() == [[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]
    assert torch.equal(shares, shares[:, :1].expand(-1, 6, -1))


def test_concatenation_tells_absence_from_zeros() -> None:
    import torch

    from mm_fusion.models.fusion.concat import ConcatFusion

    torch.manual_seed(0)
    fusion = ConcatFusion(SIZES, 16)
    fused = fusion.trunk(torch.zeros(2, 3, 16), torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0]]))[
        0
    ]
    assert not torch.allclose(fused['siren'][0], fused['siren'][1], atol=1e-3)


def test_structure_sends_messages_of_the_edges_type() -> None:
    import torch

    from mm_fusion.models.fusion.structure import StructureFusion

    torch.manual_seed(0)
    fusion = StructureFusion(SIZES, 16)
    torch.nn.init.zeros_(fusion.scores.weight)
    with torch.no_grad():
        fusion.scores.bias.zero_()
        edge = fusion.edges[0, 1].clone()
        fusion.edges.zero_()
        tokens, presence = torch.randn(1, 3, 16), torch.ones(1, 3)
        silent = fusion.trunk(tokens, presence)[0]['siren']
        norm = torch.nn.functional.layer_norm
        assert torch.allclose(silent, norm(tokens, (16,)).mean(dim=1), atol=1e-5)
        fusion.edges[0, 1] = edge
        heard = fusion.trunk(tokens, presence)[0]['siren']
        # Only the microphone hears, in each of two rounds, the mean of three, two of them silent.
        message = torch.nn.functional.gelu(norm(tokens[:, 0], (16,)) @ edge / 3)
        states = tokens.clone()
        states[:, 1] += 2 * message
        assert torch.allclose(heard, norm(states, (16,)).mean(dim=1), atol=1e-5)


def no_votes() -> dict[str, Tensor]:
    import torch

    from mm_fusion.models.heads import TASK_SIZES

    return {task: torch.zeros(1, 3, size) for task, size in TASK_SIZES.items()}


def test_votes_count_by_the_share_of_their_modality() -> None:
    import torch

    from mm_fusion.models.fusion.gated import GatedFusion

    torch.manual_seed(0)
    fusion = GatedFusion(SIZES, 16)
    tokens, presence = torch.zeros(1, 3, 16), torch.tensor([[1.0, 0.0, 1.0]])
    votes = no_votes()
    votes['siren'][0, :, 0] = torch.tensor([2.0, 50.0, 4.0])  # the microphone is not there
    with torch.no_grad():
        silent = fusion.fuse_tokens(tokens, presence, no_votes())
        heard = fusion.fuse_tokens(tokens, presence, votes)
    assert heard['siren'].item() - silent['siren'].item() == pytest.approx(0.5 * 2.0 + 0.5 * 4.0)
    assert torch.equal(heard['friction'], silent['friction'])


def test_decisions_multiply_with_the_votes() -> None:
    import torch

    fusion = decision()
    votes = no_votes()
    votes['friction'][0, 2, 3] = 1.5
    tokens, presence = torch.zeros(1, 3, 16), torch.tensor([[1.0, 1.0, 1.0]])
    with torch.no_grad():
        fusion.log_temperature.fill_(-0.5)
        silent = fusion.fuse_tokens(tokens, presence, no_votes())['friction'][0]
        heard = fusion.fuse_tokens(tokens, presence, votes)['friction'][0]
    expected = torch.tensor([0.0, 0.0, 0.0, 1.5, 0.0, 0.0]) * torch.exp(torch.tensor(0.5))
    assert torch.allclose(heard - silent, expected, atol=1e-5)


def decision() -> DecisionFusion:
    import torch

    from mm_fusion.models.fusion.decision import DecisionFusion

    torch.manual_seed(0)
    fusion = DecisionFusion(SIZES, 16)
    for parameter in fusion.heads.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return fusion


def decide(
    fusion: DecisionFusion, present: list[float]
) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
    """Give the joint outputs, and those of each modality's own heads."""
    import torch

    from mm_fusion.models.heads import TASKS

    torch.manual_seed(2)
    tokens, presence = torch.randn(1, 3, 16), torch.tensor([present])
    silent = {task: vote[:, 0] for task, vote in no_votes().items()}
    with torch.no_grad():
        own = [
            head(dict.fromkeys(TASKS, tokens[:, index]), silent)
            for index, head in enumerate(fusion.heads.values())
        ]
        return fusion.fuse_tokens(tokens * presence[..., None], presence, no_votes()), own


def covariance(gaussian: NDArray[np.float64]) -> NDArray[np.float64]:
    sx, sy = np.exp(gaussian[2:4])
    return np.array([[sx * sx, gaussian[4] * sx * sy], [gaussian[4] * sx * sy, sy * sy]])


def test_one_modality_alone_decides_by_its_own_head() -> None:
    import torch

    joint, own = decide(decision(), [0.0, 1.0, 0.0])
    for task in ('friction', 'material', 'unevenness', 'siren', 'modes'):
        assert torch.equal(joint[task], own[1][task]), task


def test_posteriors_multiply_and_a_temperature_weakens_one() -> None:
    import torch

    from mm_fusion.models.heads import TASKS

    fusion = decision()
    joint, own = decide(fusion, [1.0, 0.0, 1.0])
    product = torch.softmax(own[0]['friction'], 1) * torch.softmax(own[2]['friction'], 1)
    found = torch.softmax(joint['friction'], 1)
    assert torch.allclose(found, product / product.sum(), atol=1e-6)
    assert joint['modality_weights'][0].tolist() == pytest.approx([0.5, 0.0, 0.5])
    with torch.no_grad():
        fusion.log_temperature[2, TASKS.index('friction')] = float(np.log(4.0))
    weakened, _ = decide(fusion, [1.0, 0.0, 1.0])
    assert torch.allclose(weakened['friction'], own[0]['friction'] + own[2]['friction'] / 4)
    assert torch.equal(weakened['material'], joint['material'])
    # A mean over four tasks: 4 to 1 in one of them, 1 to 1 in the others.
    assert float(weakened['modality_weights'][0, 0]) == pytest.approx((0.8 + 3 * 0.5) / 4)


def test_paths_fuse_as_gaussians_do() -> None:
    from mm_fusion.models.heads import initial_log_sigma

    joint, own = decide(decision(), [1.0, 1.0, 1.0])
    votes = [vote['trajectory'][0].double().numpy() for vote in own]
    prior = np.exp(2 * (initial_log_sigma().double().numpy() + 3.0))
    for mode, step in ((0, 0), (3, 5), (5, 11)):
        gaussians = [vote[mode, step] for vote in votes]
        precisions = [np.linalg.inv(covariance(gaussian)) for gaussian in gaussians]
        fused = np.linalg.inv(sum(precisions) + np.eye(2) / prior[step])
        pairs = zip(precisions, gaussians, strict=True)
        mean = fused @ sum(precision @ gaussian[:2] for precision, gaussian in pairs)
        found = joint['trajectory'][0, mode, step].double().numpy()
        assert found[:2] == pytest.approx(mean, rel=1e-4, abs=1e-5)
        assert covariance(found) == pytest.approx(fused, rel=1e-4)


def test_friction_coefficients_fuse_as_gaussians_do() -> None:
    joint, own = decide(decision(), [1.0, 0.0, 1.0])
    votes = [own[index]['friction_coefficient'][0].numpy() for index in (0, 2)]
    precisions = [1.0, *(np.exp(-2 * log_std) for _, log_std in votes)]
    mean = np.average([0.6, *(value for value, _ in votes)], weights=precisions)
    found = joint['friction_coefficient'][0].tolist()
    assert found == pytest.approx([mean, -0.5 * np.log(sum(precisions))], rel=1e-5)


def test_no_modality_at_all_says_as_little_as_can_be() -> None:
    import torch

    from mm_fusion.models.heads import initial_log_sigma

    joint, _ = decide(decision(), [0.0, 0.0, 0.0])
    assert joint['friction_coefficient'][0].tolist() == pytest.approx([0.6, 0.0])
    path = joint['trajectory'][0]
    assert not path[..., [0, 1, 4]].any()
    expected = (initial_log_sigma() + 3.0)[None, :, None].expand(6, 12, 2)
    assert torch.allclose(path[..., 2:4], expected, atol=1e-5)
