# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A smoothed path from a whole recording: the ground truth of drives without odometry.

An extended Rauch-Tung-Striebel smoother (1965, Maximum likelihood estimates of linear dynamic
systems) over the process model of the ego-state filter: every pose rests on what was measured
before it and after it. An outlier is not refused but weakened until it lies at the gate.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mm_fusion.geometry.belief import Belief
from mm_fusion.geometry.ego_filter import EgoStateFilter
from mm_fusion.geometry.measurements import (
    MeasuredPosition,
    MeasuredVelocity,
    measured_position,
    measured_velocity,
    origin_of,
)
from mm_fusion.geometry.process import (
    HEADING,
    MAX_STEP_S,
    SPEED,
    YAW_RATE,
    Mean,
    ProcessModel,
    step_noise,
    transition,
)
from mm_fusion.geometry.reference import ReferencePath
from mm_fusion.geometry.updates import innovation, update_column, update_position
from mm_fusion.settings import EgoFilterSettings
from mm_fusion.types.sensors import VelocitySample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mm_fusion.types.sensors import PositionSample

    Measured: TypeAlias = MeasuredPosition | MeasuredVelocity

_GATE_SIGMAS = 3.0
_GAP_NS = 5_000_000_000
_TOP_SPEED_MPS = 40.0

_CORRELATION_S = 1.0
_MAX_INFLATION = 20.0
"""Errors of positions within a second of each other are nearly equal, as receivers filter what
they say: their variances are raised as if there were one position a second."""


def smoothed_path(
    positions: Sequence[PositionSample],
    velocities: Sequence[VelocitySample],
    settings: EgoFilterSettings | None = None,
    process: ProcessModel | None = None,
) -> ReferencePath:
    """Smooth a recording into the path that was driven, one pose at each stamp of a sample.

    A silence of more than five seconds separates the recording into parts that are smoothed by
    themselves; a future across it is not looked up. Without positions, or where they never tell
    the heading, the path is right up to its heading.

    Args:
        positions: In any order; of one kind.
        velocities: In any order.
        settings: Deviations of the sensors; None takes the defaults.
        process: Model of the motion; None takes the default.

    Raises:
        SampleError: A number is not finite or not plausible.
        ValueError: There is no sample.
    """
    settings = settings or EgoFilterSettings()
    process = process or ProcessModel()
    samples = sorted((*positions, *velocities), key=lambda sample: sample.stamp_ns)
    if not samples:
        raise ValueError('smoothed path: found no sample')
    measured = _measurements(samples, settings)
    stamps = np.array([sample.stamp_ns for sample in samples], dtype=np.int64)
    cuts = [0, *(np.flatnonzero(np.diff(stamps) > _GAP_NS) + 1).tolist(), len(samples)]
    nodes: list[_Node] = []
    means: list[NDArray[np.float64]] = []
    for first, end in itertools.pairwise(cuts):
        heading = _first_heading(samples[first:end], settings, process)
        part = _filter(stamps[first:end].tolist(), measured[first:end], heading, process)
        means.extend(_smooth(part))
        nodes.extend(part)
    kept = [i for i, node in enumerate(nodes) if node.measured]
    states = np.array([means[i] for i in kept])
    return ReferencePath(
        stamps_ns=np.array([nodes[i].stamp_ns for i in kept], dtype=np.int64),
        positions=states[:, :2],
        headings=states[:, HEADING],
        speeds=states[:, SPEED],
    )


@dataclass(slots=True, eq=False)
class _Node:
    """The filter at one instant: as predicted, with the Jacobian of the way there, and updated."""

    stamp_ns: int
    predicted: Mean
    predicted_covariance: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    measured: bool = False
    mean: Mean = field(init=False)
    covariance: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        """Start the update from the prediction."""
        self.mean, self.covariance = self.predicted, self.predicted_covariance


def _measurements(
    samples: Sequence[PositionSample | VelocitySample], settings: EgoFilterSettings
) -> list[Measured]:
    velocities = [sample for sample in samples if isinstance(sample, VelocitySample)]
    turning = settings.yaw_rate == 'measured' or (
        settings.yaw_rate == 'auto' and any(sample.yaw_rate_rps for sample in velocities)
    )
    frame = next((origin_of(s) for s in samples if not isinstance(s, VelocitySample)), None)
    result: list[Measured] = []
    for sample in samples:
        if isinstance(sample, VelocitySample):
            velocity = measured_velocity(sample, settings)
            result.append(velocity if turning else velocity.without_yaw_rate())
        else:
            result.append(measured_position(sample, frame, settings))
    return result


def _first_heading(
    samples: Sequence[PositionSample | VelocitySample],
    settings: EgoFilterSettings,
    process: ProcessModel,
) -> tuple[float, float] | None:
    """Return the heading at the first sample and its variance, from the filter's first answer."""
    ego = EgoStateFilter(settings, process)
    reckoned = 0.0
    for sample in samples:
        ego.add(sample)
        state = ego.state_at(sample.stamp_ns)
        if state is None:
            continue
        if state.heading_known:
            return float(state.mean[HEADING]) - reckoned, float(state.covariance[HEADING, HEADING])
        reckoned = float(state.mean[HEADING])
    return None


def _filter(
    stamps_ns: list[int],
    measured: Sequence[Measured],
    heading: tuple[float, float] | None,
    process: ProcessModel,
) -> list[_Node]:
    nodes = [_first_node(stamps_ns, measured, heading, process)]
    position_ns = stamps_ns[0]
    for stamp_ns, item in zip(stamps_ns, measured, strict=True):
        while nodes[-1].stamp_ns < stamp_ns:
            until_ns = min(stamp_ns, nodes[-1].stamp_ns + int(MAX_STEP_S * 1e9))
            nodes.append(_next_node(nodes[-1], until_ns, process))
        node = nodes[-1]
        node.measured = True
        if isinstance(item, MeasuredVelocity):
            _use_velocity(node, item)
        else:
            _use_position(node, item, (stamp_ns - position_ns) * 1e-9)
            position_ns = stamp_ns
    return nodes


def _first_node(
    stamps_ns: list[int],
    measured: Sequence[Measured],
    heading: tuple[float, float] | None,
    process: ProcessModel,
) -> _Node:
    prior = Belief(stamps_ns[0], process)
    mean, covariance = list(prior.mean), prior.covariance
    # Without positions the path starts at the origin; a millimetre keeps the covariance regular.
    covariance[0, 0] = covariance[1, 1] = 1e-6
    if heading is not None:
        mean[HEADING], covariance[HEADING, HEADING] = heading
    for stamp_ns, item in zip(stamps_ns, measured, strict=True):
        if isinstance(item, MeasuredPosition):
            mean[:2] = item.east_m, item.north_m
            way = _TOP_SPEED_MPS * (stamp_ns - stamps_ns[0]) * 1e-9
            covariance[0, 0] = item.east_variance + way**2
            covariance[1, 1] = item.north_variance + way**2
            break
    east, north, angle, speed, yaw_rate, acceleration = mean
    start: Mean = (east, north, angle, speed, yaw_rate, acceleration)
    return _Node(stamps_ns[0], start, covariance, np.eye(6))


def _next_node(node: _Node, stamp_ns: int, process: ProcessModel) -> _Node:
    step_s = (stamp_ns - node.stamp_ns) * 1e-9
    mean, jacobian = transition(node.mean, step_s, process)
    covariance = jacobian @ node.covariance @ jacobian.T + step_noise(node.mean, step_s, process)
    return _Node(stamp_ns, mean, 0.5 * (covariance + covariance.T), jacobian)


def _use_velocity(node: _Node, measured: MeasuredVelocity) -> None:
    parts = [(SPEED, measured.speed_mps, measured.speed_variance)]
    if measured.yaw_rate_rps is not None:
        parts.append((YAW_RATE, measured.yaw_rate_rps, measured.yaw_rate_variance))
    for column, value, variance in parts:
        off = (value - node.mean[column]) ** 2 / _GATE_SIGMAS**2
        weakened = max(variance, off - float(node.covariance[column, column]))
        node.mean, node.covariance = update_column(
            node.mean, node.covariance, column, value, weakened
        )


def _use_position(node: _Node, measured: MeasuredPosition, apart_s: float) -> None:
    factor = _inflation(apart_s)
    found = innovation(node.mean, node.covariance, measured, factor)
    if found.squared_distance > _GATE_SIGMAS**2:
        factor *= found.squared_distance / _GATE_SIGMAS**2
        found = innovation(node.mean, node.covariance, measured, factor)
    node.mean, node.covariance = update_position(node.mean, node.covariance, found)


def _inflation(apart_s: float) -> float:
    """Return the factor on the covariance of a position, by the time since the previous one."""
    return min(_MAX_INFLATION, max(1.0, _CORRELATION_S / max(apart_s, 1e-3)))


def _smooth(nodes: Sequence[_Node]) -> list[NDArray[np.float64]]:
    means = [np.array(node.mean) for node in nodes]
    for i in range(len(nodes) - 2, -1, -1):
        node, following = nodes[i], nodes[i + 1]
        crossed = following.jacobian @ node.covariance
        gain = np.linalg.solve(following.predicted_covariance, crossed).T
        means[i] += gain @ (means[i + 1] - np.array(following.predicted))
    return means
