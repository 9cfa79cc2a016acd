# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Every graph at every precision, parsed and built by TensorRT-RTX, not TensorRT, without a GPU.

The package's own builder does it. What comes out is for a device of compute capability 8.6, and
cannot be loaded here: that a device runs it is not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx
import pytest
import tensorrt_rtx_bindings as rtx

from mm_fusion.errors import BackendError
from mm_fusion.runtime import Bundle
from mm_fusion.runtime.manifest import PRECISIONS
from mm_fusion.runtime.precision import derive
from mm_fusion.runtime.precision_int8 import quantisable
from mm_fusion.runtime.tensorrt.builder import build_plan
from mm_fusion.types.bundle import StageSpec, TensorSpec
from support.networks import OPERATORS, small_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.export.graphs import Graph

QUANTISED = {'QuantizeLinear', 'DequantizeLinear'}
STAGES = ('image_encoder', 'audio_encoder', 'motion_encoder', 'fusion')
ENCODERS = [
    ('camera', {'image_encoder': 'transformer'}),
    ('microphone', {'sound_encoder': 'cnn'}),
    ('motion', {'motion_encoder': 'lstm'}),
]
FUSIONS = ['attention', 'gated', 'concat', 'decision', 'structure']


def for_ampere(config: Any) -> None:
    config.num_compute_capabilities = 1
    config.set_compute_capability(rtx.ComputeCapability.SM86, 0)


@pytest.fixture(scope='module')
def logger() -> Any:
    return rtx.Logger(rtx.Logger.ERROR)


def at(precision: str, graph: bytes) -> bytes:
    """Derive a graph; what ranges there are has no influence on whether it can be built."""
    if precision == 'fp32':
        return graph
    intervals = dict.fromkeys(quantisable(onnx.load_from_string(graph)), (-3.0, 4.0))
    return derive({'stage': graph}, precision, {'stage': intervals})['stage']


def types_of(content: bytes) -> list[tuple[str, int]]:
    graph = onnx.load_from_string(content).graph
    return [
        (value.name, value.type.tensor_type.elem_type) for value in (*graph.input, *graph.output)
    ]


def check_build(logger: Any, precision: str, graph: bytes, stage: StageSpec) -> None:
    derived = at(precision, graph)
    onnx.checker.check_model(onnx.load_from_string(derived), full_check=True)
    operators = {node.op_type for node in onnx.load_from_string(derived).graph.node}
    assert operators <= OPERATORS | QUANTISED
    assert types_of(derived) == types_of(graph)
    plan = build_plan(rtx, logger, derived, stage, configure=for_ampere)
    assert len(plan) > 10_000


def described(name: str, graph: Graph) -> StageSpec:
    def specs(arrays: Mapping[str, Any]) -> dict[str, TensorSpec]:
        return {key: TensorSpec(value.dtype.name, value.shape) for key, value in arrays.items()}

    return StageSpec(
        file=f'{name}.onnx',
        sha256='',
        size_bytes=len(graph.content),
        name=name,
        inputs=specs(graph.inputs),
        outputs=specs(graph.outputs),
    )


@pytest.fixture(scope='module')
def base() -> Bundle:
    return Bundle.load('base')


@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('stage', STAGES)
def test_tensorrt_rtx_builds_the_shipped_bundle(
    logger: Any, base: Bundle, stage: str, precision: str
) -> None:
    check_build(logger, precision, base.graphs[stage], base.manifest.stages[stage])


@pytest.mark.torch
@pytest.mark.parametrize(('modality', 'names'), ENCODERS)
def test_tensorrt_rtx_builds_every_other_encoder(
    logger: Any, modality: str, names: dict[str, str]
) -> None:
    from mm_fusion.export.graphs import export_encoder

    graph = export_encoder(small_network(**names), modality)
    for precision in PRECISIONS:
        check_build(logger, precision, graph.content, described(modality, graph))


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize('fusion', FUSIONS)
def test_tensorrt_rtx_builds_every_strategy(logger: Any, fusion: str) -> None:
    from mm_fusion.export.graphs import export_fusion

    graph = export_fusion(small_network(fusion=fusion))
    for precision in PRECISIONS:
        check_build(logger, precision, graph.content, described('fusion', graph))


def test_tensorrt_rtx_refuses_what_it_cannot_build(base: Bundle) -> None:
    """The check can fail: bytes moved before they are cast are refused, as TensorRT does."""
    model = onnx.load_from_string(base.graphs['image_encoder'])
    cast, moved = model.graph.node[:2]
    assert [cast.op_type, moved.op_type] == ['Cast', 'Transpose']
    image, between, last = cast.input[0], cast.output[0], moved.output[0]
    nodes = [
        onnx.helper.make_node('Transpose', [image], [between], perm=[0, 3, 1, 2]),
        onnx.helper.make_node('Cast', [between], [last], to=onnx.TensorProto.FLOAT),
    ]
    del model.graph.value_info[:]
    for node, made in zip((cast, moved), nodes, strict=True):
        node.CopyFrom(made)
    silent = rtx.Logger(rtx.Logger.INTERNAL_ERROR)
    with pytest.raises(BackendError, match=r'(?s)cannot read image_encoder\.onnx: .*UInt8'):
        build_plan(
            rtx,
            silent,
            model.SerializeToString(),
            base.manifest.stages['image_encoder'],
            configure=for_ampere,
        )
