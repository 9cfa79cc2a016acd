# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What the converters ask of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from onnx import GraphProto


_ANGLES = frozenset({'Cos', 'Sin'})


def exact_nodes(graph: GraphProto) -> AbstractSet[int]:
    """Find the nodes that need the range and the digits of float32.

    A logarithm turns relative errors of its input into absolute ones: what comes before it (the
    power spectrogram) is exact, and so is it. What comes of a sine or a cosine is a path in
    metres, of which half would keep a decimetre: that, and the angles, are exact as well.

    Returns:
        Indices into ``graph.node``.
    """
    return _leading_to(graph, {'Log'} | _ANGLES) | _coming_of(graph, _ANGLES)


def _leading_to(graph: GraphProto, operators: AbstractSet[str]) -> AbstractSet[int]:
    wanted: set[str] = set()
    found: set[int] = set()
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if node.op_type in operators or wanted & set(node.output):
            found.add(index)
            wanted |= set(node.input)
    return found


def _coming_of(graph: GraphProto, operators: AbstractSet[str]) -> AbstractSet[int]:
    made: set[str] = set()
    found: set[int] = set()
    for index, node in enumerate(graph.node):
        if node.op_type in operators or made & set(node.input):
            found.add(index)
            made |= set(node.output)
    return found
