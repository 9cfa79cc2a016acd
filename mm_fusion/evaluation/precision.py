# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The parity gate: what a bundle loses at another precision than float32, on real samples."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.errors import InferenceError
from mm_fusion.evaluation.labelled import Judge, judge_roads, judge_sounds
from mm_fusion.evaluation.precision_samples import joint_inputs
from mm_fusion.metrics.road_state import SURFACE_TABLES
from mm_fusion.runtime.manifest import INT8_CPU
from mm_fusion.runtime.onnxruntime import OnnxRuntimeBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mm_fusion.evaluation.precision_samples import Samples
    from mm_fusion.runtime import Backend, Bundle

TOLERANCES = {'fp16': 0.002, 'int8': 0.01, INT8_CPU: 0.01}
"""Largest difference of any figure from float32 that is accepted: 0.2 points, and 1 point."""
_JOINT_SNAPSHOTS = 64
_ROUNDING = 1e-9
_TIMED_ROUNDS = 21


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """A bundle at one precision on the scored samples.

    Attributes:
        figures: UAR by table of the surface, and ROC AUC and true positive rate of the siren;
            None where there is no example.
        outputs: Every output of every run, by name, float32 (runs, size).
        photographs: Number of photographs scored.
        clips: Number of clips scored.
    """

    figures: Mapping[str, float | None]
    outputs: Mapping[str, NDArray[np.float32]]
    photographs: int
    clips: int


class _Recorder:
    """Keep every output of the backend that it hands everything to."""

    concurrent = False

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name, self.reason = backend.name, backend.reason
        self.outputs: dict[str, list[NDArray[np.float32]]] = {}

    def run(self, stage: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        outputs = self._backend.run(stage, inputs)
        for name, value in outputs.items():
            self.outputs.setdefault(name, []).append(value.ravel().copy())
        return outputs

    def close(self) -> None:
        self._backend.close()


def measure(
    bundle: Bundle,
    graphs: Mapping[str, bytes],
    samples: Samples,
    threads: int,
    progress: Callable[[int, int], None],
) -> Measurement:
    """Score graphs by the code of ``mm_fusion validate``, on ONNX Runtime.

    Args:
        bundle: Whose contract the graphs fulfil.
        graphs: By stage, at any precision.
        samples: Those to score are used.
        threads: Of one run.
        progress: Told the files done and their total.

    Raises:
        InferenceError: A graph fails, or gives a number that is not finite.
    """
    recorder = _Recorder(_backend(bundle, graphs, threads))
    judge = Judge(bundle, recorder)
    photographs, clips = len(samples.scored_roads), len(samples.scored_sounds)
    total = photographs + clips
    roads = judge_roads(
        samples.roads, judge, samples.scored_roads, lambda done, _: progress(done, total)
    )
    sounds = judge_sounds(
        samples.sounds,
        judge,
        samples.scored_sounds,
        lambda done, _: progress(photographs + done, total),
    )
    if judge.reader.shape.motion_steps is not None:
        for image, audio, motion in joint_inputs(judge.reader, samples, _JOINT_SNAPSHOTS):
            judge.posterior(image, audio, motion)
    recorder.close()
    return Measurement(
        figures={
            **{f'{table}_uar': roads.scores[table]['uar'] for table in SURFACE_TABLES},
            'siren_roc_auc': sounds.scores['roc_auc'],
            'siren_true_positive_rate': sounds.scores['true_positive_rate'],
        },
        outputs={name: np.stack(values) for name, values in recorder.outputs.items()},
        photographs=roads.used,
        clips=sounds.used,
    )


def _backend(bundle: Bundle, graphs: Mapping[str, bytes], threads: int) -> OnnxRuntimeBackend:
    variant = dataclasses.replace(bundle, graphs=graphs)
    return OnnxRuntimeBackend(variant, threads=threads, reason='measured')


def cpu_time_ratios(bundle: Bundle, graphs: Mapping[str, bytes], threads: int) -> dict[str, float]:
    """Compare the processor time of graphs with that of the bundle's own on ONNX Runtime.

    Args:
        bundle: Whose float32 graphs are the measure.
        graphs: By stage, at another precision.
        threads: Of one run.

    Returns:
        Median, over rounds in which both take turns, by stage, and of ``all`` together.
    """
    backends = [_backend(bundle, content, threads) for content in (graphs, bundle.graphs)]
    inputs = {
        name: {key: np.zeros(spec.shape, spec.dtype) for key, spec in stage.inputs.items()}
        for name, stage in bundle.manifest.stages.items()
    }
    rounds = []
    for _ in range(_TIMED_ROUNDS):
        durations_s = np.zeros((2, len(inputs) + 1))
        for backend, spans_s in zip(backends, durations_s, strict=True):
            for index, (stage, values) in enumerate(inputs.items(), 1):
                start = time.process_time()
                backend.run(stage, values)
                spans_s[index] = time.process_time() - start
            spans_s[0] = spans_s.sum()
        rounds.append(durations_s[0] / durations_s[1])
    medians = np.median(rounds, axis=0).tolist()
    return dict(zip(('all', *inputs), medians, strict=True))


def judge_precision(
    precision: str, reference: Measurement, variant: Measurement | InferenceError
) -> dict[str, Any]:
    """Accept or refuse a precision.

    Args:
        precision: A key of ``TOLERANCES``.
        reference: At float32.
        variant: At the precision on the same samples, or why it cannot be run.

    Returns:
        ``accepted``, ``why``, ``bounds`` and ``metrics`` of the manifest's node.
    """
    if isinstance(variant, InferenceError):
        return {'accepted': False, 'why': str(variant), 'bounds': {}, 'metrics': {}}
    allowed = TOLERANCES[precision]
    differences = {
        name: round(value - before, 4)
        for name, value in variant.figures.items()
        if value is not None and (before := reference.figures[name]) is not None
    }
    off = {
        name: difference
        for name, difference in differences.items()
        if abs(difference) > allowed + _ROUNDING
    }
    measured = f'on {reference.photographs} photographs and {reference.clips} clips'
    points = f'{100 * allowed:.1f} points of fp32'
    if off:
        listed = ', '.join(f'{name} by {100 * value:+.2f}' for name, value in off.items())
        why = f'not within {points} {measured}: {listed}'
    else:
        why = f'every figure within {points} {measured}'
    return {
        'accepted': not off,
        'why': why,
        'bounds': largest_differences(reference, variant),
        'metrics': {
            'photographs': reference.photographs,
            'clips': reference.clips,
            'fp32': dict(reference.figures),
            precision: dict(variant.figures),
            'difference': differences,
        },
    }


def largest_differences(reference: Measurement, variant: Measurement) -> dict[str, float]:
    """Give the largest absolute difference of each output, rounded up to three digits."""
    return {
        name: _rounded_up(float(np.abs(values - reference.outputs[name]).max()))
        for name, values in variant.outputs.items()
    }


def _rounded_up(value: float) -> float:
    return float(f'{value * 1.005:.3g}')
