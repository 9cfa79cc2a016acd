# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Graphs at other precisions: what becomes half or int8, what must not, and what comes out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from mm_fusion.errors import BundleError
from mm_fusion.runtime.precision import as_on_device, derive, fp16_graph, int8_graph
from mm_fusion.runtime.precision_int8 import convolved, quantisable
from mm_fusion.runtime.precision_ranges import RangeObserver

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RANDOM = np.random.default_rng(0)
SOUND_KERNEL = RANDOM.normal(size=(4, 1, 16)).astype(np.float32)
WEIGHTS = (RANDOM.normal(size=(5, 4, 3)) * [[[0.1]], [[1]], [[3]], [[0.01]], [[10]]]).astype('f4')
BIAS = RANDOM.normal(size=5).astype(np.float32)
HEAD = RANDOM.normal(0.0, 0.02, (5, 2)).astype(np.float32)
HALF = np.array([0.5], np.float32)
SAMPLES = 64


def graph() -> bytes:
    """Make a tiny spectrogram, a convolution of its logarithm, and a guarded, masked head."""

    def node(kind: str, taken: str, given: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(kind, taken.split(), [given], name=f'make_{given}', **attributes)

    nodes = [
        node('Unsqueeze', 'audio channel', 'lines'),
        node('Conv', 'lines sound_kernel', 'wave'),
        node('Mul', 'wave wave', 'power'),
        node('Add', 'power floor', 'raised'),
        node('Log', 'raised', 'level'),
        node('Div', 'level spread', 'scaled'),
        node('Conv', 'scaled weights bias', 'dense'),
        node('Relu', 'dense', 'rectified'),
        node('Conv', 'rectified second', 'deep'),
        node('ReduceMean', 'deep last', 'mean', keepdims=0),
        node('Reshape', 'mean two', 'shaped'),
        node('Add', 'shaped guard', 'guarded'),
        node('Add', 'shaped mask', 'masked'),
        node('MatMul', 'shaped head', 'product'),
        node('Tanh', 'product', 'tanh'),
        node('MatMul', 'tanh back', 'answer'),
    ]
    constants = {
        'channel': np.array([1]),
        'sound_kernel': SOUND_KERNEL,
        'floor': np.float32(1e-10),
        'spread': np.float32(2.0),
        'weights': WEIGHTS,
        'bias': BIAS,
        'second': RANDOM.normal(size=(5, 5, 1)).astype(np.float32),
        'last': np.array([2]),
        'two': np.array([1, 5]),
        'guard': np.float32(1e-7),
        'mask': np.float32(-1e9),
        'head': HEAD,
        'back': HEAD.T.copy(),
    }
    made = helper.make_graph(
        nodes,
        'tiny',
        [helper.make_tensor_value_info('audio', TensorProto.FLOAT, [1, SAMPLES])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 5])
            for name in ('answer', 'guarded', 'masked')
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid('', 18)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


GRAPH = graph()


def parsed(content: bytes) -> onnx.GraphProto:
    model = onnx.load_model_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    return model.graph


def types(content: bytes) -> dict[str, str]:
    """Tell the type of every tensor, constants among them."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(content), strict_mode=True)
    values = (*model.graph.input, *model.graph.output, *model.graph.value_info)
    found = {value.name: value.type.tensor_type.elem_type for value in values}
    found |= {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    return {name: TensorProto.DataType.Name(kind) for name, kind in found.items()}


def constants(content: bytes) -> dict[str, NDArray[Any]]:
    return {item.name: numpy_helper.to_array(item) for item in parsed(content).initializer}


def run(content: bytes, audio: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    session = ort.InferenceSession(content, providers=['CPUExecutionProvider'])
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, {'audio': audio}), strict=True))


def sound(loudness: float = 0.3, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return random.normal(0.0, loudness, (1, SAMPLES)).astype(np.float32)


def observed(count: int = 20) -> dict[str, tuple[float, float]]:
    observer = RangeObserver(GRAPH, 1)
    for seed in range(count):
        observer.observe({'audio': sound(seed=seed)})
    return observer.intervals()


def test_inputs_and_outputs_keep_their_types() -> None:
    quantised = [int8_graph(GRAPH, observed(), affine=affine) for affine in (False, True)]
    for content in (fp16_graph(GRAPH), *quantised):
        kinds = types(content)
        assert {kinds[name] for name in ('audio', 'answer', 'guarded', 'masked')} == {'FLOAT'}


def test_half_reaches_from_the_first_to_the_last_product() -> None:
    kinds = types(fp16_graph(GRAPH))
    for name in ('weights', 'bias', 'second', 'head', 'dense', 'rectified', 'tanh', 'answer'):
        assert kinds[f'{name}/half'] == 'FLOAT16', name
    assert 'weights' not in kinds
    assert kinds['two'] == 'INT64'


def test_what_leads_to_a_logarithm_stays_float32() -> None:
    kinds = types(fp16_graph(GRAPH))
    for name in ('sound_kernel', 'wave', 'power', 'raised', 'level', 'floor'):
        assert kinds[name] == 'FLOAT', name
        assert f'{name}/half' not in kinds


def test_constants_that_half_cannot_hold_stay_float32() -> None:
    kinds = types(fp16_graph(GRAPH))
    for name in ('guard', 'mask', 'guarded', 'masked'):
        assert kinds[name] == 'FLOAT', name
        assert f'{name}/half' not in kinds


@pytest.mark.parametrize('loudness', [1e-6, 0.3, 1.0])
def test_half_says_what_float32_says(loudness: float) -> None:
    audio = sound(loudness)
    expected, found = run(GRAPH, audio), run(fp16_graph(GRAPH), audio)
    for name, values in expected.items():
        assert values.dtype == found[name].dtype
        np.testing.assert_allclose(found[name], values, rtol=0.01, atol=0.02, err_msg=name)
    assert not np.array_equal(found['answer'], expected['answer'])


def test_the_rounding_of_half_is_seen_on_the_cpu() -> None:
    """ONNX Runtime computes in float32 what it can, and drops the conversions between."""
    half, audio = fp16_graph(GRAPH), sound()
    seen = as_on_device({'stage': half}, 'fp16')['stage']
    expected, hidden, found = (run(content, audio)['answer'] for content in (GRAPH, half, seen))
    assert not np.array_equal(found, hidden)
    np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.02)
    assert as_on_device({'stage': GRAPH}, 'int8') == {'stage': GRAPH}


def test_the_convolutions_are_quantised_by_channel_and_symmetric() -> None:
    content = int8_graph(GRAPH, {'scaled': (-12.7, 3.0)}, affine=False)
    values = constants(content)
    pair = parsed(content).node
    conv = next(node for node in pair if node.op_type == 'Conv' and node.output[0] == 'dense')
    makers = {name: node for node in pair for name in node.output}
    data, weights = (makers[name] for name in conv.input[:2])
    assert [data.op_type, weights.op_type] == ['DequantizeLinear', 'DequantizeLinear']
    quantise = makers[data.input[0]]
    assert quantise.op_type == 'QuantizeLinear'
    assert quantise.input[0] == 'scaled'
    assert quantise.input[1:] == data.input[1:]
    assert values[data.input[1]] == pytest.approx(0.1)
    steps, scales, zeros = (values[name] for name in weights.input)
    assert steps.dtype == zeros.dtype == values[data.input[2]].dtype == np.int8
    assert not zeros.any()
    assert values[data.input[2]] == 0
    assert np.abs(steps.reshape(5, -1)).max(axis=1).tolist() == [127] * 5
    errors = steps - WEIGHTS / scales[:, None, None]
    assert np.abs(errors).max() < 1.0
    np.testing.assert_allclose(scales, np.abs(WEIGHTS).max(axis=(1, 2)) / 127)
    np.testing.assert_array_equal(values[conv.input[2]], BIAS)
    assert 'weights' not in values


def test_only_the_convolutions_that_are_named_are_quantised() -> None:
    assert convolved(onnx.load_from_string(GRAPH)) == ['scaled', 'rectified']
    assert quantisable(onnx.load_from_string(GRAPH)) == ['scaled', 'rectified', 'deep']
    assert list(observed()) == ['scaled', 'rectified', 'deep']
    for affine in (False, True):
        content = int8_graph(GRAPH, {'scaled': (-4.0, 4.0)}, affine=affine)
        one = [node.op_type for node in parsed(content).node]
        assert one.count('QuantizeLinear') == 1
        assert one.count('DequantizeLinear') == 2
        assert int8_graph(GRAPH, {}, affine=affine) == GRAPH


def test_symmetric_steps_are_for_convolutions_alone() -> None:
    everything, taken = observed(), {**observed()}
    del taken['deep']
    assert int8_graph(GRAPH, everything, affine=False) == int8_graph(GRAPH, taken, affine=False)
    affine = int8_graph(GRAPH, everything, affine=True)
    mean = next(node for node in parsed(affine).node if node.op_type == 'ReduceMean')
    assert mean.input[0] == 'deep/int8'


def test_affine_steps_use_the_whole_range() -> None:
    content = int8_graph(GRAPH, {'scaled': (-12.7, 3.0), 'rectified': (0.0, 5.1)}, affine=True)
    values = constants(content)
    assert values['scaled/int8/scale'] == pytest.approx(15.7 / 255)
    assert values['scaled/int8/zero'] == round(12.7 * 255 / 15.7)
    assert values['rectified/int8/scale'] == pytest.approx(0.02)
    assert values['rectified/int8/zero'] == 0
    kinds = types(content)
    assert {kinds[f'{name}/int8/steps'] for name in ('scaled', 'rectified')} == {'UINT8'}
    assert kinds['weights/int8/steps'] == 'INT8'


def residual(rectifier: str) -> bytes:
    """Make two rectified convolutions, a third beside a bypass, their sum, and a maximum."""
    clip = rectifier == 'Clip'
    nodes = [
        helper.make_node('Conv', ['sound', 'first', 'bias'], ['a']),
        helper.make_node(rectifier, ['a', 'low', 'high'] if clip else ['a'], ['b']),
        helper.make_node('Conv', ['b', 'second', 'bias'], ['c']),
        helper.make_node(rectifier, ['c', 'low', 'high'] if clip else ['c'], ['d']),
        helper.make_node('Conv', ['d', 'third', 'bias'], ['e']),
        helper.make_node('Add', ['b', 'e'], ['f']),
        helper.make_node('MaxPool', ['f'], ['g'], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node('ReduceMean', ['g', 'axes'], ['answer'], keepdims=0),
    ]
    weights = {
        name: RANDOM.normal(0.0, 0.3, (8, 8, 1, 1)).astype(np.float32)
        for name in ('first', 'second', 'third')
    }
    bias = RANDOM.normal(0.5, 0.2, 8).astype(np.float32)
    ends = {'low': np.float32(0.0), 'high': np.float32(6.0)} if clip else {}
    values = {**weights, **ends, 'bias': bias, 'axes': np.array([2, 3])}
    made = helper.make_graph(
        nodes,
        'residual',
        [helper.make_tensor_value_info('sound', TensorProto.FLOAT, [1, 8, 8, 8])],
        [helper.make_tensor_value_info('answer', TensorProto.FLOAT, [1, 8])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid('', 18)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize('affine', [False, True])
def test_the_errors_of_the_weights_of_a_channel_cancel(affine: bool) -> None:
    graph = residual('Relu')
    weights = constants(graph)['second'].reshape(8, -1)
    values = constants(int8_graph(graph, {'b': (0.0, 1.0)}, affine=affine))
    exact = weights / values['second/int8/scale'][:, None]
    errors = values['second/int8/steps'].reshape(8, -1) - exact
    assert np.abs(errors.sum(axis=1)).max() <= 0.501
    assert np.abs(errors).max() < 1.0
    nearest = np.rint(exact) - exact
    assert np.abs(nearest.sum(axis=1)).max() > 0.6


def dense(weights: NDArray[np.float32]) -> bytes:
    """Make one convolution between rectifiers, which ONNX Runtime runs on bytes alone."""
    channels, taken = weights.shape[:2]
    nodes = [
        helper.make_node('Relu', ['sound'], ['heard']),
        helper.make_node('Conv', ['heard', 'kernel'], ['told'], pads=[1, 1, 1, 1]),
        helper.make_node('Relu', ['told'], ['rectified']),
        helper.make_node('Mul', ['rectified', 'half'], ['answer']),
    ]
    graph = helper.make_graph(
        nodes,
        'dense',
        [helper.make_tensor_value_info('sound', TensorProto.FLOAT, [1, taken, 8, 8])],
        [helper.make_tensor_value_info('answer', TensorProto.FLOAT, [1, channels, 8, 8])],
        [numpy_helper.from_array(weights, 'kernel'), numpy_helper.from_array(HALF, 'half')],
    )
    opset = helper.make_opsetid('', 18)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize('taken', [5, 16])
def test_no_sum_of_two_products_of_bytes_leaves_16_bits(taken: int, tmp_path: Path) -> None:
    # All weights are near the largest, all inputs at their highest: the worst there is.
    weights = RANDOM.uniform(0.9, 1.0, (8, taken, 3, 3)).astype(np.float32)
    weights *= RANDOM.choice([-1, 1], (8, 1, 1, 1))
    most = 9.0 * taken
    graph = int8_graph(
        dense(weights), {'heard': (0.0, 1.0), 'rectified': (0.0, most)}, affine=True
    )
    steps = np.moveaxis(constants(graph)['kernel/int8/steps'].astype(int), 1, -1).reshape(8, -1)
    pairs = np.pad(steps, ((0, 0), (0, steps.shape[1] % 2))).reshape(8, -1, 2).sum(axis=2)
    assert 110 < np.abs(pairs).max() <= 128
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / 'optimised.onnx')
    session = ort.InferenceSession(graph, options, providers=['CPUExecutionProvider'])
    kinds = [node.op_type for node in onnx.load(tmp_path / 'optimised.onnx').graph.node]
    assert kinds.count('QLinearConv') == 1
    found = session.run(None, {'sound': np.ones((1, taken, 8, 8), np.float32)})[0]
    inside = 0.5 * np.maximum(weights.sum(axis=(1, 2, 3)), 0.0)
    np.testing.assert_allclose(found[0, :, 4, 4], inside, atol=0.01 * most)
    assert inside.max() > 0.4 * most


@pytest.mark.parametrize('rectifier', ['Clip', 'Relu'])
def test_onnxruntime_fuses_affine_steps_into_whole_layers(rectifier: str, tmp_path: Path) -> None:
    graph = residual(rectifier)
    sound = RANDOM.normal(size=(1, 8, 8, 8)).astype(np.float32)
    observer = RangeObserver(graph, 1)
    observer.observe({'sound': sound})
    intervals = observer.intervals()
    assert list(intervals) == ['sound', 'b', 'd', 'e', 'f', 'g']
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / 'optimised.onnx')
    content = int8_graph(graph, intervals, affine=True)
    session = ort.InferenceSession(content, options, providers=['CPUExecutionProvider'])
    kinds = [node.op_type for node in onnx.load(tmp_path / 'optimised.onnx').graph.node]
    assert (kinds.count('QLinearConv'), kinds.count('QLinearAdd')) == (3, 1)
    assert (kinds.count('QuantizeLinear'), kinds.count('DequantizeLinear')) == (1, 1)
    assert not {'Conv', 'FusedConv', 'Clip', 'Relu', 'Add'} & set(kinds)
    expected = ort.InferenceSession(graph, providers=['CPUExecutionProvider'])
    before, after = (it.run(None, {'sound': sound})[0] for it in (expected, session))
    np.testing.assert_allclose(after, before, atol=0.05)
    assert not np.array_equal(after, before)


@pytest.mark.parametrize('name', ['lines', 'shaped', 'audio', 'nothing'])
def test_a_range_of_anything_else_is_refused(name: str) -> None:
    with pytest.raises(BundleError, match=f'found a range of {name}'):
        int8_graph(GRAPH, {name: (-1.0, 1.0)}, affine=True)


@pytest.mark.parametrize('affine', [False, True])
def test_int8_says_about_what_float32_says(affine: bool) -> None:
    audio, intervals = sound(), observed()
    expected = run(GRAPH, audio)
    found = run(int8_graph(GRAPH, intervals, affine=affine), audio)
    error = np.abs(found['answer'] - expected['answer']).max()
    assert 0.0 < error < 0.1 * np.abs(expected['answer']).max()
    narrow = {**intervals, 'scaled': (-0.01, 0.01)}
    clipped = run(int8_graph(GRAPH, narrow, affine=affine), audio)['guarded']
    assert np.abs(clipped - expected['guarded']).max() > 0.5


def test_the_ends_are_what_is_observed() -> None:
    quiet, loud = sound(0.01), sound(1.0)
    observer = RangeObserver(GRAPH, 1)
    observer.observe({'audio': quiet})
    before = observer.intervals()
    observer.observe({'audio': loud})
    observer.observe({'audio': quiet})
    waves = np.lib.stride_tricks.sliding_window_view(quiet[0], 16) @ SOUND_KERNEL[:, 0].T
    level = np.log(waves**2 + 1e-10) / 2
    ends = (min(0.0, level.min()), max(0.0, level.max()))
    assert before['scaled'] == pytest.approx(ends, rel=1e-3)
    assert before['rectified'][0] == 0.0
    assert observer.intervals()['rectified'][1] > before['rectified'][1]


def test_the_same_graph_gives_the_same_bytes() -> None:
    intervals = observed()
    backwards = dict(reversed(intervals.items()))
    assert fp16_graph(GRAPH) == fp16_graph(GRAPH)
    for affine in (False, True):
        made = [int8_graph(GRAPH, given, affine=affine) for given in (intervals, backwards)]
        assert made[0] == made[1]


def test_what_is_no_graph_or_no_precision_is_refused() -> None:
    with pytest.raises(BundleError, match='not an ONNX graph'):
        fp16_graph(b'\xff\xff\xff')
    with pytest.raises(BundleError, match="found precision 'fp4'"):
        derive({'stage': GRAPH}, 'fp4', {})


def test_without_onnx_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(BundleError, match='needs the package onnx'):
        derive({'stage': GRAPH}, 'fp16', {})


def path_graph() -> bytes:
    """Make a path: features, by a product, turn a heading; velocities along it add up."""
    steps = [
        helper.make_node('MatMul', ['features', 'weights'], ['rates']),
        helper.make_node('MatMul', ['rates', 'sums'], ['headings']),
        helper.make_node('Cos', ['headings'], ['along']),
        helper.make_node('Mul', ['along', 'rates'], ['velocities']),
        helper.make_node('MatMul', ['velocities', 'sums'], ['path']),
        helper.make_node('MatMul', ['features', 'weights'], ['other']),
        helper.make_node('MatMul', ['other', 'sums'], ['answer']),
    ]
    constants = {
        'weights': np.full((3, 4), 0.3, np.float32),
        'sums': np.triu(np.full((4, 4), 0.5, np.float32)),
    }
    made = helper.make_graph(
        steps,
        'path',
        [helper.make_tensor_value_info('features', TensorProto.FLOAT, (1, 3))],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 4))
            for name in ('path', 'answer')
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid('', 18)], ir_version=10)
    return bytes(model.SerializeToString())


def test_a_path_in_metres_stays_float32_from_its_angles_on() -> None:
    half = parsed(fp16_graph(path_graph()))
    made = {name for step in half.node for name in step.output}
    assert {'rates', 'headings', 'along', 'velocities', 'path'} <= made
    assert 'other/half' in made
    assert not {f'{name}/half' for name in ('headings', 'velocities', 'path')} & made
