# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The network's configuration: as JSON and back, and refused with every problem named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mm_fusion.errors import DatasetError

pytestmark = pytest.mark.torch


def test_a_configuration_survives_json() -> None:
    from mm_fusion.models.config import NetworkConfig

    config = NetworkConfig(fusion='gated', sound_encoder='cnn', width=0.5, token_size=32)
    assert NetworkConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert NetworkConfig.from_dict({}) == NetworkConfig()


@pytest.mark.parametrize(
    ('values', 'problem'),
    [
        ({'fusion': 'magic'}, "fusion 'magic' is none of .*'attention'"),
        ({'image_encoder': 'crnn'}, "image_encoder 'crnn' is none of"),
        ({'sound_encoder': ['cnn']}, 'sound_encoder .* is none of'),
        ({'token_size': 12}, 'token_size 12 is no positive multiple of 8'),
        ({'token_size': 16.0}, 'token_size 16.0 is no positive multiple of 8'),
        ({'image_size': 100}, 'image_size 100 is no positive multiple of 32'),
        ({'motion_steps': 0}, 'motion_steps 0 is no positive multiple of 1'),
        ({'motion_steps': True}, 'motion_steps True'),
        ({'audio_samples': 1000}, 'audio_samples 1000 is less than 4352'),
        ({'width': 0}, 'width 0 is no number'),
        ({'width': float('nan')}, 'width nan is no number'),
        ({'depth': 3, 'heads': 2}, r"found \['depth', 'heads'\], expected only \['image_encoder'"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], problem: str) -> None:
    from mm_fusion.models.config import NetworkConfig

    with pytest.raises(DatasetError, match=problem):
        NetworkConfig.from_dict(values)


def test_all_problems_are_named_at_once() -> None:
    from mm_fusion.models.config import NetworkConfig

    with pytest.raises(DatasetError, match=r'fusion .*token_size .*width '):
        NetworkConfig(fusion='magic', token_size=0, width=-1.0)


@pytest.mark.parametrize('sound_encoder', ['crnn', 'cnn'])
def test_the_shortest_sound_that_is_allowed_can_be_embedded(sound_encoder: str) -> None:
    import torch

    from mm_fusion.models.config import NetworkConfig
    from mm_fusion.models.encoders import build_encoder

    config = NetworkConfig(sound_encoder=sound_encoder, audio_samples=4352)
    assert build_encoder('microphone', config).eval()(torch.rand(1, 4352)).isfinite().all()
