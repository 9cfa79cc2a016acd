# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Which convolutions of a stage are better left in float32 than quantised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort

from mm_fusion.runtime.precision import int8_graph
from mm_fusion.runtime.precision_int8 import convolved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SENSITIVE = 0.02
"""Root mean square of what int8 may change in the outputs of a stage, relative to their own."""


def sensitive(
    graph: bytes,
    intervals: Mapping[str, tuple[float, float]],
    inputs: Sequence[Mapping[str, NDArray[Any]]],
    threads: int,
) -> list[str]:
    """Quantise one convolution after another, alone, and name what is better left in float32.

    That is the first convolutions, to the last of those which change the outputs by more than
    ``SENSITIVE``: others between them would gain less than the conversions around them cost.

    Args:
        graph: ONNX graph of the stage, float32.
        intervals: Lowest and highest value by tensor.
        inputs: Samples, as the stage takes them.
        threads: Of one run; 0 lets ONNX Runtime choose.

    Returns:
        Inputs of those convolutions, in order.
    """
    expected = _outputs(graph, inputs, threads)
    allowed = SENSITIVE * np.linalg.norm(expected)
    names = [name for name in convolved(onnx.load_model_from_string(graph)) if name in intervals]
    count = 0
    for index, name in enumerate(names):
        alone = int8_graph(graph, {name: intervals[name]}, affine=False)
        if np.linalg.norm(_outputs(alone, inputs, threads) - expected) > allowed:
            count = index + 1
    return names[:count]


def _outputs(
    graph: bytes, inputs: Sequence[Mapping[str, NDArray[Any]]], threads: int
) -> NDArray[np.float32]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(graph, options, providers=['CPUExecutionProvider'])
    runs = [session.run(None, dict(values)) for values in inputs]
    return np.concatenate([np.ravel(value) for run in runs for value in run])
