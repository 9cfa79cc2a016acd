# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Each strategy learns from embeddings; what blinds a camera touches the image alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mm_fusion.training.embed import EmbeddedBatch

pytestmark = pytest.mark.torch

COUNT = 128


def embedded(sizes: dict[str, int], seed: int) -> EmbeddedBatch:
    """Let a few numbers of the camera's embedding tell friction."""
    import torch

    from mm_fusion.training.embed import EmbeddedBatch
    from mm_fusion.types.features import STEPS

    torch.manual_seed(seed)
    friction = torch.arange(COUNT) % 2
    embeddings = {name: torch.randn(COUNT, size) for name, size in sizes.items()}
    embeddings['camera'][:, :8] = 4.0 * friction[:, None] - 2.0
    unknown = torch.full((COUNT,), -1)
    targets = dict.fromkeys(('material', 'unevenness', 'siren'), unknown)
    targets |= {
        'friction': friction,
        'friction_coefficient': torch.full((COUNT,), torch.nan),
        'trajectory': torch.full((COUNT, STEPS, 2), torch.nan),
    }
    everything = torch.ones(COUNT, 3)
    names = tuple(str(number) for number in range(COUNT))
    return EmbeddedBatch(embeddings, everything, torch.zeros(COUNT, 3), targets, names)


@pytest.mark.parametrize('strategy', ['gated', 'decision'])
def test_a_strategy_learns_and_leaves_the_encoders(strategy: str) -> None:
    import torch

    from benchmarks.fusion_data import fuse
    from benchmarks.fusion_strategies import train_fusion
    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.network import build_network
    from mm_fusion.training.embed import keep_modalities

    config = NetworkConfig(token_size=16, width=0.25, image_size=32, audio_samples=4352)
    base = build_network(config, pretrained=False)
    before = {name: value.clone() for name, value in base.encoders.state_dict().items()}
    samples, others = (embedded(base.embedding_sizes, seed) for seed in (0, 1))
    weights = {'friction': torch.ones(6), 'material': torch.ones(5), 'unevenness': torch.ones(3)}
    network = train_fusion(base, strategy, samples, weights, seed=1, passes=200)
    said = fuse(network, others)['friction'].argmax(axis=1)
    assert (said == others.targets['friction'].numpy()).mean() > 0.85
    deaf = fuse(network, keep_modalities(others, ('microphone',)))
    assert (deaf['friction'].argmax(axis=1) == others.targets['friction'].numpy()).mean() < 0.7
    assert (deaf['modality_weights'][:, 0] == 0.0).all()
    after = network.encoders.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize('condition', ['dusk', 'glare', 'lens drops', 'all of these'])
def test_a_blinded_image_is_another_and_the_same_each_time(condition: str) -> None:
    from benchmarks.fusion_robustness import BLINDED, weathered

    image = np.random.default_rng(0).integers(90, 160, (64, 64, 3)).astype(np.uint8)
    first, second = (
        weathered(image, BLINDED[condition], np.random.default_rng(5)) for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, image)


def test_an_image_in_which_nothing_can_be_seen_is_withheld_as_by_the_node() -> None:
    from benchmarks.fusion_robustness import blinded
    from mm_fusion.training.data.sample import Sample

    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)

    def night(pixels: NDArray[np.uint8], _random: np.random.Generator) -> NDArray[np.uint8]:
        return pixels // 100

    for steps, seen in (((), True), ((night,), False)):
        change = blinded(steps)
        sample = change(Sample(image, None, None), np.random.default_rng(0))
        assert (sample.image is not None) is seen


def test_drowned_sound_is_mostly_noise_and_does_not_clip() -> None:
    from benchmarks.fusion_robustness import drowned
    from mm_fusion.training.data.sample import Sample

    tone = np.sin(np.arange(16_000) * 0.3).astype(np.float32)
    sample = drowned(Sample(None, tone, None), np.random.default_rng(0))
    assert sample.audio is not None
    assert np.abs(sample.audio).max() <= 1.0
    correlation = np.corrcoef(sample.audio, tone)[0, 1]
    assert correlation == pytest.approx((1.0 / 11.0) ** 0.5, abs=0.05)


def test_a_shortfall_is_named_even_where_chance_explains_it() -> None:
    from benchmarks.fusion_strategies import verdict

    assert verdict(0.0, 0.1) == 'yes'
    assert verdict(-0.01, 0.02) == 'no, within chance'
    assert verdict(-0.1, -0.02) == 'no'
