# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The fusion network: samples with any modality missing, and what it is built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mm_fusion.types.features import NETWORK_MODALITIES

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.models.network import FusionNetwork

pytestmark = pytest.mark.torch

BATCH = 4


def tiny(**changes: str | float) -> FusionNetwork:
    import torch

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.network import build_network

    torch.manual_seed(0)
    sizes = {'width': 0.25, 'image_size': 32, 'token_size': 16, 'audio_samples': 8192}
    config = NetworkConfig.from_dict({**sizes, 'motion_steps': 6, **changes})
    network = build_network(config, pretrained=False).eval()
    for parameter in network.fusion.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def measurements() -> dict[str, Tensor]:
    import torch

    torch.manual_seed(1)
    return {
        'camera': torch.randint(0, 256, (BATCH, 32, 32, 3), dtype=torch.uint8),
        'microphone': torch.rand(BATCH, 8192) - 0.5,
        'motion': torch.randn(BATCH, 6, 3),
    }


def test_each_sample_gets_the_embeddings_of_what_it_has() -> None:
    import torch

    network, inputs = tiny(), measurements()
    rows = {
        'camera': torch.tensor([2, 0]),
        'microphone': torch.tensor([3]),
        'motion': torch.tensor([], dtype=torch.int64),
    }
    held = {name: inputs[name][rows[name]] for name in NETWORK_MODALITIES}
    with torch.no_grad():
        whole = network.encode(inputs, None, BATCH)
        found = network.encode(held, rows, BATCH)
        none = network.encode({'microphone': inputs['microphone'][:0]}, None, BATCH)
    for name in NETWORK_MODALITIES:
        expected = torch.zeros_like(whole[name])
        expected[rows[name]] = whole[name][rows[name]]
        assert torch.allclose(found[name], expected, atol=1e-5), name
        assert torch.equal(none[name], torch.zeros_like(whole[name])), name


def test_a_modality_that_nobody_has_need_not_be_given() -> None:
    import torch

    network, inputs = tiny(), measurements()
    presence = torch.tensor([[1.0, 0.0, 1.0]]).expand(BATCH, -1)
    age_s = torch.zeros(BATCH, 3)
    with torch.no_grad():
        expected = network(inputs, presence, age_s)
        del inputs['microphone']
        found = network(inputs, presence, age_s)
        nothing = network({}, torch.zeros(BATCH, 3), age_s)
    for key, value in expected.items():
        assert torch.equal(found[key], value), key
        assert torch.isfinite(nothing[key]).all(), key


def test_half_precision_encoders_hand_on_single_precision() -> None:
    import torch

    network, inputs = tiny(), measurements()
    with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
        embeddings = network.encode(inputs, None, BATCH)
    assert {value.dtype for value in embeddings.values()} == {torch.float32}


@pytest.mark.parametrize('name', ['attention', 'gated', 'concat', 'decision', 'structure'])
def test_the_network_that_ships_stays_small(name: str) -> None:
    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.network import build_network

    # What is not the image encoder: of 25 MB for graphs and half-precision weights, it has 4.
    network = build_network(NetworkConfig(fusion=name), pretrained=False)
    camera = sum(p.numel() for p in network.encoders['camera'].parameters())
    assert sum(p.numel() for p in network.parameters()) - camera < 650_000


def test_names_of_the_configuration_choose_the_parts() -> None:
    from mm_fusion.models.encoders.image_transformer import ImageTransformer
    from mm_fusion.models.encoders.sound import ConvolutionalSoundEncoder
    from mm_fusion.models.fusion.gated import GatedFusion

    network = tiny(image_encoder='transformer', sound_encoder='cnn', fusion='gated')
    assert isinstance(network.encoders['camera'], ImageTransformer)
    assert isinstance(network.encoders['microphone'], ConvolutionalSoundEncoder)
    assert isinstance(network.fusion, GatedFusion)


def test_pretraining_fills_the_image_encoder_where_there_are_such_weights() -> None:
    import torch

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.encoders.image import ImageEncoder, load_imagenet_weights
    from mm_fusion.models.network import build_network

    encoder = ImageEncoder()
    load_imagenet_weights(encoder)
    network = build_network(NetworkConfig(), pretrained=True)
    for name, value in network.encoders['camera'].state_dict().items():
        assert torch.equal(value, encoder.state_dict()[name]), name
    build_network(NetworkConfig(width=0.25), pretrained=True)
    build_network(NetworkConfig(image_encoder='transformer'), pretrained=True)


def test_the_path_is_that_of_the_motion_alone_and_fused_where_it_is_absent() -> None:
    import torch

    network = tiny()
    for parameter in network.path.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    network.path.learned.fill_(1.0)
    held = {name: torch.randn(1, size) for name, size in network.embedding_sizes.items()}
    fused = {**held, 'motion': held['motion'][:, :64]}
    ages = torch.zeros(1, 3)
    with torch.no_grad():
        present = torch.tensor([[1.0, 1.0, 1.0]])
        plain, found = network.fusion(fused, present, ages), network.fuse(held, present, ages)
        assert (found['trajectory'][..., :4] != plain['trajectory'][..., :4]).all()
        assert (found['modes'] != plain['modes']).all()
        assert torch.equal(found['friction'], plain['friction'])
        other = {**held, 'camera': torch.randn_like(held['camera'])}
        seen = network.fuse(other, present, ages)
        assert torch.equal(seen['trajectory'], found['trajectory'])
        assert torch.equal(seen['modes'], found['modes'])
        assert (seen['friction'] != found['friction']).any()

        absent = torch.tensor([[1.0, 1.0, 0.0]])
        held['motion'] = torch.full_like(held['motion'], float('nan'))
        fused['motion'] = held['motion'][:, :64]
        plain, found = network.fusion(fused, absent, ages), network.fuse(held, absent, ages)
        assert torch.equal(found['trajectory'], plain['trajectory'])
        assert torch.equal(found['modes'], plain['modes'])
