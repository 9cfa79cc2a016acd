# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What sound says of the road is read anew from drives held out, and nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.labels import SURFACE_CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.embed import EmbeddedBatch

pytestmark = pytest.mark.torch


@pytest.fixture
def network() -> FusionNetwork:
    import torch

    from mm_fusion.models.network import build_network
    from support.learning import NETWORK

    torch.manual_seed(0)
    return build_network(NETWORK, pretrained=False).eval()


def heard(network: FusionNetwork, count: int, seed: int) -> EmbeddedBatch:
    """Make sounds of which one number tells the friction, dry or wet; every third has no label."""
    import torch

    from mm_fusion.training.embed import EmbeddedBatch

    random = torch.Generator().manual_seed(seed)
    embeddings = {
        name: 0.3 * torch.randn(count, size, generator=random)
        for name, size in network.embedding_sizes.items()
    }
    friction = torch.arange(count) % 2
    embeddings['microphone'][:, 3] = 5.0 + 0.02 * friction + 0.002 * embeddings['motion'][:, 0]
    unknown = torch.full((count,), -1)
    return EmbeddedBatch(
        embeddings,
        torch.tensor([[1.0, 1.0, 0.0]]).repeat(count, 1),
        torch.zeros(count, 3),
        {
            **dict.fromkeys(SURFACE_CLASSES, unknown),
            'friction': torch.where(torch.arange(count) % 3 == 2, unknown, friction),
            'siren': friction,
        },
        ('',) * count,
    )


def said(
    network: FusionNetwork, batch: EmbeddedBatch, *names: str
) -> dict[str, NDArray[np.float32]]:
    import torch

    from mm_fusion.training.embed import keep_modalities

    kept = keep_modalities(batch, names)
    with torch.no_grad():
        outputs = network.fuse(kept.embeddings, kept.presence, kept.age_s)
    return {name: value.numpy() for name, value in outputs.items()}


def test_sound_tells_what_can_be_heard_on_other_drives_and_all_else_stays(
    network: FusionNetwork,
) -> None:
    from mm_fusion.training.readout import fit_readout

    test = heard(network, 200, 1)
    before = said(network, test, 'microphone')
    camera = said(network, test, 'camera')
    readout = fit_readout(network, heard(network, 300, 0), 40)
    assert said(network, test, 'microphone')['friction'] == pytest.approx(before['friction'])
    assert set(readout.weights) == {'friction'}
    readout.add_to(network)
    after = said(network, test, 'microphone')
    truth = np.arange(200) % 2
    assert (before['friction'].argmax(axis=1) == truth).mean() < 0.7
    assert (after['friction'].argmax(axis=1) == truth).mean() > 0.9
    added = readout.votes(test)['friction'].numpy()
    assert after['friction'] == pytest.approx(before['friction'] + added, abs=1e-4)
    for name, value in before.items():
        if name != 'friction':
            assert after[name] == pytest.approx(value), name
    for name, value in camera.items():
        assert said(network, test, 'camera')[name] == pytest.approx(value), name


def test_few_drives_move_little_and_silence_moves_nothing(network: FusionNetwork) -> None:
    from mm_fusion.training.embed import keep_modalities
    from mm_fusion.training.readout import fit_readout

    batch = heard(network, 300, 0)

    def reach(drives: int) -> float:
        return float(fit_readout(network, batch, drives).votes(batch)['friction'].abs().max())

    assert reach(1) < 0.5
    assert reach(40) > 4 * reach(1)
    assert not fit_readout(network, keep_modalities(batch, ['camera']), 40).weights
