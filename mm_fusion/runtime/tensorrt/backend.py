# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The stages of a bundle on TensorRT."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mm_fusion.errors import InferenceError
from mm_fusion.runtime.guard import check_finite, failures_of, named
from mm_fusion.runtime.onnxruntime import OnnxRuntimeBackend
from mm_fusion.runtime.parity import check_parity
from mm_fusion.runtime.tensorrt.builder import OPTIMISATION_LEVEL, build_plan
from mm_fusion.runtime.tensorrt.cache import CachedEngine, EngineCache, EngineKey, user_cache
from mm_fusion.runtime.tensorrt.device import Device
from mm_fusion.runtime.tensorrt.progress import telling
from mm_fusion.runtime.tensorrt.session import StageSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mm_fusion.runtime.bundle import Bundle
    from mm_fusion.settings import InferenceSettings
    from mm_fusion.types.bundle import StageSpec


@dataclass(frozen=True, slots=True, eq=False)
class Engines:
    """The engines of a bundle, loaded.

    Attributes:
        device: What they were built for.
        runtime: TensorRT's; it must live as long as they do.
        precision: Of the graphs.
        stages: Engine and key of each stage.
        problem: Why they are not kept on disk; empty where they are.
    """

    device: Device
    runtime: Any
    precision: str
    stages: Mapping[str, tuple[CachedEngine, EngineKey]]
    problem: str

    @property
    def built(self) -> int:
        """How many had to be built."""
        return sum(cached.built for cached, _ in self.stages.values())

    def manifest(self) -> list[dict[str, Any]]:
        """Describe each engine: what it depends on, its checksum, and whether it was built."""
        return [
            {
                'file': f'{key.digest}.plan',
                'built': cached.built,
                'sha256': cached.sha256,
                'bytes': cached.size_bytes,
                **dataclasses.asdict(key),
            }
            for cached, key in self.stages.values()
        ]


def load_engines(
    bundle: Bundle,
    settings: InferenceSettings,
    say: Callable[[str], None],
    cancelled: threading.Event,
) -> Engines:
    """Load the engine of each stage from the cache, or build it.

    Args:
        bundle: Its graphs are those of the precision of the settings.
        settings: Precision and cache folder.
        say: Told what goes on, every few seconds; also from another thread.
        cancelled: Set from any thread to give up.

    Raises:
        BackendError: There is no GPU or no TensorRT, or an engine cannot be built.
        InferenceError: The device failed.
        Cancelled: It was given up.
    """
    device = Device.open()
    with failures_of('TensorRT'):
        runtime = device.trt.Runtime(device.logger)
    folder = Path(settings.engine_cache) if settings.engine_cache else user_cache()
    cache = EngineCache(folder, cancelled)
    found = {}
    for number, (name, stage) in enumerate(bundle.manifest.stages.items(), 1):
        graph = bundle.graphs[name]
        key = engine_key(device, stage, graph, settings.precision)

        def build(stage: StageSpec = stage, graph: bytes = graph) -> bytes:
            return build_plan(device.trt, device.logger, graph, stage, cancelled=cancelled.is_set)

        text = f'{name} at {settings.precision}, {number} of {len(bundle.manifest.stages)}'
        with telling(say, text), failures_of(f'TensorRT: {name}'):
            found[name] = cache.engine(key, build, runtime.deserialize_cuda_engine), key
    return Engines(device, runtime, settings.precision, found, cache.problem)


def engine_key(device: Device, stage: StageSpec, graph: bytes, precision: str) -> EngineKey:
    """Gather what the engine of a stage depends on."""
    return EngineKey(
        stage=stage.name,
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        precision=precision,
        profile=tuple(sorted((name, spec.shape) for name, spec in stage.inputs.items())),
        optimisation_level=OPTIMISATION_LEVEL,
        tensorrt_version=device.tensorrt_version,
        cuda_version=device.cuda_version,
        gpu=device.name,
        compute_capability=device.compute_capability,
    )


def prepare(
    bundle: Bundle,
    settings: InferenceSettings,
    say: Callable[[str], None],
    cancelled: threading.Event,
) -> TensorRtBackend:
    """Load or build the engines, and make them ready; see ``load_engines`` and ``make_ready``."""
    engines = load_engines(bundle, settings, say, cancelled)
    return make_ready(bundle, settings, engines, say)


def make_ready(
    bundle: Bundle, settings: InferenceSettings, engines: Engines, say: Callable[[str], None]
) -> TensorRtBackend:
    """Make the buffers and CUDA graphs, and compare what comes out with ONNX Runtime.

    Args:
        bundle: Its graphs are those of the precision of the settings.
        settings: Precision, CUDA graphs, threads of ONNX Runtime.
        engines: Of that bundle.
        say: Told what goes on, every few seconds; also from another thread.

    Raises:
        BackendError: The outputs are further off than allowed.
        InferenceError: The device failed.
    """
    with telling(say, 'the buffers and CUDA graphs are made'):
        backend = TensorRtBackend(bundle, engines, cuda_graphs=settings.cuda_graphs)
    # One of its own: another thread uses the one that serves.
    reference = OnnxRuntimeBackend(
        bundle, threads=settings.threads, reason='reference', precision=settings.precision
    )
    with telling(say, 'its outputs are compared with those of ONNX Runtime'):
        check_parity(backend, reference, bundle.manifest, settings.precision)
    return backend


class TensorRtBackend:
    """Run the stages of a bundle on a GPU. One thread at a time may use it.

    Args:
        bundle: Its contract is that of the engines.
        engines: Loaded for the device that they run on.
        cuda_graphs: Replay the launches of a stage as one.

    Raises:
        BackendError: An engine is not what the contract says.
        InferenceError: The device fails.
    """

    concurrent = False

    def __init__(self, bundle: Bundle, engines: Engines, *, cuda_graphs: bool) -> None:
        device = engines.device
        self.name = named('tensorrt', engines.precision)
        self._engines: Engines | None = engines
        self._busy = threading.Lock()
        self._sessions: dict[str, StageSession] = {}
        with failures_of(self.name):
            stream = device.torch.cuda.Stream(device.index)
            for name, (cached, _) in engines.stages.items():
                stage = bundle.manifest.stages[name]
                self._sessions[name] = StageSession(
                    device, stream, cached.engine, stage, cuda_graph=cuda_graphs
                )
        self.reason = self._describe(engines, cuda_graphs)

    def _describe(self, engines: Engines, cuda_graphs: bool) -> str:
        device = engines.device
        plain = [name for name, session in self._sessions.items() if not session.graphed]
        parts = [
            f'TensorRT {device.tensorrt_version} on {device.name}',
            f'engines built: {engines.built} of {len(engines.stages)}',
        ]
        if plain and cuda_graphs:
            parts.append(f'without a CUDA graph: {", ".join(plain)}')
        if engines.problem:
            parts.append(engines.problem)
        return ', '.join(parts)

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one stage; see :class:`mm_fusion.runtime.Backend`."""
        if not self._busy.acquire(blocking=False):
            raise InferenceError(f'{self.name}: {stage}: another thread is using the backend')
        try:
            with failures_of(f'{self.name}: {stage}'):
                outputs = self._sessions[stage].run(inputs)
        finally:
            self._busy.release()
        return check_finite(outputs, f'{self.name}: {stage}')

    def close(self) -> None:
        """Let go of contexts, buffers and engines, in that order."""
        self._sessions.clear()
        self._engines = None
