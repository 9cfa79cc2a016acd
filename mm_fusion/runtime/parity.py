# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether two backends give the same outputs, on inputs that are drawn from a seed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.errors import BackendError
from mm_fusion.runtime.manifest import EMBEDDINGS, FUSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from mm_fusion.runtime.backend import Backend
    from mm_fusion.types.bundle import Manifest, TensorSpec

FP32_BOUND = 1e-3
"""Largest difference allowed in float32, relative to the largest number of the output or 1."""
_MODALITIES = tuple(EMBEDDINGS)
_SETS = 3


def check_parity(
    backend: Backend, reference: Backend, manifest: Manifest, precision: str
) -> dict[str, float]:
    """Run both on seeded inputs, stage by stage, and compare every output.

    The fusion is run for each set of modalities. At ``fp32`` the bound is ``FP32_BOUND``; at the
    others it is that of the manifest where that is larger: a runtime may not add more than the
    precision itself costs.

    Args:
        backend: To be judged.
        reference: Runs the same graphs; also gives the embeddings that both fuse.
        manifest: Contract of the bundle.
        precision: Whose bounds hold; that of the graphs.

    Returns:
        Largest absolute difference by output.

    Raises:
        BackendError: An output differs by more than its bound, or has none.
        InferenceError: A stage failed.
    """
    worst: dict[str, float] = {}
    for stage, inputs in _cases(reference, manifest):
        expected = reference.run(stage, inputs)
        found = backend.run(stage, inputs)
        for name, value in expected.items():
            difference = float(np.abs(found[name] - value).max())
            bound = _bound(manifest, precision, name, value)
            if not difference <= bound:
                raise BackendError(
                    f'{backend.name}: {stage}: {name} is off by {difference:.3g} from '
                    f'{reference.name}, expected at most {bound:.3g}'
                )
            worst[name] = max(worst.get(name, 0.0), difference)
    return worst


def _bound(manifest: Manifest, precision: str, output: str, expected: NDArray[Any]) -> float:
    rounding = FP32_BOUND * max(1.0, float(np.abs(expected).max()))
    if precision == 'fp32':
        return rounding
    spec = manifest.precisions.get(precision)
    if spec is None or not spec.accepted or output not in spec.bounds:
        raise BackendError(f'{output}: the manifest accepts no difference at {precision}')
    # A stage that the precision leaves in float32 has a bound of zero there.
    return max(rounding, spec.bounds[output])


def _cases(
    reference: Backend, manifest: Manifest
) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    random = np.random.default_rng(0)
    for number in range(_SETS):
        embeddings = {}
        for stage in (name for name in _MODALITIES if name in manifest.stages):
            ((taken, spec),) = manifest.stages[stage].inputs.items()
            inputs = {taken: _measurement(random, taken, spec, number)}
            yield stage, inputs
            embeddings.update(reference.run(stage, inputs))
        for present in itertools.product((1.0, 0.0), repeat=len(_MODALITIES)):
            yield FUSION, _fused(random, manifest, embeddings, present)


def _fused(
    random: np.random.Generator,
    manifest: Manifest,
    embeddings: Mapping[str, NDArray[Any]],
    present: tuple[float, ...],
) -> dict[str, NDArray[Any]]:
    """Give the inputs of the fusion where some modalities are absent: zeros stand for those."""
    inputs: dict[str, NDArray[Any]] = {
        embedding: embeddings[embedding] * np.float32(there)
        for (_, embedding), there in zip(EMBEDDINGS.values(), present, strict=True)
        if embedding in manifest.stages[FUSION].inputs
    }
    presence = np.array([present], np.float32)
    age_s = random.uniform(0.0, 0.5, presence.shape).astype(np.float32) * presence
    return {**inputs, 'presence': presence, 'age_s': age_s}


def _measurement(
    random: np.random.Generator, name: str, spec: TensorSpec, number: int
) -> NDArray[Any]:
    """Draw a measurement; the sets grow from faint to the ends of the range."""
    share = (number + 1) / _SETS
    if name == 'image':
        return random.integers(0, int(255 * share) + 1, spec.shape).astype(spec.dtype)
    if name == 'audio':
        return random.uniform(-share, share, spec.shape).astype(spec.dtype)
    # Speed (m/s), yaw rate (rad/s), acceleration (m/s²).
    return random.normal((10.0 * number, 0.0, 0.0), (3.0, 0.2, 1.0), spec.shape).astype(spec.dtype)
