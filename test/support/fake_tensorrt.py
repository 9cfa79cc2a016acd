# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The part of TensorRT that the package uses, computed by ONNX Runtime, as strict as TensorRT is.

It has no name that TensorRT 10.3 or 11.4 lacks; ``test_names.py`` sees to that.
"""

from __future__ import annotations

import enum
import importlib.machinery
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort

from support.fake_cuda import DEFAULT_STREAM, FakeTorch

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from numpy.typing import NDArray

Shape = tuple[int, ...]


def install(patch: pytest.MonkeyPatch) -> FakeTensorRt:
    """Let ``import tensorrt`` and ``import torch`` find the fakes until the patch is undone."""
    trt = FakeTensorRt(FakeTorch())
    patch.setitem(sys.modules, 'tensorrt', trt)
    patch.setitem(sys.modules, 'torch', trt.torch)
    return trt


class FakeTensorRt(types.ModuleType):
    """What the module ``tensorrt`` is.

    Args:
        torch: Whose device it works on.

    Attributes:
        made: Names of the classes of which an object was made, in order.
        builds: Number of finished builds.
        drift: Added to every output, as by an engine that is wrong.
        refuse_runs: Number of coming runs that fail.
        refuse_builds: Whether builds fail.
        during_build: Called between the steps of a build.
        during_run: Called while the device computes.
    """

    def __init__(self, torch: FakeTorch) -> None:
        super().__init__('tensorrt')
        self.__spec__ = importlib.machinery.ModuleSpec('tensorrt', None)
        self.__version__ = '10.3.0'
        self.torch = torch
        self.made: list[str] = []
        self.builds = 0
        self.drift = 0.0
        self.refuse_runs = 0
        self.refuse_builds = False
        self.during_build: Callable[[], None] = lambda: None
        self.during_run: Callable[[], None] = lambda: None
        for plain in (*_ENUMS, ILogger, IProgressMonitor):
            setattr(self, plain.__name__, plain)
        for kind in (Builder, OnnxParser, Runtime):
            setattr(self, kind.__name__, self._maker(kind))

    def _maker(self, kind: type[Any]) -> Callable[..., Any]:
        def make(*arguments: Any) -> Any:
            self.made.append(kind.__name__)
            if not self.torch.cuda.available:
                raise TypeError('pybind11::init(): factory function returned nullptr')
            return kind(self, *arguments)

        return make

    @property
    def header(self) -> bytes:
        """Begin of every plan: it is of one version and one GPU."""
        return f'{self.__version__} {self.torch.cuda.name}\0'.encode()


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 1


class MemoryPoolType(enum.Enum):
    WORKSPACE = 0


class BuilderFlag(enum.Enum):
    TF32 = 7


class DataType(enum.Enum):
    FLOAT = 0
    UINT8 = 5


class TensorIOMode(enum.Enum):
    INPUT = 1
    OUTPUT = 2


_ENUMS = (NetworkDefinitionCreationFlag, MemoryPoolType, BuilderFlag, DataType, TensorIOMode)


class ILogger:
    class Severity(enum.Enum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2
        INFO = 3
        VERBOSE = 4

    def log(self, severity: Severity, msg: str) -> None:
        raise NotImplementedError


class IProgressMonitor:
    def phase_start(self, name: str, parent: str | None, steps: int) -> None:
        raise NotImplementedError

    def step_complete(self, name: str, step: int) -> bool:
        raise NotImplementedError

    def phase_finish(self, name: str) -> None:
        raise NotImplementedError


class ITensor:
    def __init__(self, name: str, shape: Shape) -> None:
        self.name = name
        self.shape = shape


class INetworkDefinition:
    def __init__(self) -> None:
        self._graph = b''
        self._inputs: list[ITensor] = []

    @property
    def num_inputs(self) -> int:
        return len(self._inputs)

    def get_input(self, index: int) -> ITensor:
        return self._inputs[index]


class IOptimizationProfile:
    def __init__(self) -> None:
        self._shapes: dict[str, Shape] = {}

    def set_shape(self, name: str, least: Shape, best: Shape, most: Shape) -> None:
        assert tuple(least) == tuple(best) == tuple(most), 'the contract has fixed shapes'
        self._shapes[name] = tuple(best)


class IBuilderConfig:
    def __init__(self) -> None:
        self.builder_optimization_level = 3
        self.progress_monitor: IProgressMonitor | None = None
        self._flags = {BuilderFlag.TF32}
        self._profiles: list[IOptimizationProfile] = []

    def set_memory_pool_limit(self, pool: MemoryPoolType, size: int) -> None:
        assert isinstance(pool, MemoryPoolType)
        assert size > 0

    def clear_flag(self, flag: BuilderFlag) -> None:
        self._flags.discard(flag)

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        self._profiles.append(profile)
        return len(self._profiles) - 1


class Builder:
    def __init__(self, trt: FakeTensorRt, logger: ILogger) -> None:
        self._trt = trt
        self._logger = logger

    def create_network(self, flags: int) -> INetworkDefinition:
        if flags != 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED:
            raise self._trt.torch.cuda.refused('a network that is not strongly typed')
        return INetworkDefinition()

    def create_builder_config(self) -> IBuilderConfig:
        return IBuilderConfig()

    def create_optimization_profile(self) -> IOptimizationProfile:
        return IOptimizationProfile()

    def build_serialized_network(
        self, network: INetworkDefinition, config: IBuilderConfig
    ) -> bytes | None:
        self._trt.during_build()
        monitor = config.progress_monitor
        if monitor is not None:
            monitor.phase_start('building', None, 1)
            if not monitor.step_complete('building', 0):
                self._logger.log(ILogger.Severity.ERROR, 'canceled by user')
                return None
            monitor.phase_finish('building')
        if self._trt.refuse_builds:
            self._logger.log(ILogger.Severity.ERROR, 'no implementation')
            return None
        assert BuilderFlag.TF32 not in config._flags, 'float32 with ten bits of mantissa'
        assert [profile._shapes for profile in config._profiles] == [
            {tensor.name: tensor.shape for tensor in network._inputs}
        ]
        self._trt.builds += 1
        return self._trt.header + network._graph


class ParserError:
    def __init__(self, text: str) -> None:
        self._text = text

    def desc(self) -> str:
        return self._text


class OnnxParser:
    def __init__(self, trt: FakeTensorRt, network: INetworkDefinition, logger: ILogger) -> None:
        self._network = network
        self._error = ''

    @property
    def num_errors(self) -> int:
        return int(bool(self._error))

    def get_error(self, index: int) -> ParserError:
        return ParserError(self._error)

    def parse(self, graph: bytes) -> bool:
        try:
            model = onnx.load_model_from_string(graph)
        except Exception as error:  # noqa: BLE001 - protobuf's errors have no base of their own
            self._error = str(error)
            return False
        self._network._graph = graph
        self._network._inputs = [
            ITensor(value.name, tuple(size.dim_value for size in value.type.tensor_type.shape.dim))
            for value in model.graph.input
        ]
        return True


class Runtime:
    def __init__(self, trt: FakeTensorRt, logger: ILogger) -> None:
        self._trt = trt
        self._logger = logger

    def deserialize_cuda_engine(self, plan: bytes) -> ICudaEngine | None:
        if not plan.startswith(self._trt.header):
            self._logger.log(ILogger.Severity.ERROR, 'the plan is of another version or GPU')
            return None
        return ICudaEngine(self, plan[len(self._trt.header) :])


class ICudaEngine:
    def __init__(self, runtime: Runtime, graph: bytes) -> None:
        self._runtime = runtime
        self._session = ort.InferenceSession(graph, providers=['CPUExecutionProvider'])
        self._inputs = {value.name: value for value in self._session.get_inputs()}
        self._outputs = {value.name: value for value in self._session.get_outputs()}

    @property
    def num_io_tensors(self) -> int:
        return len(self._inputs) + len(self._outputs)

    def get_tensor_name(self, index: int) -> str:
        names: list[str] = [*self._inputs, *self._outputs]
        return names[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in self._inputs else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> DataType:
        kind = (self._inputs | self._outputs)[name].type
        return {'tensor(float)': DataType.FLOAT, 'tensor(uint8)': DataType.UINT8}[kind]

    def get_tensor_shape(self, name: str) -> Shape:
        return tuple((self._inputs | self._outputs)[name].shape)

    def create_execution_context(self) -> IExecutionContext:
        return IExecutionContext(self)


class IExecutionContext:
    def __init__(self, engine: ICudaEngine) -> None:
        self.engine = engine
        self._shapes: dict[str, Shape] = {}
        self._addresses: dict[str, int] = {}
        self._warm = False
        self._busy = threading.Lock()

    def set_input_shape(self, name: str, shape: Shape) -> bool:
        if tuple(shape) != self.engine.get_tensor_shape(name):
            return False
        self._shapes[name] = tuple(shape)
        return True

    def infer_shapes(self) -> list[str]:
        return sorted(self.engine._inputs.keys() - self._shapes.keys())

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return address in self._trt.torch.cuda.memory

    @property
    def _trt(self) -> FakeTensorRt:
        return self.engine._runtime._trt

    def execute_async_v3(self, handle: int) -> bool:
        cuda = self._trt.torch.cuda
        if not self._busy.acquire(blocking=False):
            raise cuda.refused('one context from two threads')
        try:
            if handle == DEFAULT_STREAM:
                raise cuda.refused('a run on the default stream')
            unset = (self.engine._inputs | self.engine._outputs).keys() - self._addresses.keys()
            if unset:
                raise cuda.refused(f'a run with no address of {sorted(unset)}')
            if self.infer_shapes():
                raise cuda.refused(f'a run with no shape of {self.infer_shapes()}')
            stream = cuda.stream_of(handle)
            if stream.recording is not None and not self._warm:
                raise cuda.refused('recording before the first run')
            if self._trt.refuse_runs > 0:
                self._trt.refuse_runs -= 1
                return False
            stream.put(self._compute)
            self._warm = True
        finally:
            self._busy.release()
        return True

    def _compute(self) -> None:
        self._trt.during_run()
        memory = self._trt.torch.cuda.memory
        tensors = {name: memory[address] for name, address in self._addresses.items()}
        feeds = {name: tensors[name].array for name in self.engine._inputs}
        values: list[NDArray[Any]] = self.engine._session.run(list(self.engine._outputs), feeds)
        for name, value in zip(self.engine._outputs, values, strict=True):
            np.copyto(tensors[name].array, value + np.float32(self._trt.drift), casting='no')
