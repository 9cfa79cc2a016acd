# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The model bundle, loaded and ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mm_fusion.pipeline import FusionPipeline
from mm_fusion.runtime import Backend, Bundle, create_backend

if TYPE_CHECKING:
    from mm_fusion.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """What stays loaded from configure to cleanup.

    Attributes:
        settings: All parameters.
        bundle: The verified model bundle.
        backend: Runs its stages, and has run each of them once.
    """

    settings: Settings
    bundle: Bundle
    backend: Backend

    @classmethod
    def load(cls, settings: Settings) -> Engine:
        """Load the bundle that the settings name, and run each stage once.

        A faster backend than ONNX Runtime is prepared meanwhile, and taken up when it is ready.

        Raises:
            BundleError: The bundle is missing, altered or breaks its contract.
            InferenceError: A stage failed.
            SettingsError: There is no such backend.
        """
        bundle = Bundle.load(settings.inference.bundle, settings.inference.bundle_public_key)
        engine = cls(settings, bundle, create_backend(bundle, settings.inference, wait=False))
        engine.pipeline().warm_up()
        return engine

    def pipeline(self) -> FusionPipeline:
        """Make a pipeline that has seen nothing yet."""
        return FusionPipeline(self.bundle, self.backend, self.settings, ahead=True)

    def close(self) -> None:
        """Let go of the networks, and give up what is being prepared."""
        self.backend.close()
