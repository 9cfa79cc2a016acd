# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
"""Replay a recording through the pipeline that the node runs, and score what comes out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mm_fusion.bags import read_bag
from mm_fusion.drawing.ground_camera import NO_OPTIONS
from mm_fusion.evaluation.camera import recorded_camera
from mm_fusion.evaluation.collector import OutputCollector
from mm_fusion.evaluation.frames import FramePicker
from mm_fusion.evaluation.observer import observed
from mm_fusion.evaluation.result import bag_result
from mm_fusion.pipeline import FusionPipeline
from mm_fusion.recordings import TruthRecorder, replay
from mm_fusion.runtime import create_backend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mm_fusion.drawing.ground_camera import CameraOptions
    from mm_fusion.evaluation.records import BagResult
    from mm_fusion.runtime import Bundle
    from mm_fusion.settings import Settings


def evaluate_bag(
    path: Path,
    bundle: Bundle,
    settings: Settings,
    topics: Mapping[str, str] | None = None,
    progress: Callable[[float], None] | None = None,
    *,
    frames: int = 0,
    camera: CameraOptions = NO_OPTIONS,
    align_truth: bool = False,
) -> BagResult:
    """Run the pipeline over a recording and score what it says.

    Messages are taken in the order of their log time, and the deadlines that fall between two
    messages are kept, so that the result is that of a live node that is never too slow.

    Args:
        path: Folder or file of a rosbag2 recording.
        bundle: A verified model bundle.
        settings: All parameters.
        topics: Topic by role, where the choice by type is not wanted.
        progress: Called with the share of the recording that is done, in [0, 1].
        frames: Number of sample frames to draw.
        camera: What is known better of the camera than the recording says.
        align_truth: Turn the headings of the odometry to its travel, straight on.

    Raises:
        BagError: The recording is missing, empty, unreadable or lacks a topic.
        BundleError: A graph of the bundle cannot be loaded.
        InferenceError: A stage of the network failed.
        SettingsError: The predicted steps do not contain those that are scored.
    """
    begin = time.perf_counter()
    with read_bag(path, topics, settings) as bag:
        pipeline = FusionPipeline(bundle, create_backend(bundle, settings.inference), settings)
        pipeline.warm_up()
        collector = OutputCollector()
        view = recorded_camera(path, bag.topics.image, camera, settings.camera)
        picker = FramePicker(frames, bag.start_ns, bag.duration_s, view)
        truth = TruthRecorder(odometry=bag.topics.odometry is not None, along_travel=align_truth)
        for output in replay(observed(bag, truth, picker, progress), pipeline):
            collector.add(output)
            picker.draw(output)
        return bag_result(
            path=path,
            bag=bag,
            collector=collector,
            truth=truth,
            settings=settings,
            pipeline=pipeline,
            frames=tuple(picker.frames),
            view=view.note,
            elapsed_s=time.perf_counter() - begin,
        )
