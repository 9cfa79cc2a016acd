# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The image encoders: pixels in, one embedding out."""

from __future__ import annotations

import pytest

from mm_fusion.errors import DatasetError

pytestmark = pytest.mark.torch


def test_convolution_pads_as_tensorflow_does() -> None:
    import torch

    from mm_fusion.models.encoders.image import SamePadConv

    convolution = SamePadConv(1, 1, 3, stride=2, bias=False)
    torch.nn.init.ones_(convolution.weight)
    found = convolution(torch.ones(1, 1, 4, 4))[0, 0]
    # SAME with stride 2 and an even size pads only at the end: the first window is whole.
    assert found.tolist() == [[9.0, 6.0], [6.0, 4.0]]


def test_splitting_the_image_encoder_changes_nothing() -> None:
    import torch

    from mm_fusion.models.encoders.image import ImageEncoder

    torch.manual_seed(0)
    encoder = ImageEncoder(0.25).eval()
    image = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        whole = encoder(image)
        split = encoder.embed_features(encoder.early_features(image, 5), 5)
    assert whole.shape == (2, encoder.embedding_size)
    assert torch.equal(whole, split)


def test_training_keeps_the_statistics_of_the_batch_normalisation() -> None:
    import torch

    from mm_fusion.models.encoders.image import ImageEncoder

    torch.manual_seed(0)
    encoder = ImageEncoder(0.25)
    image = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    before = {name: value.clone() for name, value in encoder.named_buffers()}
    training = encoder.train()(image)
    assert encoder.training
    assert encoder.blocks.training
    for name, value in encoder.named_buffers():
        assert torch.equal(value, before[name]), name
    assert torch.equal(training, encoder.eval()(image))


def test_imagenet_weights_fill_every_parameter() -> None:
    import torch

    from mm_fusion.models.encoders.image import ImageEncoder, load_imagenet_weights

    torch.manual_seed(0)
    encoder, other = ImageEncoder(), ImageEncoder()
    load_imagenet_weights(encoder)
    load_imagenet_weights(other)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_missing_imagenet_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from mm_fusion.models.encoders import image

    monkeypatch.setattr(image, 'WEIGHTS_PACKAGE', 'no_such_package_here')
    with pytest.raises(DatasetError, match='no_such_package_here'):
        image.load_imagenet_weights(image.ImageEncoder(0.25))


def test_transformer_knows_where_a_patch_is() -> None:
    import torch

    from mm_fusion.models.encoders.image_transformer import ImageTransformer

    torch.manual_seed(0)
    encoder = ImageTransformer(32, width=0.25).eval()
    image = torch.zeros(1, 32, 32, 3, dtype=torch.uint8)
    image[:, :16, :16] = 255
    with torch.no_grad():
        found, moved = encoder(image), encoder(image.flip(1))
        encoder.position.zero_()
        blind, blind_moved = encoder(image), encoder(image.flip(1))
    assert (found - moved).abs().max() > 1e-3
    assert torch.allclose(blind, blind_moved, atol=1e-5)
