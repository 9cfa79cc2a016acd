# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Graphs that break their promise are refused."""

from __future__ import annotations

import pytest

from mm_fusion.errors import BundleError

pytestmark = pytest.mark.torch


def test_a_graph_that_differs_from_torch_is_refused() -> None:
    from mm_fusion.export.graphs import Case, Graph, check_parity, export_stages
    from mm_fusion.models.encoders.image import ImageEncoder
    from mm_fusion.models.encoders.sound import SoundEncoder
    from mm_fusion.models.heads import TaskHeads
    from mm_fusion.training.gates import assemble

    fusion = assemble({'camera': TaskHeads(320), 'microphone': TaskHeads(192)})
    graphs = export_stages(ImageEncoder(0.25), SoundEncoder(), fusion)
    graph = graphs['image_encoder']
    check_parity(graph)
    shifted = Case(graph.inputs, {'image_embedding': graph.outputs['image_embedding'] + 0.01})
    with pytest.raises(BundleError, match='image_embedding: ONNX Runtime differs'):
        check_parity(Graph(graph.content, (shifted,)))
