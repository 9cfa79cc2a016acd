# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The stage of the drives held out: what it takes, what it changes, and that it is done once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.labels import SURFACE_CLASSES

if TYPE_CHECKING:
    from mm_fusion.models.network import FusionNetwork
    from mm_fusion.training.run import Share
    from mm_fusion.training.trust import Evidence

pytestmark = pytest.mark.torch

BOTH = ('camera', 'microphone')
COEFFICIENT = {
    f'fusion.heads.friction_coefficient.{name}'
    for name in ('layers.3.weight', 'layers.3.bias', 'by_class')
}


@pytest.fixture
def network() -> FusionNetwork:
    import torch

    from mm_fusion.models.network import build_network
    from support.learning import NETWORK

    torch.manual_seed(0)
    return build_network(NETWORK, pretrained=False).eval()


def share(kind: str, sensors: tuple[str, ...], *, held_out: bool = True) -> Share:
    from mm_fusion.training.run import Share
    from support.learning import TinySource

    every, none = np.arange(16), np.array([], np.int64)
    halves = (none, every) if held_out else (every, none)
    return Share(TinySource(16, sensors), kind, *halves)


def test_there_is_nothing_to_learn_from_photographs_or_from_what_was_learned(
    network: FusionNetwork,
) -> None:
    from mm_fusion.training.held_out import learn_held_out

    before = {name: value.clone() for name, value in network.state_dict().items()}
    for nothing in (
        share('bags', BOTH, held_out=False),
        share('bags', ('motion',)),
        share('photographs', BOTH),
    ):
        assert not learn_held_out(network, [nothing], None, lambda *_: None)
    for name, value in network.state_dict().items():
        assert np.array_equal(value.numpy(), before[name].numpy()), name


def changes(network: FusionNetwork, sensors: tuple[str, ...]) -> tuple[set[str], list[str]]:
    """Learn from tiny drives; tell what has changed, and what was told."""
    from mm_fusion.training.held_out import learn_held_out

    before = {name: value.clone() for name, value in network.state_dict().items()}
    told: list[str] = []
    assert learn_held_out(
        network, [share('bags', sensors)], None, lambda job, *_: told.append(job)
    )
    after = network.state_dict()
    return {
        name for name in after if not np.array_equal(after[name].numpy(), before[name].numpy())
    }, told


def test_votes_of_sound_trust_and_the_coefficient_change_and_nothing_else(
    network: FusionNetwork,
) -> None:
    changed, told = changes(network, BOTH)
    votes = {f'fusion.linear.microphone.tasks.friction.{kind}' for kind in ('weight', 'bias')}
    trust = {f'fusion.{kind}' for kind in ('task_trust', 'token_trust', 'doubt')}
    assert changed == votes | trust | COEFFICIENT
    assert told[:3] == ['embedding'] * 3
    assert set(told[3:]) == {'trust'}


def test_cameras_alone_tell_how_the_coefficient_is_read(network: FusionNetwork) -> None:
    changed, told = changes(network, ('camera',))
    assert changed == COEFFICIENT
    assert told == ['embedding'] * 2


def test_the_coefficient_is_read_before_trust_is_learned(
    network: FusionNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mm_fusion.training import held_out

    told: list[str] = []
    for name in ('fit_coefficient', 'fit_trust'):
        monkeypatch.setattr(held_out, name, lambda *_, name=name: told.append(name))
    held_out.learn_held_out(network, [share('bags', BOTH)], None, lambda *_: None)
    assert told == ['fit_coefficient', 'fit_trust']


def test_samples_as_they_are_count_twice(
    network: FusionNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mm_fusion.training import held_out

    found: list[Evidence] = []

    def keep(_: FusionNetwork, evidence: Evidence, *others: object) -> None:
        found.append(evidence)

    monkeypatch.setattr(held_out, 'fit_trust', keep)
    held_out.learn_held_out(network, [share('bags', BOTH)], None, lambda *_: None)
    tokens = found[0].tokens.numpy().reshape(4, 16, -1)
    assert np.array_equal(tokens[0], tokens[1])
    assert not np.array_equal(tokens[0], tokens[2])
    assert not np.array_equal(tokens[0], tokens[3])
    assert len(found[0].targets['friction']) == 4 * 16


def test_what_training_went_on_from_is_gone_on_from(network: FusionNetwork) -> None:
    from mm_fusion.models.network import build_network
    from mm_fusion.training.held_out import learn_held_out
    from support.learning import NETWORK

    start = build_network(NETWORK, pretrained=False)
    start.fusion.trust[0][0, 0] = 3.0
    network.fusion.trust[0][0, 0] = 7.0  # as of a run that is called again
    seen = share('bags', BOTH, held_out=False)
    assert not learn_held_out(network, [seen], start, lambda *_: None)
    assert float(network.fusion.trust[0][0, 0]) == 3.0


def test_trust_is_learned_from_votes_that_do_not_know_the_drive(network: FusionNetwork) -> None:
    """Sound names each drive, which says nothing of the friction of another one."""
    import torch

    from mm_fusion.training.embed import EmbeddedBatch
    from mm_fusion.training.held_out import add_unbiased_votes
    from mm_fusion.training.readout import fit_readout
    from mm_fusion.training.trust import Evidence

    count, drives = 160, np.repeat([f'drive {index:02}' for index in range(16)], 10)
    own = torch.from_numpy(np.repeat(np.arange(16), 10))
    friction = torch.from_numpy(np.random.default_rng(0).integers(0, 2, 16))[own]
    sizes = network.embedding_sizes
    embeddings = {name: torch.zeros(count, size) for name, size in sizes.items()}
    embeddings['microphone'][torch.arange(count), own] = 1.0
    unknown = torch.full((count,), -1)
    batch = EmbeddedBatch(
        embeddings,
        torch.tensor([[0.0, 1.0, 0.0]]).repeat(count, 1),
        torch.zeros(count, 3),
        {**dict.fromkeys(SURFACE_CLASSES, unknown), 'friction': friction},
        ('',) * count,
    )
    known = fit_readout(network, batch, 1000).votes(batch)['friction'].argmax(dim=1)
    assert (known == friction).float().mean() > 0.95
    evidence, before = Evidence.of(network, batch), Evidence.of(network, batch)
    add_unbiased_votes(network, evidence, (batch, drives), (batch, drives))
    added = (evidence.votes['friction'] - before.votes['friction'])[:, 1]
    assert (added.abs().amax(dim=1) > 0.0).all()
    right = (added[:, :2].argmax(dim=1) == friction).float().mean()
    assert 0.2 < right < 0.8
    assert torch.equal(evidence.votes['friction'][:, 0], before.votes['friction'][:, 0])
