# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""One engine at work: its context, its buffers and its CUDA graph."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import BackendError, InferenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.runtime.tensorrt.device import Device
    from mm_fusion.types.bundle import StageSpec, TensorSpec

_LOG = logging.getLogger(__name__)


class _Buffer:
    """A tensor of the device, and pinned memory of the host that it is copied from or to."""

    def __init__(self, device: Device, spec: TensorSpec) -> None:
        torch = device.torch
        dtype = getattr(torch, spec.dtype)
        # Zeros: the warm-up must not meet wild numbers.
        self.on_device = torch.zeros(spec.shape, dtype=dtype, device=f'cuda:{device.index}')
        self.pinned = torch.zeros(spec.shape, dtype=dtype, pin_memory=True)
        self.array: NDArray[Any] = self.pinned.numpy()


class StageSession:
    """Run one stage on the device. One thread at a time may use it.

    The shapes of a contract are fixed, so that there is one context, one set of buffers and one
    CUDA graph for each stage, and nothing that grows.

    Args:
        device: The GPU.
        stream: Any but the default stream, on which TensorRT would wait for every other.
        engine: Of this stage.
        stage: Its contract.
        cuda_graph: Record the launches once, and replay them as one.

    Attributes:
        graphed: Whether they are replayed.

    Raises:
        BackendError: The engine is not what the contract says.
        InferenceError: The device refuses a buffer, or fails.
    """

    def __init__(
        self, device: Device, stream: Any, engine: Any, stage: StageSpec, *, cuda_graph: bool
    ) -> None:
        self._device = device
        self._stream = stream
        self._stage = stage
        _check_interface(device.trt, engine, stage)
        context = engine.create_execution_context()
        if context is None:
            raise InferenceError(f'{stage.name}: no execution context: is device memory short?')
        self._engine, self._context = engine, context
        self._graph: Any = None
        with device.torch.cuda.device(device.index), device.torch.cuda.stream(stream):
            self._inputs = {name: _Buffer(device, spec) for name, spec in stage.inputs.items()}
            self._outputs = {name: _Buffer(device, spec) for name, spec in stage.outputs.items()}
            self._bind()
            # The first run allocates, which must not be recorded.
            self._enqueue()
            stream.synchronize()
            if cuda_graph:
                self._graph = self._capture()
        self.graphed = self._graph is not None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Copy the inputs to the device, run, and copy the outputs back.

        Raises:
            InferenceError: An input is not what the contract says, or the device failed.
        """
        cuda = self._device.torch.cuda
        with cuda.device(self._device.index), cuda.stream(self._stream):
            for name, buffer in self._inputs.items():
                buffer.array[...] = self._checked(name, inputs)
                buffer.on_device.copy_(buffer.pinned, non_blocking=True)
            if self._graph is None:
                self._enqueue()
            else:
                self._graph.replay()
            for buffer in self._outputs.values():
                buffer.pinned.copy_(buffer.on_device, non_blocking=True)
            self._stream.synchronize()
        return {name: buffer.array.copy() for name, buffer in self._outputs.items()}

    def _checked(self, name: str, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        spec, value = self._stage.inputs[name], inputs.get(name)
        if value is None or value.shape != spec.shape or value.dtype != spec.dtype:
            found = 'nothing' if value is None else f'{value.dtype} {value.shape}'
            raise InferenceError(
                f'{self._stage.name}: {name}: found {found}, expected {spec.dtype} {spec.shape}'
            )
        return value

    def _bind(self) -> None:
        context = self._context
        for name, spec in self._stage.inputs.items():
            if not context.set_input_shape(name, spec.shape):
                raise InferenceError(f'{self._stage.name}: {name}: shape {spec.shape} refused')
        for name, buffer in (self._inputs | self._outputs).items():
            if not context.set_tensor_address(name, buffer.on_device.data_ptr()):
                raise InferenceError(f'{self._stage.name}: {name}: address refused')
        unresolved = context.infer_shapes()
        if unresolved:
            raise InferenceError(f'{self._stage.name}: shapes not known of {unresolved}')

    def _enqueue(self) -> None:
        if not self._context.execute_async_v3(self._stream.cuda_stream):
            raise InferenceError(f'{self._stage.name}: the device refused the run; see the log')

    def _capture(self) -> Any:
        cuda = self._device.torch.cuda
        graph = cuda.CUDAGraph()
        try:
            # Other threads go on working with CUDA: their calls must not end the recording.
            with cuda.graph(graph, stream=self._stream, capture_error_mode='thread_local'):
                self._enqueue()
        except Exception as error:  # noqa: BLE001 - torch and TensorRT raise what they like
            _LOG.warning('%s: runs without a CUDA graph: %s', self._stage.name, error)
            return None
        return graph


def _check_interface(trt: Any, engine: Any, stage: StageSpec) -> None:
    dtypes = {trt.DataType.FLOAT: 'float32', trt.DataType.UINT8: 'uint8'}
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    for mode, expected in (
        (trt.TensorIOMode.INPUT, stage.inputs),
        (trt.TensorIOMode.OUTPUT, stage.outputs),
    ):
        found = {
            name: (dtypes.get(engine.get_tensor_dtype(name)), tuple(engine.get_tensor_shape(name)))
            for name in names
            if engine.get_tensor_mode(name) == mode
        }
        specs = {name: (spec.dtype, spec.shape) for name, spec in expected.items()}
        if found != specs:
            raise BackendError(f'{stage.name}: found an engine of {found}, expected {specs}')
