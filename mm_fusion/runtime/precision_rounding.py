# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What half costs, made visible on the CPU.

ONNX Runtime has few kernels for half on the CPU. It computes the others in float32 and drops the
conversion to half and back between two of them, so that a graph of half tensors seems better, and
overflows later, than it does on a device.
"""

from __future__ import annotations

import onnx
from onnx import helper

from mm_fusion.runtime.precision_half import HALF


def rounding_graph(graph: bytes) -> bytes:
    """Let every half tensor of a graph pass an operator that ONNX Runtime computes in half.

    Args:
        graph: From ``fp16_graph``.

    Returns:
        A graph that says the same where half is computed in half.
    """
    model = onnx.load_model_from_string(graph)
    nodes = []
    for node in model.graph.node:
        names = [name for name in node.output if name.endswith(HALF)]
        node.output[:] = [_raw(name) if name in names else name for name in node.output]
        nodes.append(node)
        # The largest of one value is that value.
        nodes += [helper.make_node('Max', [_raw(name)], [name]) for name in names]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _raw(name: str) -> str:
    return f'{name}/raw'
