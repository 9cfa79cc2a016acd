# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Score what a live node said, from the outputs in a recording of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from mm_fusion.bags import read_bag
from mm_fusion.bags.raw import RawBag
from mm_fusion.drawing.ground_camera import NO_OPTIONS
from mm_fusion.errors import BagError, SampleError
from mm_fusion.evaluation.camera import recorded_camera
from mm_fusion.evaluation.collector import OutputCollector
from mm_fusion.evaluation.frames import FramePicker
from mm_fusion.evaluation.observer import observed
from mm_fusion.evaluation.result import bag_result
from mm_fusion.messages.truths import ROAD_STATE_TYPE
from mm_fusion.recordings import TruthRecorder
from mm_fusion.types.predictions import (
    EgoMotion,
    FusionOutput,
    RoadState,
    SurfacePosterior,
    TrajectoryMode,
    TrajectoryPrediction,
)
from mm_fusion.types.sensors import DropReason, Modality
from mm_fusion.types.snapshot import ModalityReport, ModalityState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mm_fusion.drawing.ground_camera import CameraOptions
    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.settings import Settings

TRAJECTORY_TYPE = 'mm_fusion_msgs/msg/TrajectoryPrediction'
_OUTPUT_TYPES = (ROAD_STATE_TYPE, TRAJECTORY_TYPE)
_SECOND_NS = 1_000_000_000


def evaluate_recorded(
    path: Path,
    settings: Settings,
    topics: Mapping[str, str] | None = None,
    progress: Callable[[float], None] | None = None,
    *,
    frames: int = 0,
    camera: CameraOptions = NO_OPTIONS,
    align_truth: bool = False,
) -> BagResult:
    """Score the outputs in a recording of a live node; nothing is run.

    The counts of samples and drops are those that the node published last.

    Args:
        path: Folder or file of a rosbag2 recording, with the inputs and the outputs of a node.
        settings: All parameters; the ego-state filter's are used for the ground truth.
        topics: Topic by role, where the choice by type is not wanted.
        progress: Called with the share of the recording that is done, in [0, 1].
        frames: Number of sample frames to draw.
        camera: What is known better of the camera than the recording says.
        align_truth: Turn the headings of the odometry to its travel, straight on.

    Raises:
        BagError: The recording is missing, empty, unreadable, or holds no outputs.
        SettingsError: The predicted steps do not contain those that are scored.
    """
    begin = time.perf_counter()
    with read_bag(path, topics, settings) as bag:
        outputs = recorded_outputs(path, bag.topics.road_state)
        collector = OutputCollector()
        view = recorded_camera(path, bag.topics.image, camera, settings.camera)
        picker = FramePicker(frames, bag.start_ns, bag.duration_s, view)
        truth = TruthRecorder(odometry=bag.topics.odometry is not None, along_travel=align_truth)
        for _ in observed(bag, truth, picker, progress):
            pass
        for output in outputs:
            collector.add(output)
            picker.draw(output)
        return bag_result(
            path=path,
            bag=bag,
            collector=collector,
            truth=truth,
            settings=settings,
            frames=tuple(picker.frames),
            view=view.note,
            elapsed_s=time.perf_counter() - begin,
        )


def recorded_outputs(path: Path, truth_topic: str | None) -> list[FusionOutput]:
    """Join road states and trajectories of one stamp, in order of stamp.

    Args:
        path: Of the recording.
        truth_topic: Topic of road states that are ground truth, not output.

    Raises:
        BagError: It cannot be read, or holds no outputs, or those of several nodes.
    """
    found: dict[int, dict[str, Any]] = {}
    with RawBag(path) as bag:
        topics = _topics(bag, truth_topic)
        for topic, _, data in bag.messages(topics):
            try:
                message: Any = bag.deserialized(topic, data)
            except SampleError as error:
                raise BagError(f'{path}: {error}') from error
            stamp = message.header.stamp
            stamp_ns = stamp.sec * _SECOND_NS + stamp.nanosec
            found.setdefault(stamp_ns, {})[topics[topic]] = message
    try:
        return [
            _output(stamp_ns, messages.get(ROAD_STATE_TYPE), messages.get(TRAJECTORY_TYPE))
            for stamp_ns, messages in sorted(found.items())
        ]
    except ValueError as error:
        raise BagError(f'{path}: an output of the node cannot be used: {error}') from error


def _topics(bag: RawBag, truth_topic: str | None) -> dict[str, str]:
    """Find the topics of the node's outputs, with their types."""
    topics = {
        topic: kind
        for topic, kind in bag.types.items()
        if kind in _OUTPUT_TYPES and topic != truth_topic
    }
    if len(set(topics.values())) != len(topics):
        listed = ', '.join(sorted(topics))
        raise BagError(f'{bag.path}: found outputs of several nodes, expected one: {listed}')
    if not topics:
        kinds = ' or '.join(_OUTPUT_TYPES)
        raise BagError(f'{bag.path}: the recording holds no outputs of the node ({kinds})')
    return topics


def _output(stamp_ns: int, road: Any | None, trajectory: Any | None) -> FusionOutput:
    messages = [message for message in (trajectory, road) if message is not None]
    statuses = [status for message in messages for status in message.modalities]
    reports = {Modality(status.name): _report(status) for status in statuses}
    silent = ModalityReport(ModalityState.NEVER_SEEN, None, 0.0, 0, {})
    return FusionOutput(
        stamp_ns=stamp_ns,
        road=None if road is None else _road(road),
        trajectory=None if trajectory is None else _trajectory(trajectory),
        modalities={modality: reports.get(modality, silent) for modality in Modality},
        weights={Modality(status.name): float(status.weight) for status in statuses},
        latencies_s={},
        epoch=0,
    )


def _report(status: Any) -> ModalityReport:
    state = ModalityState(status.state)
    age = status.age
    return ModalityReport(
        state=state,
        age_ns=(None if state is ModalityState.NEVER_SEEN else age.sec * _SECOND_NS + age.nanosec),
        rate_hz=float(status.rate),
        received=int(status.received),
        drops={
            DropReason(reason): int(count)
            for reason, count in zip(status.drop_reasons, status.drop_counts, strict=True)
        },
    )


def _road(message: Any) -> RoadState:
    def posterior(suffix: str) -> SurfacePosterior:
        friction, material, unevenness, siren = (
            getattr(message, f'{name}{suffix}')
            for name in (
                'friction_probabilities',
                'material_probabilities',
                'unevenness_probabilities',
                'siren_probability',
            )
        )
        return SurfacePosterior(
            friction=np.asarray(friction, np.float32),
            material=np.asarray(material, np.float32),
            unevenness=np.asarray(unevenness, np.float32),
            siren=float(siren),
        )

    return RoadState(
        filtered=posterior(''),
        unfiltered=posterior('_unfiltered'),
        friction_coefficient_mean=float(message.friction_coefficient_mean),
        friction_coefficient_std=float(message.friction_coefficient_stddev),
        siren=bool(message.siren),
        surface_observed=bool(message.surface_observed),
        siren_observed=bool(message.siren_observed),
    )


def _trajectory(message: Any) -> TrajectoryPrediction:
    if not message.modes:
        raise ValueError('a trajectory without a mode')
    return TrajectoryPrediction(
        modes=tuple(
            TrajectoryMode(
                probability=float(mode.probability),
                times_s=np.array([t.sec + t.nanosec * 1e-9 for t in mode.time_from_start]),
                positions=np.array([(point.x, point.y) for point in mode.positions]),
                headings=np.asarray(mode.headings, np.float64),
                covariances=np.asarray(mode.covariances, np.float64).reshape(-1, 2, 2),
            )
            for mode in message.modes
        ),
        source='network' if message.source == 'network' else 'ego_filter',
        motion=EgoMotion(
            float(message.speed), float(message.acceleration), float(message.yaw_rate)
        ),
    )
