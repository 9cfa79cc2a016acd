# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Graphs: they say what torch says, and hold only what a runtime can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mm_fusion.errors import BundleError
from support.networks import OPERATORS, small_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.export.graphs import Graph

pytestmark = pytest.mark.torch


def check_operators(graph: Graph) -> None:
    import onnx

    model = onnx.load_from_string(graph.content)
    assert [item.version for item in model.opset_import if not item.domain] == [18]
    assert {node.op_type for node in model.graph.node} <= OPERATORS
    constants = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in {'GRU', 'LSTM', 'Conv'}:
            assert set(node.input[1:]) <= constants | {''}, node.op_type


@pytest.fixture(scope='module')
def stages() -> Mapping[str, Graph]:
    from mm_fusion.export.graphs import export_stages

    return export_stages(small_network())


def test_stages_have_the_inputs_and_outputs_of_the_contract(stages: Mapping[str, Graph]) -> None:
    shapes = {
        stage: (
            {name: value.shape for name, value in graph.inputs.items()},
            {name: value.shape for name, value in graph.outputs.items()},
        )
        for stage, graph in stages.items()
    }
    embeddings = {
        'image_embedding': (1, 320),
        'audio_embedding': (1, 192),
        'motion_embedding': (1, 70),
    }
    names = list(embeddings)
    assert shapes['image_encoder'] == ({'image': (1, 32, 32, 3)}, {names[0]: (1, 320)})
    assert shapes['audio_encoder'] == ({'audio': (1, 8192)}, {names[1]: (1, 192)})
    assert shapes['motion_encoder'] == ({'motion': (1, 6, 3)}, {names[2]: (1, 70)})
    assert shapes['fusion'] == (
        {**embeddings, 'presence': (1, 3), 'age_s': (1, 3)},
        {
            'friction_logits': (1, 6),
            'material_logits': (1, 5),
            'unevenness_logits': (1, 3),
            'siren_logit': (1, 1),
            'friction_coefficient': (1, 2),
            'mode_logits': (1, 6),
            'trajectory': (1, 6, 12, 5),
            'modality_weights': (1, 3),
        },
    )
    assert stages['image_encoder'].inputs['image'].dtype == np.uint8


def test_graphs_hold_only_what_a_runtime_takes(stages: Mapping[str, Graph]) -> None:
    for graph in stages.values():
        check_operators(graph)


def test_graphs_say_nothing_of_the_machine(stages: Mapping[str, Graph]) -> None:
    for graph in stages.values():
        assert b'site-packages' not in graph.content
        assert b'.py' not in graph.content


def test_the_fusion_was_compared_for_every_set_of_modalities(stages: Mapping[str, Graph]) -> None:
    cases = stages['fusion'].cases
    assert len({tuple(case.inputs['presence'][0]) for case in cases}) == 8
    assert cases[0].inputs['presence'].all()
    for case in cases:
        there = case.inputs['presence'][0] > 0
        held = [case.inputs[f'{name}_embedding'].any() for name in ('image', 'audio', 'motion')]
        assert held == there.tolist()
        assert (case.outputs['modality_weights'][0] > 0).tolist() == there.tolist()


def test_a_graph_that_differs_from_torch_in_one_case_is_refused(
    stages: Mapping[str, Graph],
) -> None:
    from mm_fusion.export.graphs import Case, Graph, check_parity

    graph = stages['motion_encoder']
    check_parity(graph)
    last = graph.cases[-1]
    shifted = Case(last.inputs, {'motion_embedding': last.outputs['motion_embedding'] + 0.01})
    with pytest.raises(BundleError, match='motion_embedding: ONNX Runtime differs'):
        check_parity(Graph(graph.content, (*graph.cases[:-1], shifted)))


@pytest.mark.parametrize(
    ('modality', 'names'),
    [
        ('camera', {'image_encoder': 'transformer'}),
        ('microphone', {'sound_encoder': 'cnn'}),
        ('motion', {'motion_encoder': 'lstm'}),
    ],
)
def test_every_other_encoder_exports(modality: str, names: dict[str, str]) -> None:
    from mm_fusion.export.graphs import export_encoder

    check_operators(export_encoder(small_network(**names), modality))


@pytest.mark.parametrize('fusion', ['gated', 'concat', 'decision', 'structure'])
def test_every_other_strategy_exports(fusion: str) -> None:
    from mm_fusion.export.graphs import export_fusion

    check_operators(export_fusion(small_network(fusion=fusion)))
