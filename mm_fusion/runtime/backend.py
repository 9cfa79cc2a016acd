# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""What runs the stages of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from mm_fusion.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mm_fusion.runtime.bundle import Bundle
    from mm_fusion.settings import InferenceSettings


class Backend(Protocol):
    """Run stages by name. One thread at a time may use a backend."""

    @property
    def name(self) -> str:
        """Name, as published."""

    @property
    def reason(self) -> str:
        """Why this backend was chosen, as published."""

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one stage.

        Args:
            stage: Name of a stage of the bundle.
            inputs: Arrays by name, with the types and shapes of the manifest.

        Raises:
            InferenceError: The stage failed, or gave a number that is not finite.
        """


def create_backend(bundle: Bundle, settings: InferenceSettings) -> Backend:
    """Load the graphs of a bundle into the backend that the settings ask for.

    Raises:
        BundleError: A graph cannot be loaded, or is not what the manifest says.
        SettingsError: There is no such backend.
    """
    from mm_fusion.runtime.onnxruntime import OnnxRuntimeBackend

    if settings.backend not in ('auto', 'onnxruntime'):
        raise SettingsError([f'inference.backend: found {settings.backend!r}'])
    asked = settings.backend == 'onnxruntime'
    reason = 'asked for' if asked else 'auto: the only backend of this version'
    return OnnxRuntimeBackend(bundle, threads=settings.threads, reason=reason)
