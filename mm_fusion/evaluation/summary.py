# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation as plain JSON values, in which two runs on the same input are identical.

Nothing here depends on the wall clock, the machine or the place of the recording, except what
``timing`` asks for. What does not exist is null; NaN never appears.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.evaluation.records import MODALITIES, MODELS, SUBSETS, merge
from mm_fusion.metrics.classification import recalls
from mm_fusion.metrics.road_state import SURFACE_TABLES
from mm_fusion.metrics.trajectory import CONFIDENCE, HORIZONS_S, STEPS_S
from mm_fusion.types.predictions import FRICTION_CLASSES, MATERIAL_CLASSES, UNEVENNESS_CLASSES
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mm_fusion.evaluation.records import (
        BagResult,
        LatencySums,
        RoadSums,
        Timeline,
        Totals,
    )
    from mm_fusion.metrics.road_truth import RoadTruthSums, SirenSums, SurfaceSums
    from mm_fusion.metrics.trajectory import TrajectorySums
    from mm_fusion.recordings import RoadTrack

SCHEMA = 1
_DIGITS = 6


def summarise(
    results: Sequence[BagResult], bundle: str, *, timing: bool = False
) -> dict[str, Any]:
    """Lay out results as a JSON document.

    Args:
        results: One for each recording.
        bundle: Name and version of the model bundle.
        timing: Add durations by the wall clock, which differ from run to run.
    """
    return {
        'schema': SCHEMA,
        'bundle': bundle,
        'protocol': {
            'sample_rate_hz': 2.0,
            'min_speed_mps': 1.0,
            'steps_s': STEPS_S.tolist(),
            'horizons_s': list(HORIZONS_S),
            'miss_distance_m': 2.0,
            'turning_deg': 15.0,
            'confidence': CONFIDENCE,
        },
        'bags': [
            {
                'name': result.name,
                'source': result.source,
                'truth': result.truth,
                'truth_askew_deg': _number(math.degrees(result.truth_askew_rad)),
                'truth_aligned': result.truth_aligned,
                'trigger': 'camera' if result.camera else 'timer',
                'topics': dict(result.topics),
                **_totals(result.totals, timing=timing),
                'timeline': _timeline(result.timeline),
            }
            for result in results
        ],
        'total': _totals(merge(results), timing=timing),
    }


def _totals(totals: Totals, *, timing: bool) -> dict[str, Any]:
    summary: dict[str, Any] = {
        'bags': totals.bags,
        'duration_s': _number(totals.duration_s),
        'outputs': totals.outputs,
        'trajectories': totals.trajectories,
        'superseded': totals.superseded,
        'clock_resets': totals.clock_resets,
        'unusable_truth': totals.unusable_truth,
        'trajectory': {
            model: {subset: _scores(totals.scores[model][subset]) for subset in SUBSETS}
            for model in MODELS
        },
        'road': _road(totals.road),
        'road_truth': _road_truth(totals.road_truth) if totals.road_truth.known else None,
        'modalities': {
            modality.value: {
                'received': sums.received,
                'drops': dict(sorted(sums.drops.items())),
                'present': sums.present,
                'mean_weight': _ratio(sums.weight, totals.road.count),
            }
            for modality in MODALITIES
            for sums in (totals.modalities[modality],)
        },
    }
    if timing:
        summary['elapsed_s'] = _number(totals.elapsed_s)
        summary['times_real_time'] = _ratio(totals.duration_s, totals.elapsed_s)
        summary['latencies'] = {stage: _latency(sums) for stage, sums in totals.latencies.items()}
    return summary


def _scores(sums: TrajectorySums) -> dict[str, Any]:
    return {
        'samples': sums.count,
        'ade_m': _by_horizon(sums.ade_m),
        'fde_m': _by_horizon(sums.fde_m),
        'min_ade_m': _by_horizon(sums.best_ade_m),
        'miss_rate': _by_horizon(sums.miss_rate),
        'error_by_step_m': _numbers(sums.error_m),
        'coverage_by_step': _numbers(sums.coverage),
    }


def _road(road: RoadSums) -> dict[str, Any]:
    return {
        'outputs': road.count,
        'surface_observed': road.surface_observed,
        'siren_observed': road.siren_observed,
        'siren_raised': road.sirens,
        'friction_coefficient': _ratio(road.friction_coefficient, road.surface_observed),
        **{
            name: {
                label: _ratio(float(value), road.surface_observed)
                for label, value in zip(labels, values, strict=True)
            }
            for name, labels, values in (
                ('friction', FRICTION_CLASSES, road.friction),
                ('material', MATERIAL_CLASSES, road.material),
                ('unevenness', UNEVENNESS_CLASSES, road.unevenness),
            )
        },
    }


def _road_truth(sums: RoadTruthSums) -> dict[str, Any]:
    return {
        'untold': sums.untold,
        'surface_observed': _surfaces(sums.seen),
        'surface_unobserved': _surfaces(sums.blind),
        'siren': _siren(sums.siren),
    }


def _surfaces(sums: SurfaceSums) -> dict[str, Any]:
    return {
        'outputs': sums.count,
        'friction_coefficient_mae': _number(sums.coefficient_mae),
        **{
            table: {
                'outputs': int(matrix.sum()),
                'accuracy': _number(sums.accuracy(table)),
                'uar': _number(sums.average_recall(table)),
                'classes': list(groups),
                'recalls': _numbers(recalls(matrix)),
                'confusion_matrix': matrix.tolist(),
            }
            for table, (_, groups) in SURFACE_TABLES.items()
            for matrix in (sums.matrices[table],)
        },
    }


def _siren(sums: SirenSums) -> dict[str, Any]:
    return {
        'siren_s': _number(sums.siren_s),
        'quiet_s': _number(sums.quiet_s),
        'true_positive_rate': _number(sums.true_positive_rate),
        'false_positive_rate': _number(sums.false_positive_rate),
        'sirens': sums.events,
        'missed': sums.missed,
        'onset_delays_s': _numbers(sums.delays_s),
    }


def _timeline(timeline: Timeline) -> dict[str, Any]:
    return {
        'times_s': _numbers(timeline.times_s),
        'friction': [_numbers(row) for row in timeline.friction],
        'material': [_numbers(row) for row in timeline.material],
        'unevenness': [_numbers(row) for row in timeline.unevenness],
        'siren': _numbers(timeline.siren),
        'siren_raised': timeline.siren_flag.tolist(),
        'friction_coefficient': [_numbers(row) for row in timeline.friction_coefficient],
        'modalities': {
            modality.value: {
                'state': [
                    ModalityState(int(state)).name.lower() for state in timeline.states[:, column]
                ],
                'age_s': _numbers(timeline.ages_s[:, column]),
                'weight': _numbers(timeline.weights[:, column]),
            }
            for column, modality in enumerate(MODALITIES)
        },
        'truth': None if timeline.truth is None else _truth(timeline.truth),
    }


def _truth(truth: RoadTrack) -> dict[str, Any]:
    return {
        **{
            task: [None if index < 0 else labels[index] for index in getattr(truth, task)]
            for task, labels in (
                ('friction', FRICTION_CLASSES),
                ('material', MATERIAL_CLASSES),
                ('unevenness', UNEVENNESS_CLASSES),
            )
        },
        'friction_coefficient': _numbers(truth.friction_coefficient),
        'siren': [None if value < 0 else bool(value) for value in truth.siren],
        'siren_distance_m': _numbers(truth.siren_distance_m),
    }


def _latency(sums: LatencySums) -> dict[str, Any]:
    return {
        'runs': sums.count,
        'mean_ms': _number(sums.mean_s * 1e3),
        'p50_ms': _number(sums.quantile_s(0.5) * 1e3),
        'p95_ms': _number(sums.quantile_s(0.95) * 1e3),
        'p99_ms': _number(sums.quantile_s(0.99) * 1e3),
        'worst_ms': _number(sums.worst_s * 1e3),
    }


def _by_horizon(values: NDArray[np.float64] | None) -> dict[str, float | None] | None:
    if values is None:
        return None
    return {str(h): _number(float(v)) for h, v in zip(HORIZONS_S, values, strict=True)}


def _ratio(value: float, count: float) -> float | None:
    return _number(value / count) if count else None


def _numbers(values: Iterable[float] | None) -> list[float | None] | None:
    return None if values is None else [_number(float(value)) for value in values]


def _number(value: float) -> float | None:
    """Round to what is meaningful; what is not finite does not exist."""
    return round(value, _DIGITS) if np.isfinite(value) else None
