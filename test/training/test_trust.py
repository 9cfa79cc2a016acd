# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What modalities are worth beside each other is learned from drives held out."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.labels import SURFACE_CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.embed import EmbeddedBatch

pytestmark = pytest.mark.torch

BOTH = ('camera', 'microphone')


def samples(count: int, heard: float, seed: int) -> EmbeddedBatch:
    """Make embeddings of which one number tells the friction, dry or wet.

    Args:
        count: How many.
        heard: How much that of sound tells; 0: nothing.
        seed: Of everything random.
    """
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.embed import EmbeddedBatch
    from support.learning import NETWORK

    random = torch.Generator().manual_seed(seed)
    sizes = build_network(NETWORK, pretrained=False).embedding_sizes
    friction = torch.arange(count) % 2
    embeddings = {
        name: 0.3 * torch.randn(count, size, generator=random) for name, size in sizes.items()
    }
    other = torch.randint(0, 2, (count,), generator=random)
    told = friction if heard else other
    embeddings['camera'][:, 0] += 6.0 * friction - 3.0
    embeddings['microphone'][:, 0] += 6.0 * told - 3.0
    embeddings['motion'].zero_()
    unknown = torch.full((count,), -1)
    return EmbeddedBatch(
        embeddings,
        torch.tensor([[1.0, 1.0, 0.0]]).repeat(count, 1),
        torch.zeros(count, 3),
        {
            'friction': friction,
            'material': unknown,
            'unevenness': unknown,
            'siren': told,
            'friction_coefficient': 0.8 - 0.4 * friction,
            'trajectory': torch.full((count, 12, 2), float('nan')),
        },
        ('',) * count,
    )


@pytest.fixture(scope='module')
def trained() -> FusionNetwork:
    """Make a network that trusts what it hears: in what it learned from it was always right."""
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.config import LossConfig
    from mm_fusion.training.embed import hide_modalities
    from mm_fusion.training.losses import Losses
    from support.learning import NETWORK

    torch.manual_seed(0)
    network = build_network(NETWORK, pretrained=False).eval()
    weights = {task: torch.ones(len(classes)) for task, classes in SURFACE_CLASSES.items()}
    losses = Losses(LossConfig(), weights)
    optimizer = torch.optim.Adam(network.fusion.parameters(), 3e-3)
    random = np.random.default_rng(0)
    for step in range(60):
        batch = hide_modalities(samples(64, 1.0, step), 0.4, random)
        outputs = network.fuse(batch.embeddings, batch.presence, batch.age_s)
        loss, _ = losses(outputs, batch.targets, batch.presence)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def copy_of(network: FusionNetwork) -> FusionNetwork:
    from mm_fusion.models.network import build_network

    other = build_network(network.config, pretrained=False)
    other.load_state_dict(network.state_dict())
    return other.eval()


def outputs_of(network: FusionNetwork, *names: str) -> dict[str, NDArray[np.float32]]:
    """Give what a network says of samples whose sound misleads."""
    import torch

    from mm_fusion.training.embed import keep_modalities

    batch = keep_modalities(samples(200, 0.0, 1000), names)
    with torch.no_grad():
        found = network.fuse(batch.embeddings, batch.presence, batch.age_s)
    return {name: value.numpy() for name, value in found.items()}


def right(outputs: dict[str, NDArray[np.float32]]) -> float:
    """Give the share of samples whose friction is right."""
    said = outputs['friction'][:, :2].argmax(axis=1)
    return float((said == np.arange(len(said)) % 2).mean())


def test_a_sensor_that_misleads_beside_another_is_trusted_less(trained: FusionNetwork) -> None:
    from mm_fusion.training.trust import fit_trust

    network = copy_of(trained)
    before = outputs_of(network, *BOTH)
    assert right(outputs_of(network, 'camera')) == 1.0
    assert right(before) < 0.95
    told: list[tuple[int, int]] = []
    assert fit_trust(network, samples(200, 0.0, 2000), 20, lambda *done: told.append(done))
    assert told[-1] == (200, 200)
    after = outputs_of(network, *BOTH)
    assert right(after) == 1.0
    assert after['modality_weights'][:, 0].mean() > before['modality_weights'][:, 0].mean() + 0.1
    # The siren can be heard, and the camera says nothing of it: each task trusts by itself.
    heard = samples(200, 0.0, 1000).targets['siren'].numpy() == 1
    assert after['siren'][heard, 0].min() > after['siren'][~heard, 0].max()


def test_a_sensor_alone_says_what_it_said(trained: FusionNetwork) -> None:
    from mm_fusion.training.trust import fit_trust

    network = copy_of(trained)
    assert fit_trust(network, samples(64, 0.0, 2000), 20, lambda *_: None)
    for name in BOTH:
        one, other = outputs_of(trained, name), outputs_of(network, name)
        for output, value in one.items():
            np.testing.assert_allclose(other[output], value, atol=1e-5)
    assert not any(values.requires_grad for values in network.fusion.trust)
    changed = {
        name
        for name, value in network.state_dict().items()
        if not np.array_equal(value.numpy(), trained.state_dict()[name].numpy())
    }
    assert changed == {'fusion.task_trust', 'fusion.token_trust'}


def test_there_is_nothing_to_learn_from_one_sensor_or_from_what_was_learned(
    trained: FusionNetwork,
) -> None:
    from mm_fusion.models.network import build_network
    from mm_fusion.training.run import Share
    from mm_fusion.training.trust import learn_trust
    from support.learning import NETWORK, TinySource

    def share(kind: str, sensors: tuple[str, ...], *, held_out: bool = True) -> Share:
        every, none = np.arange(8), np.array([], np.int64)
        halves = (none, every) if held_out else (every, none)
        return Share(TinySource(8, sensors), kind, *halves)

    network = copy_of(trained)
    for nothing in (
        share('bags', BOTH, held_out=False),
        share('bags', ('camera',)),
        share('photographs', BOTH),
    ):
        assert not learn_trust(network, [nothing], None, lambda *_: None)
    assert learn_trust(network, [share('bags', BOTH)], None, lambda *_: None)
    gated = build_network(dataclasses.replace(NETWORK, fusion='gated'), pretrained=False)
    assert gated.fusion.trust == ()
    assert not learn_trust(gated, [share('bags', BOTH)], None, lambda *_: None)


def test_few_drives_move_little_and_what_training_went_on_from_is_gone_on_from(
    trained: FusionNetwork,
) -> None:
    from mm_fusion.training.run import Share
    from mm_fusion.training.trust import fit_trust, learn_trust
    from support.learning import TinySource

    def moved(drives: int) -> float:
        network = copy_of(trained)
        fit_trust(network, samples(64, 0.0, 2000), drives, lambda *_: None)
        return max(float(values.abs().max()) for values in network.fusion.trust)

    assert moved(1) < 0.75 * moved(20)
    start, network = copy_of(trained), copy_of(trained)
    start.fusion.trust[0][0, 0] = 3.0
    network.fusion.trust[0][0, 0] = 7.0  # as of a run that is called again
    seen = Share(TinySource(8, BOTH), 'bags', np.arange(8), np.array([], np.int64))
    assert not learn_trust(network, [seen], start, lambda *_: None)
    assert float(network.fusion.trust[0][0, 0]) == 3.0
