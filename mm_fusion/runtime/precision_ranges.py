# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The range of each tensor that int8 can hold, observed while a float32 graph runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from mm_fusion.runtime.precision_int8 import quantisable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_DIGITS = 6
"""Significant digits of a range; far more than a step of int8 has."""


class RangeObserver:
    """Run one stage on samples, and keep the ends of the range of each tensor of interest.

    Args:
        graph: The stage's ONNX graph, float32.
        threads: Of one run; 0 lets ONNX Runtime choose.
    """

    def __init__(self, graph: bytes, threads: int) -> None:
        model = onnx.load_model_from_string(graph)
        self._names = quantisable(model)
        # ONNX Runtime takes a maximum of whole steps where both sides have the same steps.
        self._maxima = {
            node.output[0]: node.input[0]
            for node in model.graph.node
            if node.op_type == 'MaxPool' and {node.input[0], node.output[0]} <= {*self._names}
        }
        there = {value.name for value in (*model.graph.input, *model.graph.output)}
        model.graph.output.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in self._names
            if name not in there
        )
        self._inputs = {value.name for value in model.graph.input}
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(
            model.SerializeToString(), options, providers=['CPUExecutionProvider']
        )
        self._ends = dict.fromkeys(self._names, (0.0, 0.0))

    def observe(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        """Run the stage on one sample.

        Args:
            inputs: As the stage takes them.
        """
        inner = [name for name in self._names if name not in self._inputs]
        values = {**inputs}
        if inner:
            values.update(zip(inner, self._session.run(inner, dict(inputs)), strict=True))
        for name in self._names:
            low, high = self._ends[name]
            found = values[name]
            self._ends[name] = min(low, float(found.min())), max(high, float(found.max()))

    def intervals(self) -> dict[str, tuple[float, float]]:
        """Give the ends by tensor, 0 between them; tensors that were always 0 are left out."""
        ends = {name: self._ends[self._maxima.get(name, name)] for name in self._names}
        return {
            name: (_short(low), _short(high)) for name, (low, high) in ends.items() if low != high
        }


def _short(value: float) -> float:
    return float(f'{value:.{_DIGITS}g}')
