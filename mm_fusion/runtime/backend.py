# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What runs the stages of a bundle."""

from __future__ import annotations

import dataclasses
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from mm_fusion.errors import BackendError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.runtime.bundle import Bundle
    from mm_fusion.runtime.switching import Prepare
    from mm_fusion.settings import InferenceSettings

_LOG = logging.getLogger(__name__)
BACKENDS = ('auto', 'tensorrt', 'onnxruntime', 'torch')


class Backend(Protocol):
    """Run stages by name. One thread at a time may use a backend, unless it is ``concurrent``."""

    @property
    def name(self) -> str:
        """Name, as published."""

    @property
    def reason(self) -> str:
        """Why this backend was chosen, as published."""

    @property
    def concurrent(self) -> bool:
        """Whether several threads may run stages at once, the same one too."""

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one stage.

        Args:
            stage: Name of a stage of the bundle.
            inputs: Arrays by name, with the types and shapes of the manifest.

        Raises:
            InferenceError: The stage failed, or gave a number that is not finite.
        """

    def close(self) -> None:
        """Let go of what it holds; it is not run again."""


def create_backend(bundle: Bundle, settings: InferenceSettings, *, wait: bool = True) -> Backend:
    """Load the graphs of a bundle into the backend that the settings ask for.

    ``auto`` takes TensorRT where there is a GPU, ONNX Runtime elsewhere. TensorRT and torch are
    prepared in a thread while ONNX Runtime serves, which also serves where they cannot be had, are
    refused or fail; ``reason`` says so. The precision ``auto`` is that of ``choose_on_cpu`` on
    ONNX Runtime, and fp32 on the others; ``reason`` says why.

    Args:
        bundle: A verified bundle, as loaded.
        settings: Backend, precision and what belongs to them.
        wait: Return when the choice has been made for good; a node serves meanwhile instead.

    Raises:
        BundleError: A graph cannot be loaded, is not what the manifest says, or the manifest
            refuses the precision.
        SettingsError: There is no such backend, or it has no such precision.
    """
    from mm_fusion.runtime.choice import choose_on_cpu
    from mm_fusion.runtime.manifest import INT8_CPU
    from mm_fusion.runtime.onnxruntime import OnnxRuntimeBackend
    from mm_fusion.runtime.switching import SwitchingBackend

    asked = settings.backend
    _check(settings)
    precision, chosen = settings.precision, ''
    if precision == 'auto':
        on_cpu = choose_on_cpu(bundle)
        precision, graphs = on_cpu.precision, on_cpu.graphs
        chosen = f'; {precision}: {on_cpu.why}'
        settings = dataclasses.replace(settings, precision='fp32')
    else:
        graphs = bundle.graphs_at(INT8_CPU if precision == 'int8' else precision)
    served = dataclasses.replace(bundle, graphs=graphs)
    why = 'auto' if asked == 'auto' else 'asked for'
    safe = partial(OnnxRuntimeBackend, served, threads=settings.threads, precision=precision)
    if asked == 'onnxruntime':
        return safe(reason=why + chosen)
    try:
        wanted, prepare = _preparation(bundle, settings)
    except BackendError as error:
        if asked != 'auto':
            _LOG.warning('inference.backend: %s is asked for: %s', asked, error)
        return safe(reason=f'{asked}: {error}{chosen}')
    backend = SwitchingBackend(safe(reason=why + chosen), prepare, wanted=wanted, why=why)
    if wait:
        backend.wait()
    return backend


def _check(settings: InferenceSettings) -> None:
    problems = []
    if settings.backend not in BACKENDS:
        expected = ', '.join(BACKENDS)
        problems.append(f'inference.backend: found {settings.backend!r}, expected {expected}')
    if settings.backend == 'torch' and settings.precision not in ('auto', 'fp32'):
        problems.append(
            f'inference.precision: found {settings.precision!r}, expected fp32 or auto, as the '
            'weights for torch have no other'
        )
    if problems:
        raise SettingsError(problems)


def _preparation(bundle: Bundle, settings: InferenceSettings) -> tuple[str, Prepare]:
    """Give the name of what is to be prepared, and what prepares it.

    Raises:
        BackendError: It is plain at once that it cannot be had.
    """
    if settings.backend == 'torch':
        from mm_fusion.runtime import torch_backend

        return 'torch', partial(torch_backend.prepare, bundle, settings)
    from mm_fusion.runtime.tensorrt import backend, device

    device.Device.open()
    variant = dataclasses.replace(bundle, graphs=bundle.graphs_at(settings.precision))
    return 'TensorRT', partial(backend.prepare, variant, settings)
