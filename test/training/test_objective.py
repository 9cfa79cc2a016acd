# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Encoders learn in bfloat16 where the processor computes in it, and in float32 elsewhere."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.torch


@pytest.mark.parametrize('native', [False, True])
@pytest.mark.parametrize('wanted', [False, True])
def test_bfloat16_is_used_where_it_is_wanted_and_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, *, native: bool, wanted: bool
) -> None:
    import torch

    from mm_fusion.models.network import build_network
    from mm_fusion.training import objective
    from mm_fusion.training.data.batch import collate
    from support.learning import NETWORK, TinySource

    monkeypatch.setattr(objective, 'computes_bfloat16', lambda _device: native)
    torch.manual_seed(0)
    network = build_network(NETWORK, pretrained=False).eval()
    source = TinySource(4)
    batch = collate([source.sample(index, None) for index in range(4)], list('abcd'))
    with torch.no_grad():
        precise = network.encode(batch.inputs, batch.rows, 4)
        found = objective.embed(network, batch, bfloat16=wanted)
    for name in ('camera', 'microphone'):
        assert torch.equal(found[name], precise[name]) is not (native and wanted)
        torch.testing.assert_close(found[name], precise[name], atol=0.1, rtol=0.1)
    assert torch.equal(found['motion'], precise['motion'])


@pytest.mark.parametrize('native', [False, True])
def test_a_processor_is_asked_through_onednn(
    monkeypatch: pytest.MonkeyPatch, *, native: bool
) -> None:
    import torch

    from mm_fusion.training.objective import computes_bfloat16

    monkeypatch.setattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', lambda: native)
    assert computes_bfloat16(torch.device('cpu')) is native
    monkeypatch.setattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', None)
    assert not computes_bfloat16(torch.device('cpu'))
