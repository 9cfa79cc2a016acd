# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Records to messages: pure functions, one for each output of the node."""

from __future__ import annotations

import array
import functools
import math
from typing import TYPE_CHECKING

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, PoseStamped, Quaternion
from mm_fusion_msgs.msg import (
    FusionStatus,
    ModalityStatus,
    PredictedTrajectory,
    RoadState,
    TrajectoryPrediction,
)
from nav_msgs.msg import Path
from std_msgs.msg import Header

from mm_fusion.errors import InferenceError
from mm_fusion.types.snapshot import ModalityState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mm_fusion.ros.health import Health
    from mm_fusion.types import predictions
    from mm_fusion.types.sensors import Modality
    from mm_fusion.types.snapshot import ModalityReport

_SECOND_NS = 1_000_000_000


def to_time(stamp_ns: int) -> Time:
    """Split nanoseconds since the epoch of the clock into a time."""
    return Time(sec=stamp_ns // _SECOND_NS, nanosec=stamp_ns % _SECOND_NS)


def to_duration(duration_ns: int) -> Duration:
    """Split nanoseconds into a duration."""
    return Duration(sec=duration_ns // _SECOND_NS, nanosec=duration_ns % _SECOND_NS)


def to_header(stamp_ns: int, frame_id: str) -> Header:
    """Write a header."""
    return Header(stamp=to_time(stamp_ns), frame_id=frame_id)


def to_modalities(
    reports: Mapping[Modality, ModalityReport], weights: Mapping[Modality, float]
) -> list[ModalityStatus]:
    """Write one entry for each sensor; one that is absent has weight 0."""
    return [
        ModalityStatus(
            name=modality.value,
            state=int(report.state),
            age=to_duration(report.age_ns or 0),
            weight=(
                _finite('weight', weights.get(modality, 0.0))
                if report.state is ModalityState.PRESENT
                else 0.0
            ),
            rate=_finite('rate', report.rate_hz),
            cause='' if report.cause is None else report.cause.value,
            quality=math.nan if report.quality is None else report.quality,
            received=report.received,
            dropped=report.dropped,
            drop_reasons=[reason.value for reason in report.drops],
            drop_counts=array.array('Q', report.drops.values()),
        )
        for modality, report in reports.items()
    ]


def to_road_state(output: predictions.FusionOutput, frame_id: str) -> RoadState | None:
    """Write the road state, or None where there is none.

    Raises:
        InferenceError: A number is not finite.
    """
    road = output.road
    if road is None:
        return None
    filtered, unfiltered = road.filtered, road.unfiltered
    return RoadState(
        header=to_header(output.stamp_ns, frame_id),
        friction=int(np.argmax(filtered.friction)),
        friction_probabilities=filtered.friction,
        friction_probabilities_unfiltered=unfiltered.friction,
        material=int(np.argmax(filtered.material)),
        material_probabilities=filtered.material,
        material_probabilities_unfiltered=unfiltered.material,
        unevenness=int(np.argmax(filtered.unevenness)),
        unevenness_probabilities=filtered.unevenness,
        unevenness_probabilities_unfiltered=unfiltered.unevenness,
        friction_coefficient_mean=_finite('friction mean', road.friction_coefficient_mean),
        friction_coefficient_stddev=_finite('friction deviation', road.friction_coefficient_std),
        siren=road.siren,
        siren_probability=float(filtered.siren),
        siren_probability_unfiltered=float(unfiltered.siren),
        surface_observed=road.surface_observed,
        siren_observed=road.siren_observed,
        modalities=to_modalities(output.modalities, output.weights),
    )


def to_trajectory(output: predictions.FusionOutput, frame_id: str) -> TrajectoryPrediction | None:
    """Write the trajectory prediction, or None where there is none.

    Raises:
        InferenceError: A number is not finite.
    """
    trajectory = output.trajectory
    if trajectory is None:
        return None
    return TrajectoryPrediction(
        header=to_header(output.stamp_ns, frame_id),
        modes=[_to_mode(mode) for mode in trajectory.modes],
        source=trajectory.source,
        speed=_finite('speed', trajectory.motion.speed_mps),
        acceleration=_finite('acceleration', trajectory.motion.acceleration_mps2),
        yaw_rate=_finite('yaw rate', trajectory.motion.yaw_rate_rps),
        modalities=to_modalities(output.modalities, output.weights),
    )


def to_path(output: predictions.FusionOutput, frame_id: str) -> Path | None:
    """Write the most likely mode as a path of stamped poses, or None where there is none."""
    if output.trajectory is None:
        return None
    mode = output.trajectory.modes[0]
    return Path(
        header=to_header(output.stamp_ns, frame_id),
        poses=[
            _to_pose(output.stamp_ns + round(time_s * _SECOND_NS), frame_id, x, y, heading)
            for time_s, (x, y), heading in zip(
                mode.times_s.tolist(), mode.positions.tolist(), mode.headings.tolist(), strict=True
            )
        ],
    )


def to_status(health: Health, frame_id: str) -> FusionStatus:
    """Write the health of the node."""
    engine, run, counters = health.engine, health.run, health.counters
    newest, stages = run.newest, health.latencies.stages
    return FusionStatus(
        header=to_header(health.now_ns if newest is None else newest.stamp_ns, frame_id),
        level=int(health.level),
        level_reason=health.reason,
        backend=engine.backend.name,
        backend_reason=engine.backend.reason,
        bundle=engine.bundle.manifest.name,
        bundle_version=engine.bundle.manifest.version,
        modalities=to_modalities(health.reports, {} if newest is None else newest.weights),
        snapshots_opened=counters.opened,
        snapshots_emitted=counters.emitted,
        snapshots_superseded=counters.superseded,
        outputs=run.outputs,
        clock_resets=counters.clock_resets,
        stages=list(stages),
        stage_latencies=array.array('f', (window.mean for window in stages.values())),
        stamp_to_publish=run.stamp_to_publish_s,
    )


def _to_mode(mode: predictions.TrajectoryMode) -> PredictedTrajectory:
    return PredictedTrajectory(
        probability=_finite('probability', mode.probability),
        time_from_start=_durations(tuple(mode.times_s.tolist())),
        positions=[Point(x=x, y=y) for x, y in mode.positions.tolist()],
        headings=array.array('f', mode.headings.tolist()),
        covariances=array.array('f', mode.covariances.ravel().tolist()),
    )


@functools.lru_cache(maxsize=4)
def _durations(times_s: tuple[float, ...]) -> list[Duration]:
    """Write the times of a path: the same for every mode of every output, so built once."""
    return [to_duration(round(time_s * _SECOND_NS)) for time_s in times_s]


def _to_pose(stamp_ns: int, frame_id: str, x_m: float, y_m: float, heading: float) -> PoseStamped:
    pose = PoseStamped(header=to_header(stamp_ns, frame_id))
    pose.pose.position = Point(x=x_m, y=y_m)
    pose.pose.orientation = Quaternion(z=math.sin(heading / 2), w=math.cos(heading / 2))
    return pose


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise InferenceError(f'{name}: found {value}, which must not be published')
    return float(value)
