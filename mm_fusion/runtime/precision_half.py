# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Half tensors in a float32 graph.

Half from the first to the last product of a chain: convolutions, matrix products and recurrent
layers carry the cost, and what lies between them follows. What precedes the first and follows the
last of them stays float32, and so does what half cannot hold (see ``_takes_half``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mm_fusion.runtime.precision_nodes import exact_nodes

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from onnx import GraphProto, ModelProto, NodeProto

HALF = '/half'
"""Ends the name of every half tensor."""
_PRODUCTS = frozenset({'Conv', 'GRU', 'Gemm', 'LSTM', 'MatMul'})
_FOLLOWERS = frozenset(
    {
        *('Add', 'Clip', 'Concat', 'Div', 'Erf', 'Gather', 'LayerNormalization', 'MaxPool', 'Mul'),
        *('Neg', 'ReduceMax', 'ReduceMean', 'Relu', 'Reshape', 'Sigmoid', 'Slice', 'Split'),
        *('Squeeze', 'Sub', 'Tanh', 'Transpose', 'Unsqueeze', 'Where'),
    }
)
"""What is half where its input is. Not among them: Exp, Log, Softmax, ReduceSum, Sqrt, Pow."""
_LARGEST = float(np.finfo(np.float16).max)
_SMALLEST = float(np.finfo(np.float16).smallest_normal)


def to_half(model: ModelProto) -> None:
    """Make the inner tensors of a float32 model half, in place; inputs and outputs stay."""
    graph = model.graph
    floats = _float_tensors(model)
    half = _half_nodes(graph, floats)
    _rewrite(graph, floats, half)
    del graph.value_info[:]


def _float_tensors(model: ModelProto) -> AbstractSet[str]:
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    found = {
        value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    return found | {
        tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT
    }


def _half_nodes(graph: GraphProto, floats: AbstractSet[str]) -> AbstractSet[int]:
    constants = {tensor.name: tensor for tensor in graph.initializer}
    exact = exact_nodes(graph)
    half: set[int] = set()
    tensors: set[str] = set()
    for index, node in enumerate(graph.node):
        follows = node.op_type in _FOLLOWERS and bool(tensors & set(node.input))
        if index in exact or not (follows or node.op_type in _PRODUCTS):
            continue
        if all(
            _fits_half(constants[name]) for name in node.input if name in floats & constants.keys()
        ):
            half.add(index)
            tensors |= set(node.output)
    needed: set[str] = set()
    for index in sorted(half, reverse=True):
        node = graph.node[index]
        if node.op_type in _PRODUCTS or needed & set(node.output):
            needed |= set(node.input)
        else:
            half.remove(index)
    return half


def _fits_half(tensor: TensorProto) -> bool:
    """Tell whether half holds a constant: not large masks, nor small guards of divisions.

    Weights, of which there are many, may lose the smallest to zero.
    """
    values = np.abs(numpy_helper.to_array(tensor))
    if values.size == 0:
        return True
    guards = values[values > 0] if values.size == 1 else values[:0]
    return bool(values.max() <= _LARGEST and (guards >= _SMALLEST).all())


def _rewrite(graph: GraphProto, floats: AbstractSet[str], half: AbstractSet[int]) -> None:
    """Name the half version of each tensor, and make it where it is asked for."""
    asked_half = {name for index in half for name in graph.node[index].input if name in floats}
    asked_float = {value.name for value in graph.output}
    for index, node in enumerate(graph.node):
        if index not in half:
            asked_float |= set(node.input)
    nodes = [_cast(value.name, half=True) for value in graph.input if value.name in asked_half]
    for index, node in enumerate(graph.node):
        made = [name for name in node.output if name in floats]
        if index in half:
            _rename(node, floats)
        nodes.append(node)
        others = asked_float if index in half else asked_half
        nodes += [_cast(name, half=index not in half) for name in made if name in others]
    tensors = [
        numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), _half_name(tensor.name)
        )
        for tensor in graph.initializer
        if tensor.name in asked_half
    ]
    only_half = asked_half - asked_float
    tensors += [tensor for tensor in graph.initializer if tensor.name not in only_half]
    for part, kept in ((graph.node, nodes), (graph.initializer, tensors)):
        del part[:]
        part.extend(kept)


def _rename(node: NodeProto, floats: AbstractSet[str]) -> None:
    for names in (node.input, node.output):
        names[:] = [_half_name(name) if name in floats else name for name in names]


def _half_name(name: str) -> str:
    return f'{name}{HALF}'


def _cast(name: str, *, half: bool) -> NodeProto:
    if half:
        return helper.make_node('Cast', [name], [_half_name(name)], to=TensorProto.FLOAT16)
    return helper.make_node('Cast', [_half_name(name)], [name], to=TensorProto.FLOAT)
