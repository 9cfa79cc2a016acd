# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Photographs are mixed with each other, labels with them, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mm_fusion.training.data.batch import Batch
    from mm_fusion.training.mixup import Mixed

pytestmark = pytest.mark.torch

ALONE = [1, 2, 4, 5, 7]
"""Samples of the batch below with an image and nothing else."""


def batch(photographs: int = 5) -> Batch:
    """Photographs between samples of all modalities and one without an image."""
    from mm_fusion.training.data.batch import collate
    from support.learning import TinySource

    whole, sound = TinySource(4), TinySource(2, ('microphone',), 'sounds')
    photographed = TinySource(8, ('camera',), 'photographs')
    samples = [photographed.sample(index, None) for index in range(photographs)]
    samples.insert(0, whole.sample(0, None))
    samples.insert(3, sound.sample(1, None))
    samples.insert(6, whole.sample(1, None))
    return collate(samples, [str(index) for index in range(len(samples))])


def mixed(concentration: float = 1.0) -> list[Mixed]:
    import torch

    from mm_fusion.training.mixup import mix_photographs

    torch.manual_seed(0)
    found = [mix_photographs(batch(), concentration) for _ in range(40)]
    return [one for one in found if one is not None]


def test_an_image_is_its_share_of_two_photographs_and_so_are_its_labels() -> None:
    import torch

    plain = batch()
    rows = plain.rows['camera'].tolist()
    images = plain.inputs['camera'].float()
    for one in mixed():
        assert 0.5 <= one.share <= 1.0
        partners = set()
        for row in ALONE:
            image, own = one.batch.inputs['camera'][rows.index(row)], images[rows.index(row)]
            matching = [
                other
                for other in ALONE
                if torch.allclose(
                    image, one.share * own + (1.0 - one.share) * images[rows.index(other)]
                )
            ]
            partner = min(matching, key=lambda other: other in partners)
            partners.add(partner)
            assert one.partners['friction'][row] == plain.targets['friction'][partner]
        assert partners == set(ALONE)


def test_what_has_other_modalities_stays_as_it_is() -> None:
    import torch

    plain = batch()
    kept = [row for row in range(len(plain.presence)) if row not in ALONE]
    rows = plain.rows['camera'].tolist()
    for one in mixed():
        for row in set(kept) & set(rows):
            place = rows.index(row)
            expected = plain.inputs['camera'][place].float()
            assert torch.allclose(one.batch.inputs['camera'][place], expected)
        for name, value in one.partners.items():
            assert torch.equal(
                value[kept].nan_to_num(7.0), plain.targets[name][kept].nan_to_num(7.0)
            )
        for name in ('microphone', 'motion'):
            assert torch.equal(one.batch.inputs[name], plain.inputs[name])
        assert torch.equal(one.batch.presence, plain.presence)


def test_half_of_the_batches_are_mixed_and_most_shares_are_pure() -> None:
    assert 10 <= len(mixed()) <= 30
    pure = [one.share > 0.9 for one in mixed(0.1)]
    even = [one.share > 0.9 for one in mixed(2.0)]
    assert sum(pure) / len(pure) > 0.5 > 0.3 > sum(even) / len(even)


def test_one_photograph_has_nothing_to_be_mixed_with() -> None:
    import torch

    from mm_fusion.training.mixup import mix_photographs

    torch.manual_seed(0)
    assert all(mix_photographs(batch(1), 1.0) is None for _ in range(20))


def test_the_loss_is_that_of_both_labels_and_only_while_training() -> None:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training.config import LossConfig
    from mm_fusion.training.losses import Losses
    from mm_fusion.training.mixup import mix_photographs
    from mm_fusion.training.objective import Supervised
    from mm_fusion.training.run import surface_weights
    from support.learning import NETWORK, TinySource

    torch.manual_seed(0)
    source = TinySource(8)
    weights = surface_weights([(source, torch.arange(8).numpy(), 8)], LossConfig())
    losses = Losses(LossConfig(), weights)
    network = build_network(NETWORK, pretrained=False).eval()
    with torch.no_grad():  # untrained, the heads do not look at the image
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    objective = Supervised(network, losses, bfloat16=False, mixup=1.0)
    plain = Supervised(network, losses, bfloat16=False)

    seed = next(seed for seed in range(20) if _mixes(seed))
    torch.manual_seed(seed)
    still, _ = objective(batch())
    assert torch.equal(still, plain(batch())[0])

    network.training = True  # the flag alone: dropout would make two passes differ
    torch.manual_seed(seed)
    one = mix_photographs(batch(), 1.0)
    assert one is not None
    torch.manual_seed(seed)
    with torch.no_grad():
        total, terms = objective(batch())
        first, first_terms = plain(one.batch)
        other, _ = plain(replace(one.batch, targets=one.partners))
    expected = one.share * first + (1.0 - one.share) * other
    assert float(total) == pytest.approx(float(expected), rel=1e-5)
    assert terms.keys() == first_terms.keys()
    assert float(total) != pytest.approx(float(first), rel=1e-5)


def _mixes(seed: int) -> bool:
    import torch

    from mm_fusion.training.mixup import mix_photographs

    torch.manual_seed(seed)
    one = mix_photographs(batch(), 1.0)
    return one is not None and not torch.equal(
        one.partners['friction'], one.batch.targets['friction']
    )
