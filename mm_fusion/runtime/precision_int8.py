# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear and DequantizeLinear around the convolutions of a float32 graph.

Only convolutions, symmetric and with int8 throughout: that is what TensorRT and TensorRT-RTX take
(no zero points, no uint8; RTX has no quantised matrix product of activations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import helper, numpy_helper

from mm_fusion.errors import BundleError
from mm_fusion.runtime.precision_nodes import exact_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onnx import GraphProto, ModelProto, NodeProto

_STEPS = 127.0
_LEAST_SCALE = 1e-10


def quantisable(model: ModelProto) -> list[str]:
    """Name the tensors that convolutions take and int8 can hold, each once, in order.

    Not among them: those of the power spectrogram, whose logarithm needs float32.
    """
    return list(dict.fromkeys(node.input[0] for node in _convolutions(model.graph)))


def quantise_convolutions(model: ModelProto, ranges: Mapping[str, float]) -> None:
    """Quantise, in place, the convolutions whose input ``ranges`` names, and their weights.

    Args:
        model: In float32.
        ranges: Largest absolute value by tensor; larger ones saturate.

    Raises:
        BundleError: A name is no input of a convolution that can be quantised.
    """
    graph = model.graph
    unknown = sorted(set(ranges) - set(quantisable(model)))
    if unknown:
        raise BundleError(f'int8: found a range of {unknown[0]}, expected inputs of convolutions')
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == 'Conv' and node.input[0] in ranges:
            nodes += _pair(graph, node, ranges[node.input[0]])
        nodes.append(node)
    used = {name for node in nodes for name in node.input}
    tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    for part, kept in ((graph.node, nodes), (graph.initializer, tensors)):
        del part[:]
        part.extend(kept)


def _convolutions(graph: GraphProto) -> list[NodeProto]:
    exact = exact_nodes(graph)
    constants = {tensor.name for tensor in graph.initializer}
    return [
        node
        for index, node in enumerate(graph.node)
        if node.op_type == 'Conv' and index not in exact and node.input[1] in constants
    ]


def _pair(graph: GraphProto, node: NodeProto, largest: float) -> list[NodeProto]:
    """Quantise the input and the weights of a convolution, which takes the results."""
    data, weights = node.input[:2]
    place = f'{node.output[0]}/int8'
    values = next(
        numpy_helper.to_array(item) for item in graph.initializer if item.name == weights
    )
    channels = np.abs(values).reshape(len(values), -1).max(axis=1)
    scales = np.maximum(channels / _STEPS, _LEAST_SCALE).astype(np.float32)
    rows = scales.reshape(-1, *(1,) * (values.ndim - 1))
    steps = np.clip(np.rint(values / rows), -_STEPS, _STEPS).astype(np.int8)
    constants = {
        f'{place}/scale': np.float32(max(largest / _STEPS, _LEAST_SCALE)),
        f'{place}/zero': np.int8(0),
        f'{place}/weights': steps,
        f'{place}/weights/scale': scales,
        f'{place}/weights/zero': np.zeros(len(scales), np.int8),
    }
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    scale, zero, whole, row_scales, row_zeros = constants
    node.input[:2] = [f'{place}/data', f'{place}/weights/data']
    return [
        helper.make_node('QuantizeLinear', [data, scale, zero], [f'{place}/steps']),
        helper.make_node('DequantizeLinear', [f'{place}/steps', scale, zero], [node.input[0]]),
        helper.make_node(
            'DequantizeLinear', [whole, row_scales, row_zeros], [node.input[1]], axis=0
        ),
    ]
