# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The image branch: augmentation, weights, what learns."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.torch


def test_augmentation_keeps_size_and_type_and_varies() -> None:
    from mm_fusion.training.roads import augment

    random = np.random.default_rng(0)
    image = random.integers(0, 256, (90, 160, 3)).astype(np.uint8)
    views = [augment(image, random) for _ in range(8)]
    assert {view.shape for view in views} == {(224, 224, 3)}
    assert all(view.dtype == np.uint8 for view in views)
    assert len({view.tobytes() for view in views}) == 8


def test_rare_classes_weigh_more_up_to_a_limit_and_unseen_ones_nothing() -> None:
    from mm_fusion.training.roads import class_weights

    targets = np.repeat([0, 1, 2, -1], [10_000, 2_500, 1, 50])
    weights = class_weights(targets, 4).tolist()
    assert weights[0] == pytest.approx(1.0)
    assert 1.0 < weights[1] <= 4.0
    assert weights[1] < weights[2]
    assert weights[3] == 0.0


def test_frozen_blocks_and_the_statistics_of_normalisation_do_not_learn() -> None:
    import torch

    from mm_fusion.training.roads import FROZEN_BLOCKS, RoadNetwork

    network = RoadNetwork(0.25)
    network.train()
    learning = {id(p) for parameters, _ in network.learning() for p in parameters}
    early = [
        *network.encoder.stem.parameters(),
        *network.encoder.blocks[:FROZEN_BLOCKS].parameters(),
    ]
    assert not learning & {id(p) for p in early}
    assert learning & {id(p) for p in network.encoder.head.parameters()}
    assert not learning & {id(p) for p in network.heads.tasks['siren'].parameters()}
    norms = [m for m in network.encoder.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)
