# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The friction coefficient is read anew from drives held out: the classes tell most of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from mm_fusion.labels import SURFACE_CLASSES

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.models.heads import FrictionCoefficientHead
    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.embed import EmbeddedBatch

pytestmark = pytest.mark.torch

COEFFICIENTS = (0.9, 0.6, 0.3, 0.35, 0.2, 0.1)


def samples(count: int, seed: int) -> EmbeddedBatch:
    """Make embeddings of which six numbers of the camera tell the class, and nothing more."""
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.embed import EmbeddedBatch
    from support.learning import NETWORK

    random = torch.Generator().manual_seed(seed)
    sizes = build_network(NETWORK, pretrained=False).embedding_sizes
    embeddings = {name: torch.randn(count, size, generator=random) for name, size in sizes.items()}
    friction = torch.randint(0, 6, (count,), generator=random)
    embeddings['camera'][torch.arange(count), friction] = 8.0
    noise = 0.02 * torch.randn(count, generator=random)
    unknown = torch.full((count,), -1)
    return EmbeddedBatch(
        embeddings,
        torch.ones(count, 3),
        torch.zeros(count, 3),
        {
            **dict.fromkeys((*SURFACE_CLASSES, 'siren'), unknown),
            'friction': friction,
            'friction_coefficient': torch.tensor(COEFFICIENTS)[friction] + noise,
        },
        ('',) * count,
    )


@pytest.fixture
def network() -> FusionNetwork:
    """Make a network whose camera votes for the right class; it knows no coefficient."""
    import torch

    from mm_fusion.models.network import build_network
    from support.learning import NETWORK

    torch.manual_seed(0)
    found = build_network(NETWORK, pretrained=False).eval()
    with torch.no_grad():
        votes = found.get_parameter('fusion.linear.camera.tasks.friction.weight')
        votes[:, :6] = 2.0 * torch.eye(6)
    return found


def head_of(network: FusionNetwork) -> FrictionCoefficientHead:
    from mm_fusion.models.fusion.base import FeatureFusion

    assert isinstance(network.fusion, FeatureFusion)
    return network.fusion.heads.friction_coefficient


def fit(network: FusionNetwork, batch: EmbeddedBatch, drives: int = 100) -> bool:
    from mm_fusion.training.coefficient import fit_coefficient
    from mm_fusion.training.trust import Evidence

    return fit_coefficient(network, Evidence.of(network, batch), drives)


def predicted(network: FusionNetwork, batch: EmbeddedBatch, *names: str) -> Tensor:
    import torch

    from mm_fusion.training.embed import keep_modalities

    kept = keep_modalities(batch, names)
    with torch.no_grad():
        outputs = network.fuse(kept.embeddings, kept.presence, kept.age_s)
    return outputs['friction_coefficient']


def test_the_classes_tell_the_coefficient_of_other_drives(network: FusionNetwork) -> None:
    others = samples(300, 1)
    truth = others.targets['friction_coefficient']
    before = predicted(network, others, 'camera')[:, 0]
    assert (before - truth).abs().mean() > 0.2
    assert fit(network, samples(600, 0))
    for names in (('camera',), ('camera', 'microphone', 'motion')):
        mean, log_std = predicted(network, others, *names).unbind(dim=1)
        assert (mean - truth).abs().mean() < 0.05, names
        inside = ((mean - truth).abs() < 1.645 * log_std.exp()).float().mean()
        assert 0.8 < inside < 0.99, names


def test_who_cannot_see_the_class_knows_how_little_that_is(network: FusionNetwork) -> None:
    others = samples(300, 1)
    assert fit(network, samples(600, 0))
    mean, log_std = predicted(network, others, 'motion').unbind(dim=1)
    truth = others.targets['friction_coefficient']
    assert 0.2 < log_std.exp().mean() < 0.35
    assert 0.8 < ((mean - truth).abs() < 1.645 * log_std.exp()).float().mean() <= 1.0


def test_only_how_it_is_read_changes(network: FusionNetwork) -> None:
    import torch

    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert fit(network, samples(100, 0))
    after = network.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    read = ('layers.3.weight', 'layers.3.bias', 'by_class')
    assert changed == {f'fusion.heads.friction_coefficient.{name}' for name in read}
    assert not any(value.requires_grad for value in head_of(network).buffers())


def test_few_drives_move_little(network: FusionNetwork) -> None:
    from mm_fusion.models.network import build_network

    def moved(drives: int) -> float:
        other = build_network(network.config, pretrained=False).eval()
        other.load_state_dict(network.state_dict())
        fit(other, samples(100, 0), drives)
        return float(head_of(other).by_class.norm())

    one, some, many = (moved(drives) for drives in (1, 10, 1000))
    assert one < 0.5 * some < 0.5 * many


def test_without_a_known_coefficient_nothing_changes(network: FusionNetwork) -> None:
    import torch

    batch = samples(20, 0)
    batch.targets['friction_coefficient'].fill_(float('nan'))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert not fit(network, batch)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_unknown_ones_do_not_count(network: FusionNetwork) -> None:
    import torch

    batch, some = samples(40, 0), samples(40, 0)
    some.targets['friction_coefficient'][20:] = float('nan')
    first = batch.rows(torch.arange(20).numpy())
    found = []
    for part in (first, some):
        assert fit(network, part)
        found.append(head_of(network).by_class.clone())
        for values in head_of(network).read:
            values.data.zero_()
    assert torch.equal(*found)


def test_decisions_keep_what_each_learned() -> None:
    from mm_fusion.models.network import build_network
    from support.learning import NETWORK

    config = dataclasses.replace(NETWORK, fusion='decision')
    assert not fit(build_network(config, pretrained=False).eval(), samples(20, 0))
