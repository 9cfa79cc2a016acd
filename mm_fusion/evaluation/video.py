# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""A video of a recorded run: the camera with what the node said of each moment laid over it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mm_fusion.bags import read_bag
from mm_fusion.bags.raw import RawBag
from mm_fusion.drawing.frame import decoded
from mm_fusion.drawing.ground_camera import NO_OPTIONS
from mm_fusion.drawing.overlay import HEIGHT, WIDTH, Moment, Overlay
from mm_fusion.drawing.panels import NOTHING_TOLD, TASKS, Told, extent, reach_for
from mm_fusion.errors import BagError, SampleError
from mm_fusion.evaluation.camera import recorded_camera
from mm_fusion.evaluation.collector import OutputCollector
from mm_fusion.evaluation.overlay_timeline import Strip
from mm_fusion.evaluation.recorded import recorded_outputs
from mm_fusion.evaluation.webm import WebmWriter
from mm_fusion.messages import image_sample
from mm_fusion.metrics.trajectory import STEPS_S
from mm_fusion.recordings import TruthRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mm_fusion.drawing.ground_camera import CameraOptions, GroundCamera
    from mm_fusion.geometry.reference import ReferencePath
    from mm_fusion.recordings import RoadTrack
    from mm_fusion.settings import Settings
    from mm_fusion.types.predictions import FusionOutput
    from mm_fusion.types.sensors import ImageSample

RATE_HZ = 12.0
LONGEST_S = 120.0
"""What comes later is not shown: a video is to be looked at, and to fit into a page."""

_POSTER_AT = 0.5
_KEPT_IMAGES = 40


@dataclass(frozen=True, slots=True)
class Video:
    """Files of a video.

    Attributes:
        path: WebM, AV1.
        poster: PNG of one of its frames.
        width: Pixels.
        height: Pixels.
        duration_s: Length.
        cut: Whether the recording is longer.
    """

    path: Path
    poster: Path
    width: int
    height: int
    duration_s: float
    cut: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Drive:
    """What is known of a recording before its images are read."""

    outputs: Sequence[FusionOutput]
    told: Sequence[Told]
    reference: ReferencePath | None
    camera: GroundCamera
    image_topic: str | None
    strip: Strip


def write_video(
    recording: Path,
    stem: Path,
    settings: Settings,
    topics: Mapping[str, str] | None = None,
    camera: CameraOptions = NO_OPTIONS,
    progress: Callable[[float], None] = lambda share: None,
) -> Video:
    """Write the video of a recording with the outputs of a node.

    Args:
        recording: Folder or file of a rosbag2 recording.
        stem: Files to make, without their suffixes.
        settings: All parameters; the ego-state filter's are used for the ground truth.
        topics: Topic by role, where the choice by type is not wanted.
        camera: What is known better of the camera than the recording says.
        progress: Called with the share that is done, in [0, 1].

    Raises:
        BagError: The recording is missing, empty, unreadable, or holds no outputs.
        MmFusionError: Video cannot be encoded here.
    """
    drive = _read(recording, settings, topics, camera)
    first_ns, last_ns = drive.outputs[0].stamp_ns, drive.outputs[-1].stamp_ns
    shown_s = min((last_ns - first_ns) / 1e9, LONGEST_S)
    count = max(round(shown_s * RATE_HZ), 1)
    overlay = Overlay('mm_fusion', drive.camera, drive.strip)
    paths = stem.with_suffix('.webm'), stem.with_suffix('.png')
    with WebmWriter(paths[0], WIDTH, HEIGHT, RATE_HZ) as video:
        for index, moment in enumerate(_moments(recording, drive, count)):
            frame = overlay.draw(moment)
            video.add(frame)
            if index == int(count * _POSTER_AT):
                cv2.imwrite(str(paths[1]), frame[:, :, ::-1])
            progress((index + 1) / count)
    return Video(
        *paths, WIDTH, HEIGHT, count / RATE_HZ, cut=(last_ns - first_ns) / 1e9 > LONGEST_S
    )


def _read(
    recording: Path, settings: Settings, topics: Mapping[str, str] | None, camera: CameraOptions
) -> _Drive:
    with read_bag(recording, topics, settings) as bag:
        outputs = recorded_outputs(recording, bag.topics.road_state)
        if not outputs:
            raise BagError(f'{recording}: the topics of the outputs hold no messages')
        truth = TruthRecorder(odometry=bag.topics.odometry is not None)
        for event in bag.events():
            truth.add(event)
        image_topic = bag.topics.image
    collector = OutputCollector()
    for output in outputs:
        collector.add(output)
    track, path = truth.road(), truth.path(settings.ego_filter)
    return _Drive(
        outputs=outputs,
        told=_told(track, [output.stamp_ns for output in outputs]),
        reference=None if path is None else path[1],
        camera=recorded_camera(recording, image_topic, camera, settings.camera),
        image_topic=image_topic,
        strip=Strip(collector.timeline(track)),
    )


def _told(track: RoadTrack | None, stamps_ns: Sequence[int]) -> list[Told]:
    """Say what is true at each stamp."""
    if track is None:
        return [NOTHING_TOLD] * len(stamps_ns)
    there = track.at(np.array(stamps_ns, np.int64))
    return [
        Told(
            classes={task: _known(int(getattr(there, task)[row])) for task in TASKS},
            friction_coefficient=_finite(there.friction_coefficient[row]),
            siren=None if there.siren[row] < 0 else bool(there.siren[row]),
            siren_distance_m=_finite(there.siren_distance_m[row]),
        )
        for row in range(len(stamps_ns))
    ]


def _known(index: int) -> int | None:
    return None if index < 0 else index


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _reach(outputs: Sequence[FusionOutput]) -> float:
    """Choose how far the map of the paths reaches: as far as nearly all of them."""
    modes = [o.trajectory.modes[0] for o in outputs if o.trajectory is not None]
    return reach_for(float(np.quantile([extent(mode) for mode in modes], 0.95)) if modes else 0.0)


def _moments(recording: Path, drive: _Drive, count: int) -> Iterator[Moment]:
    """Walk over the recording at the rate of the video."""
    first_ns = drive.outputs[0].stamp_ns
    images = _Images(recording, drive.image_topic)
    reach_m = _reach(drive.outputs)
    row = 0
    for index in range(count):
        now_ns = first_ns + round(index * 1e9 / RATE_HZ)
        while row + 1 < len(drive.outputs) and drive.outputs[row + 1].stamp_ns <= now_ns:
            row += 1
        output = drive.outputs[row]
        pixels, stamp_ns = images.at(output.stamp_ns, now_ns)
        future = (
            None
            if drive.reference is None
            else drive.reference.future_in_base_link(output.stamp_ns, STEPS_S)
        )
        yield Moment(
            time_s=(now_ns - first_ns) / 1e9,
            image=pixels,
            image_age_s=(now_ns - stamp_ns) / 1e9,
            output=output,
            told=drive.told[row],
            truth_path=None if future is None else future[0],
            reach_m=reach_m,
        )


class _Images:
    """Give the camera frame of each moment; only those that are shown are decoded."""

    def __init__(self, recording: Path, topic: str | None) -> None:
        self._stream = iter(()) if topic is None else _samples(recording, topic)
        self._kept: deque[ImageSample] = deque(maxlen=_KEPT_IMAGES)
        self._ahead = next(self._stream, None)
        self._shown_ns = 0
        self._pixels: NDArray[np.uint8] | None = None

    def at(self, wanted_ns: int, now_ns: int) -> tuple[NDArray[np.uint8] | None, int]:
        """Give the frame of an output, or else the newest one up to now, with its stamp."""
        while self._ahead is not None and self._ahead.stamp_ns <= now_ns:
            self._kept.append(self._ahead)
            self._ahead = next(self._stream, None)
        sample = next((image for image in self._kept if image.stamp_ns == wanted_ns), None)
        if sample is None and self._kept:
            sample = self._kept[-1]
        if sample is not None and sample.stamp_ns != self._shown_ns:
            pixels = decoded(sample)
            if pixels is not None:
                self._pixels, self._shown_ns = pixels, sample.stamp_ns
        return self._pixels, self._shown_ns


def _samples(recording: Path, topic: str) -> Iterator[ImageSample]:
    """Read the frames that can be read."""
    with RawBag(recording) as bag:
        for _, received_ns, data in bag.messages([topic]):
            try:
                sample = image_sample(bag.deserialized(topic, data), received_ns)
            except SampleError:
                continue
            yield sample
