# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear and DequantizeLinear in a float32 graph.

Symmetric and before convolutions only: that is what TensorRT and TensorRT-RTX take (no zero
points, no uint8; RTX has no quantised matrix product of activations). Affine and wherever a
tensor is used: that is what ONNX Runtime fuses on the CPU, where a convolution must find uint8 on
both sides, and a rectifier between them vanishes into a range that begins with 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import helper, numpy_helper

from mm_fusion.errors import BundleError
from mm_fusion.runtime.precision_nodes import exact_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto, NodeProto

_STEPS = 127.0
_UNSIGNED_STEPS = 255.0
_LEAST_SCALE = 1e-10
_RECTIFIERS = ('Clip', 'Relu')


def convolved(model: ModelProto) -> list[str]:
    """Name the tensors that convolutions take and int8 can hold, each once, in order.

    Not among them: those of the power spectrogram, whose logarithm needs float32.
    """
    return list(dict.fromkeys(node.input[0] for node in _convolutions(model.graph)))


def quantisable(model: ModelProto) -> list[str]:
    """Name the tensors that int8 can hold, each once, in order.

    They are what those convolutions take and give (after the rectifier, where one follows), and
    the sums and maxima of such tensors.
    """
    graph = model.graph
    convolutions = {node.output[0] for node in _convolutions(graph)}
    found: dict[str, None] = {}
    for node in graph.node:
        if node.output[0] in convolutions:
            found[node.input[0]] = None
            found[_rectified(graph, node.output[0])] = None
        elif node.op_type in ('Add', 'MaxPool') and all(name in found for name in node.input):
            found[node.output[0]] = None
    return list(found)


def quantise(
    model: ModelProto, intervals: Mapping[str, tuple[float, float]], *, affine: bool
) -> None:
    """Quantise, in place, tensors, and the weights of the convolutions that take them.

    Args:
        model: In float32.
        intervals: Lowest and highest value by tensor, 0 between them; what is beyond saturates.
        affine: Use uint8 with a zero point, for every reader of a tensor; else int8 without one,
            for convolutions alone.

    Raises:
        BundleError: A name is none of ``quantisable``.
    """
    graph = model.graph
    unknown = sorted(set(intervals) - set(quantisable(model)))
    if unknown:
        raise BundleError(f'int8: found a range of {unknown[0]}, expected one of a convolution')
    convolutions = {node.output[0] for node in _convolutions(graph)}
    nodes: list[NodeProto] = []
    made: set[str] = set()
    for node in graph.node:
        convolution = node.output[0] in convolutions and node.input[0] in intervals
        readers = node.input if affine else node.input[:1] if convolution else ()
        taken = [name for name in readers if name in intervals]
        for name in taken:
            if name not in made:
                nodes += _pair(graph, name, *_parameters(*intervals[name], affine=affine))
        if convolution:
            weights = node.input[1]
            if weights not in made:
                nodes.append(_weights(graph, weights, affine=affine))
            taken.append(weights)
        made |= {*taken}
        node.input[:] = [_whole(name) if name in taken else name for name in node.input]
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


def _rectified(graph: GraphProto, name: str) -> str:
    """Give the output of the rectifier that alone reads a tensor, else the tensor itself."""
    readers = [node for node in graph.node if name in node.input]
    if len(readers) == 1 and readers[0].op_type in _RECTIFIERS:
        return str(readers[0].output[0])
    return name


def _whole(name: str) -> str:
    """Name the tensor that comes back from whole steps."""
    return f'{name}/int8'


def _parameters(
    low: float, high: float, *, affine: bool
) -> tuple[np.float32, np.int8] | tuple[np.float32, np.uint8]:
    if not affine:
        return np.float32(max(-low, high, _STEPS * _LEAST_SCALE) / _STEPS), np.int8(0)
    scale = max((high - low) / _UNSIGNED_STEPS, _LEAST_SCALE)
    return np.float32(scale), np.uint8(np.clip(np.rint(-low / scale), 0, _UNSIGNED_STEPS))


def _pair(
    graph: GraphProto, name: str, scale: np.float32, zero: np.int8 | np.uint8
) -> list[NodeProto]:
    place = _whole(name)
    steps, names = f'{place}/steps', [f'{place}/scale', f'{place}/zero']
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), key)
        for key, value in zip(names, (scale, zero), strict=True)
    )
    return [
        helper.make_node('QuantizeLinear', [name, *names], [steps]),
        helper.make_node('DequantizeLinear', [steps, *names], [place]),
    ]


def _weights(graph: GraphProto, name: str, *, affine: bool) -> NodeProto:
    values = next(numpy_helper.to_array(item) for item in graph.initializer if item.name == name)
    rows = values.reshape(len(values), -1)
    most = np.abs(rows).max(axis=1) / _STEPS
    if affine:
        # Each is rounded by less than a step: at most 128 together, and 255 times that fits.
        most = np.maximum(most, _largest_pairs(values) / _STEPS)
    scales = np.maximum(most, _LEAST_SCALE).astype(np.float32)
    steps = _rounded(rows / scales[:, None]).astype(np.int8).reshape(values.shape)
    place = _whole(name)
    constants = {
        f'{place}/steps': steps,
        f'{place}/scale': scales,
        f'{place}/zero': np.zeros(len(scales), np.int8),
    }
    graph.initializer.extend(
        numpy_helper.from_array(value, key) for key, value in constants.items()
    )
    return helper.make_node('DequantizeLinear', list(constants), [place], axis=0)


def _largest_pairs(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Find what two neighbouring weights of one sign add up to at most.

    x86 processors without VNNI multiply bytes in pairs and add the two products in 16 bits, which
    saturate (``vpmaddubsw``). Pairs lie along the input channels, as ONNX Runtime orders weights.
    Depthwise convolutions, of one input channel, it computes otherwise, and exactly.

    Args:
        values: (channels, input channels, ...).

    Returns:
        (channels,).
    """
    if values.shape[1] == 1:
        return np.zeros(len(values), np.float32)
    rows = np.moveaxis(values, 1, -1).reshape(len(values), -1)
    pairs = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2))).reshape(len(values), -1, 2)
    of_one_sign = (np.maximum(sign * pairs, 0.0).sum(axis=2).max(axis=1) for sign in (1.0, -1.0))
    return np.asarray(np.maximum(*of_one_sign), np.float32)


def _rounded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round weights to whole steps so that the errors of each output channel cancel.

    Inputs that are all positive, as those behind a rectifier, turn the sum of the errors into an
    offset, which later layers add up. The weights that lie nearest to the middle between two
    steps take the other one, as in SQuant (Guo et al., ICLR 2022).

    Args:
        rows: Weights of each output channel, in steps.
    """
    steps = np.rint(rows)
    for row, errors in zip(steps, steps - rows, strict=True):
        excess = float(errors.sum())
        sign = np.sign(excess)
        row[np.argsort(-sign * errors, kind='stable')[: round(abs(excess))]] -= sign
    return np.clip(steps, -_STEPS, _STEPS)
