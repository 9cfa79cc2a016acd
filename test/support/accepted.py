# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Bundles whose manifest accepts a precision that was not measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mm_fusion.runtime.precision import checksums, derive
from mm_fusion.types.bundle import PrecisionSpec

if TYPE_CHECKING:
    from mm_fusion.runtime import Bundle


def accepting(bundle: Bundle, precision: str, bound: float) -> Bundle:
    """Let the manifest of a bundle accept a precision, every output within one bound."""
    stages = bundle.manifest.stages
    outputs = [name for stage in stages.values() for name in stage.outputs]
    spec = PrecisionSpec(
        accepted=True,
        why='for this test',
        bounds=dict.fromkeys(outputs, bound),
        intervals={},
        measured_on={name: stage.sha256 for name, stage in stages.items()},
        derived=checksums(derive(bundle.graphs, precision, {})),
    )
    precisions = {**bundle.manifest.precisions, precision: spec}
    return replace(bundle, manifest=replace(bundle.manifest, precisions=precisions))
