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


def fit(network: FusionNetwork, found: EmbeddedBatch, drives: int = 20) -> bool:
    from mm_fusion.training.trust import Evidence, fit_trust

    return fit_trust(network, Evidence.of(network, found), drives, lambda *_: None)


def test_a_sensor_that_misleads_beside_another_is_trusted_less(trained: FusionNetwork) -> None:
    from mm_fusion.training.trust import Evidence, fit_trust

    network = copy_of(trained)
    before = outputs_of(network, *BOTH)
    assert right(outputs_of(network, 'camera')) == 1.0
    assert right(before) < 0.95
    told: list[tuple[int, int]] = []
    evidence = Evidence.of(network, samples(200, 0.0, 2000))
    assert fit_trust(network, evidence, 20, lambda *done: told.append(done))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (400, 400)
    after = outputs_of(network, *BOTH)
    assert right(after) == 1.0
    assert after['modality_weights'][:, 0].mean() > before['modality_weights'][:, 0].mean() + 0.1
    # The siren can be heard, and the camera says nothing of it: each task trusts by itself.
    heard = samples(200, 0.0, 1000).targets['siren'].numpy() == 1
    assert after['siren'][heard, 0].min() > after['siren'][~heard, 0].max()


def test_a_sensor_alone_says_what_it_said(trained: FusionNetwork) -> None:
    network = copy_of(trained)
    assert fit(network, samples(64, 0.0, 2000))
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
    assert changed == {f'fusion.{kind}' for kind in ('task_trust', 'token_trust', 'doubt')}


def troubled(count: int, seed: int) -> tuple[EmbeddedBatch, NDArray[np.bool_]]:
    """Make samples whose camera is blinded now and then, and shows that it is.

    Sound tells the friction where it is, and the camera where it is not; else each says anything.
    """
    import torch

    found, blind = samples(count, 0.0, seed), np.random.default_rng(seed).random(count) < 0.5
    there, truth = torch.from_numpy(blind), 6.0 * found.targets['friction'] - 3.0
    seen, heard = found.embeddings['camera'], found.embeddings['microphone']
    anything = heard[:, 0].clone()
    seen[:, 0] = torch.where(there, anything, seen[:, 0])
    heard[:, 0] = torch.where(there, truth, anything)
    seen[:, 1] = torch.where(there, 4.0, -4.0)
    return found, blind


def test_a_camera_is_trusted_by_what_it_gives(trained: FusionNetwork) -> None:
    import torch

    network = copy_of(trained)
    assert fit(network, troubled(400, 2000)[0], 200)
    batch, blind = troubled(400, 1000)
    with torch.no_grad():
        before, after = (
            which.fuse(batch.embeddings, batch.presence, batch.age_s)
            for which in (trained, network)
        )
    truth = batch.targets['friction']
    wrong = [(said['friction'].argmax(dim=1) != truth).numpy() for said in (before, after)]
    assert wrong[0].mean() > 0.1
    assert wrong[1].mean() < 0.02
    weight = after['modality_weights'][:, 0].numpy()
    assert weight[~blind].mean() > weight[blind].mean() + 0.3


def test_gated_fusion_has_no_such_numbers() -> None:
    from mm_fusion.models.network import build_network
    from mm_fusion.training.trust import Evidence, fit_trust
    from support.learning import NETWORK

    gated = build_network(dataclasses.replace(NETWORK, fusion='gated'), pretrained=False).eval()
    assert gated.fusion.trust == ()
    assert not fit_trust(gated, Evidence.of(gated, samples(8, 1.0, 0)), 20, lambda *_: None)


def test_few_drives_move_little(trained: FusionNetwork) -> None:
    def moved(drives: int) -> float:
        network = copy_of(trained)
        fit(network, samples(64, 0.0, 2000), drives)
        return max(float(values.abs().max()) for values in network.fusion.trust)

    assert moved(1) < 0.75 * moved(20)


def test_a_choice_of_many_samples_is_thinned_evenly(trained: FusionNetwork) -> None:
    from mm_fusion.training.embed import keep_modalities
    from mm_fusion.training.trust import Evidence, choices

    batch = samples(5000, 0.0, 1)
    (choice,) = choices(Evidence.of(trained, batch), fewest=2)
    assert len(choice.presence) == 2000
    there = {tuple(row) for row in choice.tokens[:, 0].tolist()}
    every = Evidence.of(trained, batch).tokens[:, 0].tolist()
    found = [index for index, row in enumerate(every) if tuple(row) in there]
    assert found[0] == 0
    assert found[-1] == 4999
    assert max(np.diff(found)) == 3
    alone = Evidence.of(trained, keep_modalities(batch, ['camera']))
    assert not list(choices(alone, fewest=2))
    assert [len(one.presence) for one in choices(alone, fewest=1)] == [2000]
