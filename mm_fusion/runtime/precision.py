# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Graphs at other precisions, derived from the float32 graphs of a bundle.

The precision stands in the graph, as every TensorRT of today wants it: half tensors for ``fp16``,
and pairs of QuantizeLinear and DequantizeLinear around the convolutions for ``int8``. The same
graph always gives the same bytes. Only here, at run time, is the package ``onnx`` needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mm_fusion.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx


def derive(
    graphs: Mapping[str, bytes], precision: str, ranges: Mapping[str, Mapping[str, float]]
) -> dict[str, bytes]:
    """Derive every stage at a precision.

    Args:
        graphs: The float32 ONNX graph of each stage.
        precision: ``fp16`` or ``int8``.
        ranges: Largest absolute value of each tensor to be quantised, by stage; for ``int8``.

    Raises:
        BundleError: onnx is not installed, a graph is not as expected, or there is no such
            precision.
    """
    if precision == 'fp16':
        return {stage: fp16_graph(graph) for stage, graph in graphs.items()}
    if precision == 'int8':
        return {stage: int8_graph(graph, ranges.get(stage, {})) for stage, graph in graphs.items()}
    raise BundleError(f'found precision {precision!r}, expected fp16 or int8')


def as_on_device(graphs: Mapping[str, bytes], precision: str) -> dict[str, bytes]:
    """Give graphs that ONNX Runtime rounds on the CPU as a device rounds those of a precision.

    Args:
        graphs: From ``derive``.
        precision: That they have.
    """
    if precision != 'fp16':
        return dict(graphs)
    from mm_fusion.runtime.precision_rounding import rounding_graph

    return {stage: rounding_graph(graph) for stage, graph in graphs.items()}


def fp16_graph(graph: bytes) -> bytes:
    """Derive a graph of half tensors, whose inputs and outputs keep their types.

    Raises:
        BundleError: onnx is not installed, or cannot read the graph.
    """
    from mm_fusion.runtime.precision_half import to_half

    model = _model(graph)
    to_half(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def int8_graph(graph: bytes, ranges: Mapping[str, float]) -> bytes:
    """Derive a graph whose convolutions are quantised: symmetric, weights by output channel.

    Args:
        graph: In float32.
        ranges: Largest absolute value of the input of each convolution to be quantised, by the
            tensor's name. What is not named stays float32.

    Raises:
        BundleError: onnx is not installed or cannot read the graph, or a name of ``ranges`` is
            no input of a convolution.
    """
    from mm_fusion.runtime.precision_int8 import quantise_convolutions

    model = _model(graph)
    quantise_convolutions(model, ranges)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _model(graph: bytes) -> onnx.ModelProto:
    try:
        import onnx
    except ImportError as error:
        raise BundleError(
            'a precision other than fp32 needs the package onnx: pip install onnx'
        ) from error
    try:
        return onnx.load_model_from_string(graph)
    except Exception as error:  # protobuf's errors have no base of their own
        raise BundleError(f'not an ONNX graph: {error}') from error
