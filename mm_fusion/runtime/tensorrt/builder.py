# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Building of one engine: from the ONNX graph of a stage to the plan that TensorRT loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mm_fusion.errors import BackendError, MmFusionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mm_fusion.types.bundle import StageSpec

OPTIMISATION_LEVEL = 3
"""TensorRT's own default: higher ones take minutes for small gains."""
WORKSPACE_BYTES = 1 << 30


class Cancelled(MmFusionError):  # noqa: N818 - it says what happened, and is not a failure
    """A build was given up because nobody waits for it any more."""


def build_plan(
    trt: Any,
    logger: Any,
    graph: bytes,
    stage: StageSpec,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    configure: Callable[[Any], None] = lambda _: None,
) -> bytes:
    """Build the engine of a stage: strongly typed, for the shapes of the contract alone.

    Without a device only TensorRT-RTX can build, and only for a device that ``configure`` names.

    Args:
        trt: The module ``tensorrt``, or one with the same names.
        logger: A logger of that module.
        graph: ONNX graph, whose types are the precision.
        stage: Contract of the stage.
        cancelled: Asked between the steps of the build whether to give up.
        configure: Called with the configuration of the build before it starts.

    Returns:
        The plan, for this version of TensorRT and this kind of GPU only.

    Raises:
        BackendError: TensorRT cannot read or build the graph, or it is not what the contract says.
        Cancelled: It was given up.
    """
    builder = trt.Builder(logger)
    # TensorRT 11 ignores the flag: there every network is strongly typed.
    strongly_typed = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(strongly_typed)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(graph):
        problems = [parser.get_error(index).desc() for index in range(parser.num_errors)]
        raise BackendError(
            f'TensorRT {trt.__version__} cannot read {stage.file}: {"; ".join(problems)}'
        )
    _check_inputs(network, stage)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    config.builder_optimization_level = OPTIMISATION_LEVEL
    # Products of ten bits of mantissa would put float32 further off than the parity check lets.
    config.clear_flag(trt.BuilderFlag.TF32)
    profile = builder.create_optimization_profile()
    for name, spec in stage.inputs.items():
        profile.set_shape(name, spec.shape, spec.shape, spec.shape)
    if config.add_optimization_profile(profile) < 0:
        raise BackendError(f'TensorRT refuses the shapes of {stage.name}')
    # Not a temporary: the configuration does not keep it alive.
    monitor = _monitor(trt, cancelled)
    config.progress_monitor = monitor
    configure(config)
    plan = builder.build_serialized_network(network, config)
    if cancelled():
        raise Cancelled(f'{stage.name}: the build was given up')
    if plan is None:
        raise BackendError(f'TensorRT {trt.__version__} failed to build {stage.name}; see the log')
    return bytes(plan)


def _check_inputs(network: Any, stage: StageSpec) -> None:
    tensors = [network.get_input(index) for index in range(network.num_inputs)]
    found = {tensor.name: tuple(tensor.shape) for tensor in tensors}
    expected = {name: spec.shape for name, spec in stage.inputs.items()}
    if found != expected:
        raise BackendError(
            f'{stage.file}: found inputs {found}, expected {expected} by the manifest'
        )


def _monitor(trt: Any, cancelled: Callable[[], bool]) -> Any:
    """Make what TensorRT asks between two steps of a build whether to go on."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)  # the base is C++: it must be called by name

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            """Nothing to do: only the steps can be given up."""

        def step_complete(self, name: str, step: int) -> bool:
            return not cancelled()

        def phase_finish(self, name: str) -> None:
            """Nothing to do."""

    return Monitor()
