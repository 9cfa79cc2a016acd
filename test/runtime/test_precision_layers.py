# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Convolutions that int8 harms stay in float32, and so do those before them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from mm_fusion.runtime.precision_layers import sensitive

FINE, COARSE = (-4.0, 4.0), (-1000.0, 1000.0)


def three_convolutions() -> bytes:
    """Chain three convolutions, each of which keeps the size of what it takes."""
    random = np.random.default_rng(0)
    turns = [np.linalg.qr(random.normal(size=(4, 4)))[0].astype(np.float32) for _ in range(3)]
    graph = helper.make_graph(
        [
            helper.make_node('Conv', ['first', 'w0'], ['second']),
            helper.make_node('Conv', ['second', 'w1'], ['third']),
            helper.make_node('Conv', ['third', 'w2'], ['answer']),
        ],
        'three',
        [helper.make_tensor_value_info('first', TensorProto.FLOAT, [1, 4, 6])],
        [helper.make_tensor_value_info('answer', TensorProto.FLOAT, [1, 4, 6])],
        [
            numpy_helper.from_array(turn[..., None], f'w{index}')
            for index, turn in enumerate(turns)
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize(
    ('coarse', 'expected'),
    [
        ((), []),
        (('first',), ['first']),
        (('second',), ['first', 'second']),
        (('first', 'second'), ['first', 'second']),
        (('third',), ['first', 'second', 'third']),
    ],
)
def test_everything_to_the_last_sensitive_one_is_named(
    coarse: tuple[str, ...], expected: list[str]
) -> None:
    intervals = {name: COARSE if name in coarse else FINE for name in ('first', 'second', 'third')}
    random = np.random.default_rng(1)
    inputs = [{'first': random.normal(size=(1, 4, 6)).astype(np.float32)} for _ in range(4)]
    assert sensitive(three_convolutions(), intervals, inputs, 1) == expected


def test_what_is_not_to_be_quantised_is_not_tried() -> None:
    inputs = [{'first': np.ones((1, 4, 6), np.float32)}]
    assert sensitive(three_convolutions(), {'second': COARSE}, inputs, 1) == ['second']
