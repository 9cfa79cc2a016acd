# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Embeddings made once give what encoding each time gives, and hide modalities honestly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from mm_fusion.training.embed import EmbeddedBatch

pytestmark = pytest.mark.torch


def embedded(count: int = 8, modalities: tuple[str, ...] = ('camera', 'motion')) -> EmbeddedBatch:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.embed import embed_source
    from support.learning import NETWORK, TinySource

    torch.manual_seed(0)
    network = build_network(NETWORK, pretrained=False)
    return embed_source(network, TinySource(count, modalities), np.arange(count))


def test_it_predicts_what_the_whole_network_predicts() -> None:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.embed import embed_source
    from mm_fusion.training.predict import predict
    from support.learning import NETWORK, TinySource

    torch.manual_seed(0)
    network = build_network(NETWORK, pretrained=False)
    source = TinySource(40, ('microphone', 'motion'))
    told: list[tuple[int, int]] = []
    found = embed_source(
        network, source, np.arange(40), lambda done, total: told.append((done, total))
    )
    assert told == [(32, 40), (40, 40)]
    with torch.no_grad():
        outputs = network.fuse(found.embeddings, found.presence, found.age_s)
    expected = predict(network, source, np.arange(40))['all']
    for name, value in outputs.items():
        assert value.numpy() == pytest.approx(expected.outputs[name], abs=1e-5), name
    assert found.embeddings['camera'].abs().sum() == 0


def test_only_the_modality_that_was_changed_is_embedded_again() -> None:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.data.altered import Altered
    from mm_fusion.training.data.sample import Sample
    from mm_fusion.training.embed import embed_changed, embed_source
    from support.learning import NETWORK, TinySource

    def darkened(sample: Sample, random: np.random.Generator) -> Sample:
        assert sample.image is not None
        assert sample.audio is None
        assert sample.motion is None
        dark = np.asarray(sample.image // 4, np.uint8)
        return Sample(dark if random.random() < 0.5 else None, None, None)

    torch.manual_seed(0)
    network = build_network(NETWORK, pretrained=False)
    source, chosen = TinySource(16), np.arange(16)
    clean = embed_source(network, source, chosen)
    found = embed_changed(network, clean, Altered(source, darkened, 3), chosen, 'camera')
    kept = found.presence[:, 0] > 0.0
    assert 0 < int(kept.sum()) < 16
    assert (found.presence[:, 1:] == 1.0).all()
    assert (found.embeddings['camera'][~kept] == 0.0).all()
    assert (found.embeddings['camera'][kept] != clean.embeddings['camera'][kept]).any()
    for name in ('microphone', 'motion'):
        assert torch.equal(found.embeddings[name], clean.embeddings[name])
    again = embed_changed(network, clean, Altered(source, darkened, 3), chosen, 'camera')
    assert torch.equal(again.embeddings['camera'], found.embeddings['camera'])


def test_a_hidden_modality_is_zeros_and_never_all_are_hidden() -> None:
    from mm_fusion.training.embed import hide_modalities

    batch = embedded()
    hidden = hide_modalities(batch, 0.8, np.random.default_rng(0))
    assert (hidden.presence.sum(dim=1) >= 1).all()
    assert (hidden.presence <= batch.presence).all()
    assert hidden.presence.sum() < batch.presence.sum()
    gone = hidden.presence[:, 0] == 0
    assert gone.any()
    assert hidden.embeddings['camera'][gone].abs().sum() == 0
    assert (hidden.embeddings['camera'][~gone] == batch.embeddings['camera'][~gone]).all()


def test_batches_depend_on_seed_epoch_step_and_rank_alone() -> None:
    from mm_fusion.training.embed import EmbeddedMixture

    samples = embedded()

    def drawn(seed: int, epoch: int, rank: int) -> list[tuple[str, ...]]:
        mixture = EmbeddedMixture([samples], [3], 2, seed, 0.2, rank, 2)
        mixture.set_epoch(epoch)
        return [batch.sources for batch in mixture.loader(0)]

    assert drawn(0, 1, 0) == drawn(0, 1, 0)
    others = [drawn(1, 1, 0), drawn(0, 2, 0), drawn(0, 1, 1)]
    assert all(other != drawn(0, 1, 0) for other in others)
    assert [len(sources) for sources in drawn(0, 0, 0)] == [3, 3]


def test_with_frozen_encoders_the_fusion_learns_in_seconds(tmp_path: Path) -> None:
    import torch

    from mm_fusion.training.config import training_config
    from mm_fusion.training.run import Share, make_network, train_run
    from support.learning import NETWORK_VALUES, TinySource

    config = training_config(
        {
            'network': NETWORK_VALUES,
            'optimization': {
                'freeze_encoders': True, 'epochs': 2, 'steps_per_epoch': 50, 'averaging': 0.5,
                'learning_rate': 1e-2, 'frozen_blocks': 0,
            },
            'data': {'bags': 8},
        },
        'test',
    )  # fmt: skip
    source = TinySource(16, ('camera', 'motion'))
    shares = [Share(source, 'bags', np.arange(8), np.arange(8, 16))]
    network = train_run(shares, config, tmp_path)
    before = make_network(config, None)
    for name, value in before.encoders.state_dict().items():
        assert torch.equal(value, network.encoders.state_dict()[name]), name
    from mm_fusion.training.checkpoint import LAST, load_checkpoint

    history = load_checkpoint(tmp_path / LAST)[1]['history']
    assert history[-1]['validation UAR friction'] == 1.0
