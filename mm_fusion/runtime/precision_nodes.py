# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the converters ask of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from onnx import GraphProto


def exact_nodes(graph: GraphProto) -> AbstractSet[int]:
    """Find the nodes that lead to a logarithm, and the logarithms themselves.

    A logarithm turns relative errors of its input into absolute ones, so that what comes before
    it (the power spectrogram) needs the range and the digits of float32.

    Returns:
        Indices into ``graph.node``.
    """
    wanted: set[str] = set()
    found: set[int] = set()
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if node.op_type == 'Log' or wanted & set(node.output):
            found.add(index)
            wanted |= set(node.input)
    return found
