# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnxruntime as ort

from mm_fusion.errors import BundleError
from mm_fusion.runtime.guard import check_finite, failures_of, named
from mm_fusion.runtime.manifest import FUSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.runtime.bundle import Bundle
    from mm_fusion.types.bundle import StageSpec, TensorSpec

_DTYPES = {'tensor(uint8)': 'uint8', 'tensor(float)': 'float32'}
_ERROR_SEVERITY = 3
_SMALL = ('motion_encoder', FUSION)
"""Stages in which a second thread takes longer to wake than it saves, 0.1 ms of the fusion."""


class OnnxRuntimeBackend:
    """Run the stages of a bundle with ONNX Runtime on the CPU.

    Args:
        bundle: A verified bundle.
        threads: Threads of one run of an encoder; 0 lets ONNX Runtime choose. Small stages take
            one.
        reason: Why this backend was chosen, as published.
        precision: Of the graphs of the bundle.

    Raises:
        BundleError: A graph cannot be loaded, or is not what the manifest says.
    """

    concurrent = True

    def __init__(
        self, bundle: Bundle, *, threads: int, reason: str, precision: str = 'fp32'
    ) -> None:
        self.name = named('onnxruntime-cpu', precision)
        self.reason = reason
        self._sessions: dict[str, ort.InferenceSession] = {}
        self._outputs: dict[str, list[str]] = {}
        for stage in bundle.manifest.stages.values():
            place = str(bundle.path / stage.file)
            own_threads = 1 if stage.name in _SMALL else threads
            session = _session(bundle.graphs[stage.name], own_threads, place)
            _check_interface(session, stage, place)
            self._sessions[stage.name] = session
            self._outputs[stage.name] = [output.name for output in session.get_outputs()]

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one stage; see :class:`mm_fusion.runtime.Backend`."""
        session, names = self._sessions[stage], self._outputs[stage]
        place = f'{self.name}: {stage}'
        with failures_of(place):
            values = session.run(names, dict(inputs))
        return check_finite(dict(zip(names, values, strict=True)), place)

    def close(self) -> None:
        """Let go of the sessions."""
        self._sessions.clear()


def _session(graph: bytes, threads: int, place: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERROR_SEVERITY
    # Threads that spin between frames would take the cores from the sensor drivers.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    try:
        return ort.InferenceSession(graph, options, providers=['CPUExecutionProvider'])
    except Exception as error:  # ONNX Runtime's own errors have no common base but this
        raise BundleError(f'{place}: ONNX Runtime cannot load it: {error}') from error


def _check_interface(session: ort.InferenceSession, stage: StageSpec, place: str) -> None:
    for kind, found, expected in (
        ('inputs', session.get_inputs(), stage.inputs),
        ('outputs', session.get_outputs(), stage.outputs),
    ):
        graph = {value.name: (_DTYPES.get(value.type), tuple(value.shape)) for value in found}
        if graph != {name: _pair(spec) for name, spec in expected.items()}:
            raise BundleError(
                f'{place}: found {kind} {graph}, '
                f'expected { ({name: _pair(spec) for name, spec in expected.items()}) }'
                ' by the manifest'
            )


def _pair(spec: TensorSpec) -> tuple[str, tuple[int, ...]]:
    return spec.dtype, spec.shape
