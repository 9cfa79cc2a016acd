# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The fakes refuse what the device refuses: without this the tests that use them show nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.fake_cuda import FakeStream, FakeTensor, Refused

if TYPE_CHECKING:
    from mm_fusion.runtime import Bundle
    from support.fake_tensorrt import FakeTensorRt, IExecutionContext


@pytest.fixture
def context(trt: FakeTensorRt, bundle: Bundle) -> IExecutionContext:
    runtime = trt.Runtime(trt.ILogger())
    engine = runtime.deserialize_cuda_engine(trt.header + bundle.graphs['audio_encoder'])
    made: IExecutionContext = engine.create_execution_context()
    return made


@pytest.fixture
def stream(trt: FakeTensorRt) -> FakeStream:
    return trt.torch.cuda.Stream(0)


@pytest.fixture
def tensors(
    trt: FakeTensorRt, context: IExecutionContext, stream: FakeStream
) -> dict[str, FakeTensor]:
    """Bind a context as it must be."""
    torch = trt.torch
    found = {}
    for name in ('audio', 'audio_embedding'):
        shape = context.engine.get_tensor_shape(name)
        found[name] = torch.zeros(shape, dtype=torch.float32, device='cuda:0')
        assert context.set_tensor_address(name, found[name].data_ptr())
    assert context.set_input_shape('audio', found['audio'].array.shape)
    return found


def test_a_run_that_is_right_is_done_when_the_stream_is_synchronised(
    context: IExecutionContext, stream: FakeStream, tensors: dict[str, FakeTensor]
) -> None:
    tensors['audio'].array[...] = 0.5
    assert context.execute_async_v3(stream.cuda_stream)
    assert tensors['audio_embedding'].array == 0
    stream.synchronize()
    assert tensors['audio_embedding'].array == 0.5


def test_an_address_must_be_set(context: IExecutionContext, stream: FakeStream) -> None:
    context.set_input_shape('audio', context.engine.get_tensor_shape('audio'))
    with pytest.raises(Refused, match='no address'):
        context.execute_async_v3(stream.cuda_stream)


def test_memory_must_be_alive(
    context: IExecutionContext, stream: FakeStream, tensors: dict[str, FakeTensor]
) -> None:
    tensors.clear()
    assert context.execute_async_v3(stream.cuda_stream)
    with pytest.raises(KeyError):
        stream.synchronize()


def test_a_shape_must_be_in_the_profile(context: IExecutionContext) -> None:
    assert not context.set_input_shape('audio', (1, 10))
    assert context.infer_shapes() == ['audio']


@pytest.mark.usefixtures('tensors')
def test_the_default_stream_is_refused(trt: FakeTensorRt, context: IExecutionContext) -> None:
    with pytest.raises(Refused, match='default stream'):
        context.execute_async_v3(0)
    host = trt.torch.zeros((1,), dtype=trt.torch.float32, pin_memory=True)
    device = trt.torch.zeros((1,), dtype=trt.torch.float32, device='cuda:0')
    with pytest.raises(Refused, match='default stream'):
        device.copy_(host, non_blocking=True)


@pytest.mark.usefixtures('tensors')
def test_the_first_run_cannot_be_recorded(
    trt: FakeTensorRt, context: IExecutionContext, stream: FakeStream
) -> None:
    cuda = trt.torch.cuda
    with (
        pytest.raises(Refused, match='before the first run'),
        cuda.graph(cuda.CUDAGraph(), stream=stream, capture_error_mode='thread_local'),
    ):
        context.execute_async_v3(stream.cuda_stream)


def test_nothing_is_synchronised_while_recording(trt: FakeTensorRt, stream: FakeStream) -> None:
    cuda = trt.torch.cuda
    with (
        pytest.raises(Refused, match='synchronise while recording'),
        cuda.graph(cuda.CUDAGraph(), stream=stream, capture_error_mode='thread_local'),
    ):
        stream.synchronize()


def test_asynchronous_copies_need_pinned_memory(trt: FakeTensorRt, stream: FakeStream) -> None:
    torch = trt.torch
    host = torch.zeros((1,), dtype=torch.float32)
    device = torch.zeros((1,), dtype=torch.float32, device='cuda:0')
    with torch.cuda.stream(stream), pytest.raises(Refused, match='not pinned'):
        device.copy_(host, non_blocking=True)
    with pytest.raises(Refused, match='the host reads'):
        device.numpy()


@pytest.mark.usefixtures('tensors')
def test_one_context_serves_one_thread(context: IExecutionContext, stream: FakeStream) -> None:
    with context._busy, pytest.raises(Refused, match='two threads'):
        context.execute_async_v3(stream.cuda_stream)


def test_a_plan_of_another_gpu_is_not_loaded(trt: FakeTensorRt, bundle: Bundle) -> None:
    class Silent(trt.ILogger):  # type: ignore[misc, name-defined]
        def log(self, severity: Any, msg: str) -> None:
            assert 'another version or GPU' in msg

    plan = trt.header + bundle.graphs['fusion']
    trt.torch.cuda.name = 'Other GPU'
    assert trt.Runtime(Silent()).deserialize_cuda_engine(plan) is None


def test_without_a_driver_nothing_can_be_made(trt: FakeTensorRt) -> None:
    trt.torch.cuda.available = False
    with pytest.raises(TypeError, match='nullptr'):
        trt.Runtime(trt.ILogger())
    assert np.array_equal(trt.made, ['Runtime'])
