# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Encoders and fusion: what the contract promises about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import DatasetError

if TYPE_CHECKING:
    from torch import Tensor

    from mm_fusion.models.fusion.gated import GatedFusion

pytestmark = pytest.mark.torch


def random_fusion() -> GatedFusion:
    import torch

    from mm_fusion.models.fusion.gated import GatedFusion

    torch.manual_seed(0)
    fusion = GatedFusion({'camera': 8, 'microphone': 4})
    for parameter in fusion.parameters():
        torch.nn.init.normal_(parameter)
    return fusion.eval()


def fuse(
    fusion: GatedFusion,
    present: tuple[int, int, int],
    image: float = 1.0,
    audio: float = 1.0,
    age_s: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> dict[str, Tensor]:
    import torch

    embeddings = {
        'camera': torch.linspace(-1, 1, 8)[None] * image,
        'microphone': torch.linspace(1, -2, 4)[None] * audio,
    }
    with torch.no_grad():
        result: dict[str, Tensor] = fusion(
            embeddings, torch.tensor([present]).float(), torch.tensor([age_s])
        )
    return result


@pytest.mark.parametrize('present', [(1, 0, 0), (0, 1, 0), (0, 0, 0), (1, 0, 1)])
def test_what_an_absent_modality_holds_changes_nothing(present: tuple[int, int, int]) -> None:
    import torch

    fusion = random_fusion()
    found = fuse(fusion, present)
    other = fuse(
        fusion,
        present,
        image=1.0 if present[0] else 1e3,
        audio=1.0 if present[1] else -1e3,
        age_s=(0.0 if present[0] else 9.0, 0.0 if present[1] else 9.0, 9.0),
    )
    for name in found:
        assert torch.equal(found[name], other[name])


@pytest.mark.parametrize(
    ('present', 'weights'),
    [((1, 0, 0), [1, 0, 0]), ((0, 1, 1), [0, 1, 0]), ((0, 0, 0), [0, 0, 0])],
)
def test_one_modality_alone_has_all_the_weight(
    present: tuple[int, int, int], weights: list[float]
) -> None:
    found = fuse(random_fusion(), present)['modality_weights'][0].tolist()
    assert found == pytest.approx(weights, abs=1e-6)


def test_one_modality_alone_decides_by_its_own_head() -> None:
    import torch

    fusion = random_fusion()
    found = fuse(fusion, (0, 1, 0))
    own = fusion.heads['microphone'](torch.linspace(1, -2, 4)[None])
    for task, logits in own.items():
        assert torch.allclose(found[task], logits, atol=1e-5)


def test_both_modalities_share_the_weight_and_age_costs_it() -> None:
    fusion = random_fusion()
    fresh = fuse(fusion, (1, 1, 0))['modality_weights'][0]
    stale = fuse(fusion, (1, 1, 0), age_s=(3.0, 0.0, 0.0))['modality_weights'][0]
    assert float(fresh.sum()) == pytest.approx(1.0, abs=1e-6)
    assert float(stale[0]) < float(fresh[0])
    assert float(stale.sum()) == pytest.approx(1.0, abs=1e-6)


def test_heads_without_training_say_nothing() -> None:
    import torch

    from mm_fusion.models.heads import TASK_SIZES, TaskHeads

    logits = TaskHeads(5)(torch.randn(3, 5))
    assert {task: value.shape[1] for task, value in logits.items()} == TASK_SIZES
    assert all(not value.any() for value in logits.values())


def test_mel_filters_match_their_definition() -> None:
    from mm_fusion.models.encoders.sound import mel_filters

    filters = mel_filters()
    assert filters.shape == (64, 257)
    assert filters.sum(axis=1) == pytest.approx(np.ones(64), abs=1e-6)
    centres = (filters * np.arange(257)).sum(axis=1) * 16_000 / 512
    assert (np.diff(centres) >= 0).all()
    assert 150 < centres[0] < 250
    assert 6_800 < centres[-1] < 7_600


def test_spectrogram_is_that_of_a_fourier_transform() -> None:
    import torch

    from mm_fusion.models.encoders.sound import LogMel, mel_filters

    audio = np.random.default_rng(0).uniform(-1, 1, 4096).astype(np.float32)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = np.stack([audio[s : s + 512] for s in range(0, 4096 - 511, 256)])
    power = np.abs(np.fft.rfft(frames * hann / hann.sum(), axis=1)) ** 2
    decibel = np.log10(power @ mel_filters().T.astype(np.float64) + 1e-7).T
    found = LogMel()(torch.from_numpy(audio)[None])[0].numpy()
    assert found[0] == pytest.approx(decibel - decibel.mean(), abs=1e-3)
    assert found[1] == pytest.approx(decibel - decibel.mean(axis=1, keepdims=True), abs=1e-3)


def test_the_microphones_gain_changes_nothing() -> None:
    import torch

    from mm_fusion.models.encoders.sound import LogMel

    torch.manual_seed(0)
    audio = torch.rand(1, 8000) - 0.5
    # The floor of the power makes a small difference.
    assert torch.allclose(LogMel()(audio), LogMel()(audio * 0.3), atol=0.1)
    assert not torch.allclose(LogMel()(audio), LogMel()(audio.square()), atol=0.1)


def test_silence_gives_finite_embeddings() -> None:
    import torch

    from mm_fusion.models.encoders.sound import WINDOW_SAMPLES, SoundEncoder

    encoder = SoundEncoder().eval()
    with torch.no_grad():
        embedding = encoder(torch.zeros(1, WINDOW_SAMPLES))
    assert embedding.shape == (1, encoder.embedding_size)
    assert torch.isfinite(embedding).all()


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
