# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Graphs at other precisions, derived from the float32 graphs of a bundle.

The precision stands in the graph, as every TensorRT of today wants it: half tensors for ``fp16``,
and pairs of QuantizeLinear and DequantizeLinear for ``int8`` (as TensorRT takes it) and
``int8_cpu`` (as ONNX Runtime fuses it). The same graph always gives the same bytes. Only here, at
run time, is the package ``onnx`` needed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mm_fusion.errors import BundleError
from mm_fusion.runtime.manifest import INT8_CPU

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx


def derive(
    graphs: Mapping[str, bytes],
    precision: str,
    intervals: Mapping[str, Mapping[str, tuple[float, float]]],
) -> dict[str, bytes]:
    """Derive every stage at a precision.

    Args:
        graphs: The float32 ONNX graph of each stage.
        precision: ``fp16``, ``int8`` or ``int8_cpu``.
        intervals: Lowest and highest value of each tensor to be quantised, by stage.

    Raises:
        BundleError: onnx is not installed, a graph is not as expected, or there is no such
            precision.
    """
    if precision == 'fp16':
        return {stage: fp16_graph(graph) for stage, graph in graphs.items()}
    if precision in ('int8', INT8_CPU):
        return {
            stage: int8_graph(graph, intervals.get(stage, {}), affine=precision == INT8_CPU)
            for stage, graph in graphs.items()
        }
    raise BundleError(f'found precision {precision!r}, expected fp16, int8 or {INT8_CPU}')


def checksums(graphs: Mapping[str, bytes]) -> dict[str, str]:
    """Give the sha256 of each graph."""
    return {stage: hashlib.sha256(graph).hexdigest() for stage, graph in graphs.items()}


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


def int8_graph(
    graph: bytes, intervals: Mapping[str, tuple[float, float]], *, affine: bool
) -> bytes:
    """Derive a graph whose convolutions are quantised, their weights by output channel.

    Args:
        graph: In float32.
        intervals: Lowest and highest value of each tensor to be quantised, by its name; a
            convolution whose input is not named stays float32.
        affine: As ONNX Runtime fuses it on the CPU; else symmetric, as TensorRT takes it.

    Raises:
        BundleError: onnx is not installed or cannot read the graph, or a name of ``intervals``
            belongs to no convolution.
    """
    from mm_fusion.runtime.precision_int8 import quantise

    model = _model(graph)
    quantise(model, intervals, affine=affine)
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
