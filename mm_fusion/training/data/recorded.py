# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording, replayed through the pipeline that the node runs, as columns of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from mm_fusion.bags import Truth, read_bag
from mm_fusion.errors import SampleError
from mm_fusion.features import FeaturizerShape
from mm_fusion.geometry.prediction import predict_poses
from mm_fusion.labels import UNLABELLED
from mm_fusion.metrics.trajectory import STEPS_S
from mm_fusion.pipeline import FeaturePipeline
from mm_fusion.recordings import TruthRecorder, replay
from mm_fusion.settings import Settings
from mm_fusion.training.data.sample import (
    AUDIO_RATE_HZ,
    AUDIO_SAMPLES,
    CLASS_TASKS,
    IMAGE_SIZE,
    MOTION_STEPS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.bags import BagEvent, BagReader
    from mm_fusion.geometry.ego_state import EgoState
    from mm_fusion.pipeline import Observation
    from mm_fusion.recordings import RoadTrack
    from mm_fusion.training.data.cache import EntryWriter

SHAPE = FeaturizerShape((IMAGE_SIZE, IMAGE_SIZE), AUDIO_SAMPLES, AUDIO_RATE_HZ, MOTION_STEPS)
"""What the network takes: images of 224 x 224, 3 s of sound at 16 kHz, 4 s of motion."""

MIN_SPEED_MPS = 1.0
"""No path is learned from below this speed."""

PCM_STEPS = 32_768
_REPORTS = 100
_STEP_COUNT = len(STEPS_S)


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How recordings become samples.

    Attributes:
        period_s: Time between two samples.
        motion_period_s: The same in recordings with neither camera nor sound, whose samples are
            small.
        topics: Topic by role, where the choice by type is not wanted.
        settings: All parameters of the pipeline.
    """

    period_s: float = 0.5
    motion_period_s: float = 0.1
    topics: Mapping[str, str] | None = None
    settings: Settings = field(default_factory=Settings)


def decode_recording(
    path: Path,
    options: DecodingOptions,
    writer: EntryWriter,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Replay a recording and write a sample of each period.

    Columns, one row for each of n samples: ``stamps_ns`` int64; ``times_s`` float64, from the
    first message of the recording; ``image_row`` and ``audio_row`` int64, -1 where absent, into
    ``image`` uint8 (224, 224, 3) and ``audio`` int16 (48000,); ``motion`` float32 (40, 3), NaN
    where absent; ``age_s`` float32 (3,); ``rollout`` and ``future`` float32 (12, 3), x and y in
    metres and heading in rad in ``base_link`` at the stamp, NaN where unknown; the classes int64
    and ``friction_coefficient`` float32, as the recorded truth has them.

    Args:
        path: Of the recording.
        options: How it becomes samples.
        writer: Takes the columns.
        progress: Told the share of the recording that is done.

    Raises:
        BagError: The recording is missing, empty, damaged, or lacks the topics.
    """
    with read_bag(path, options.topics, options.settings) as bag:
        truth = TruthRecorder(odometry=bag.topics.odometry is not None)
        delays_ns: list[int] = []
        # Each sample has the sound of its own moment, however seldom a node may encode it.
        inference = replace(options.settings.inference, audio_rate_hz=0.0)
        pipeline = FeaturePipeline(SHAPE, replace(options.settings, inference=inference))
        bare = bag.topics.image is None and bag.topics.audio is None
        period_ns = round(1e9 * (options.motion_period_s if bare else options.period_s))
        stamps: list[int] = []
        moving: list[bool] = []
        for observation in replay(_watched(bag, truth, delays_ns, progress), pipeline):
            fresh = not stamps or observation.stamp_ns // period_ns != stamps[-1] // period_ns
            if fresh and observation.batch.presence.any():
                stamps.append(observation.stamp_ns)
                moving.append(_write_inputs(observation, writer))
        stamps_ns = np.array(stamps, np.int64)
        delay_ns = float(np.median(delays_ns)) if delays_ns else 0.0
        writer.column('stamps_ns', stamps_ns)
        writer.column('times_s', (stamps_ns - bag.start_ns + delay_ns) / 1e9)
        source = _write_future(stamps_ns, moving, truth, options, writer)
        track = truth.road()
        _write_labels(stamps_ns, track, writer)
        writer.about = {
            'duration_s': bag.duration_s,
            'topics': {
                role: topic for topic, roles in bag.topics.roles().items() for role in roles
            },
            'path_source': source,
            'road_truth': track is not None,
        }


def _watched(
    bag: BagReader,
    truth: TruthRecorder,
    delays_ns: list[int],
    progress: Callable[[float], None] | None,
) -> Iterator[BagEvent]:
    """Pass messages on, and keep what the truth and the clock need of them."""
    every = max(1, bag.message_count // _REPORTS)
    for index, event in enumerate(bag.events()):
        if progress is not None and index % every == 0:
            progress(index / bag.message_count)
        if isinstance(event.content, Truth):
            truth.add_truth(event.content)
        elif not isinstance(event.content, SampleError):
            truth.add_sample(event.content)
            delays_ns.append(event.received_ns - event.content.stamp_ns)
        yield event


def _write_inputs(observation: Observation, writer: EntryWriter) -> bool:
    """Write what the network takes; tell whether the vehicle moves."""
    batch = observation.batch
    for column, value in (('image', batch.image), ('audio', batch.audio)):
        place = -1 if value is None else writer.rows(column)
        writer.add(f'{column}_row', np.int64(place))
    if batch.image is not None:
        writer.add('image', batch.image[0])
    if batch.audio is not None:
        steps = np.rint(batch.audio[0] * PCM_STEPS)
        writer.add('audio', np.clip(steps, -PCM_STEPS, PCM_STEPS - 1).astype(np.int16))
    absent = np.full((MOTION_STEPS, 3), np.nan, np.float32)
    writer.add('motion', absent if batch.motion is None else batch.motion[0])
    writer.add('age_s', batch.age_s[0])
    writer.add('rollout', _rollout(observation.state))
    return observation.state is not None and observation.state.motion.speed_mps > MIN_SPEED_MPS


def _rollout(state: EgoState | None) -> NDArray[np.float32]:
    if state is None:
        return _unknown_path()
    positions, headings = predict_poses(state, STEPS_S)
    return np.column_stack([positions, headings]).astype(np.float32)


def _unknown_path() -> NDArray[np.float32]:
    return np.full((_STEP_COUNT, 3), np.nan, np.float32)


def _write_future(
    stamps_ns: NDArray[np.int64],
    moving: list[bool],
    truth: TruthRecorder,
    options: DecodingOptions,
    writer: EntryWriter,
) -> str | None:
    """Write the path that was driven after each stamp; say where it is known from."""
    found = truth.path(options.settings.ego_filter)
    futures = np.full((len(stamps_ns), _STEP_COUNT, 3), np.nan, np.float32)
    if found is not None:
        for index in np.flatnonzero(moving):
            future = found[1].future_in_base_link(int(stamps_ns[index]), STEPS_S)
            if future is not None:
                futures[index] = np.column_stack(future)
    writer.column('future', futures)
    return None if found is None else found[0]


def _write_labels(
    stamps_ns: NDArray[np.int64], track: RoadTrack | None, writer: EntryWriter
) -> None:
    told = None if track is None else track.at(stamps_ns)
    for task in CLASS_TASKS:
        unknown = np.full(len(stamps_ns), UNLABELLED, np.int64)
        writer.column(task, unknown if told is None else getattr(told, task).astype(np.int64))
    coefficient = np.full(len(stamps_ns), math.nan) if told is None else told.friction_coefficient
    writer.column('friction_coefficient', coefficient.astype(np.float32))
